"""Net1D, the convolutional network of ECGFounder, here trained from scratch as a supervised baseline."""

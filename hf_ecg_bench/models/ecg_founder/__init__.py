"""ECGFounder: Net1D pretrained on more than ten million labelled ECGs."""

"""EchoNext 1.1.0: ECGs with findings of an echocardiogram near to them."""

"""ECG-CPC: a convolutional encoder and causal S4 layers, pretrained by contrastive predictive coding."""

"""MERL: ECG encoders (a ResNet-18 or a ViT-tiny) pretrained on ECG reports by contrast."""

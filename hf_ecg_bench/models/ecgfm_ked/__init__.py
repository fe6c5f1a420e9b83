"""ECGFM-KED: an xresnet1d101 pretrained on ECGs and their reports."""

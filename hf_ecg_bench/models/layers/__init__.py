"""Layers that several models share: attention and the transformer blocks around it."""

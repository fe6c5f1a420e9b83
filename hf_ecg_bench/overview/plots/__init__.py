"""Figures over many tasks and models: arrays in, matplotlib figures out."""

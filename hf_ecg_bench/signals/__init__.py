"""Signals as arrays (numpy only): leads, resampling, windows, NaN, and the contract with a model."""

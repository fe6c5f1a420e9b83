"""Signals as arrays: leads, resampling, windows, missing samples and the contract with a model. Numpy only, no disk."""

"""Plots: pure functions of arrays that return a matplotlib Figure and touch no global state."""

"""Stratification folds: the published algorithms, reproduced exactly and in linear time. Pure functions."""

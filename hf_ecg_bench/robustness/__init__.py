"""How far a result holds: in parts of its test set, on other datasets, and on disturbed signals."""

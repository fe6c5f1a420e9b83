"""Error against training records: power laws with an offset, their uncertainty, and how many labels a model needs."""

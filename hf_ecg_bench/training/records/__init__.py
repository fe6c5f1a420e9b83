"""Which records of a dataset a run uses, and which targets they have."""

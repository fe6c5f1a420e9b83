"""Training: modes, protocols, the Trainer and the run that ties a task, a dataset and a model together."""

"""Cards and evaluation results of models, from the result of the run that made them."""

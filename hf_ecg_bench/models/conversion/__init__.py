"""From a public checkpoint file to a model: where its tensors are, what they are called here, what became of each."""

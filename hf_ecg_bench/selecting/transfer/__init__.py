"""How well frozen features suit a task, without training a model: pure functions of arrays."""

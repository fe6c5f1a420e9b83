"""Many models on many tasks in one report: who is ahead, by category and task, at what cost, and what is missing."""

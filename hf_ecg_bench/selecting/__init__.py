"""Which model and mode to pick for a task: from stored results, and from scores of stored features.

`transfer` scores features (pure functions of arrays), `scoring` gets them from the feature store, `evidence` reads what
results say, `profile` predicts from it, `recommend` puts all together, `backtest` shows how often it is right.
"""

"""Features of a frozen backbone, computed once and kept on disk: see `planning.plan_features` and `store.open_planned`.

A head on a frozen backbone sees nothing of a record but its features, so they are computed once instead of once per
epoch. Which windows are kept is said in `windows`, what decides them in `key`, how several processes share the work
and what a kill leaves behind in `filling`.
"""

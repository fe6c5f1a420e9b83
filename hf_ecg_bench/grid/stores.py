"""Which runs read the same stored features, told from their specifications alone."""

from __future__ import annotations

import json

from hf_ecg_bench.tasks import get_task
from hf_ecg_bench.training.modes import get_mode
from hf_ecg_bench.training.spec import RunSpec

# From this share of the records on, the training split is stored as a whole (`features.planning`).
_WHOLE = 0.5


def store_group(run: RunSpec) -> str | None:
    """A text that runs with the same stored features share; None where none are stored.

    What the store's own key holds and a specification decides: a smaller part of the training records has features of
    its own. It only orders work: which features are there is the store's to say.
    """
    values = run.hyperparameters()
    if not get_mode(run.mode).on_features or values.features != "stored":
        return None
    whole = run.fraction >= _WHOLE and not run.limit
    part = None if whole else [run.task, run.fraction, run.seed, run.limit, run.subset]
    shared = [
        *(run.model, run.data or get_task(run.task).dataset, get_mode(run.mode).head, run.preprocessing),
        *(values.crops, values.feature_precision, values.precision, values.tail, values.last_window, run.fault),
    ]
    return json.dumps([*shared, part])

"""What a run's regression targets were z-scored with."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hf_ecg_bench.errors import PredictionsError
from hf_ecg_bench.results.schema import Result


def stored_scales(result: Result, names: Sequence[str]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(targets,) mean and standard deviation of the run's training records; 0 and 1 for yes/no targets.

    Args:
        names: of the targets that are asked for.

    Raises:
        PredictionsError: the result does not have them.
    """
    found = []
    for key in ("target_mean", "target_std"):
        values = result.hyperparameters.get(key)
        if not isinstance(values, dict) or not set(names) <= values.keys():
            raise PredictionsError(
                f"the result of {result.model.get('id')} on {result.task} does not say what its targets were "
                f"standardised with (hyperparameters.{key})",
                fix="run it again",
            )
        found.append(np.array([values[name] for name in names], np.float64))
    return found[0], found[1]

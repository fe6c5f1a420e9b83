"""A set of targets and the parts of it that are tasks of their own: one pass over the resamples for all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from hf_ecg_bench.errors import PredictionsError, some
from hf_ecg_bench.evaluation.resampling import draw_resamples, known_groups
from hf_ecg_bench.evaluation.scores import score
from hf_ecg_bench.evaluation.summary import (
    Validation,
    as_summary,
    checked,
    summarise,
    thresholds_of,
)
from hf_ecg_bench.evaluation.undefined import Undefined

# Metrics whose values per label a part can take over from the whole.
_SHARED = ("auroc", "average_precision", "brier")


def summarise_parts(
    targets: ArrayLike,
    predictions: ArrayLike,
    names: Sequence[str],
    kinds: Sequence[str],
    parts: Mapping[str, Sequence[str]],
    groups: ArrayLike | None = None,
    n_resamples: int = 1000,
    seed: int = 0,
    undefined: Undefined = "drop",
    validation: Validation | None = None,
) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """What `summarise` gives for all targets, and for each part of them on the records that have any of its targets.

    A part that has all records shares the resamples of the whole and its labels' values in them. Thresholds of a part
    are chosen on the validation records of its own targets.

    Args:
        parts: names of targets by name of the part. A part without any record gets `n` = 0 and no metrics.

    Raises:
        PredictionsError: as `summarise`, or a part names a target that is not there.
    """
    t, p, binary = checked(targets, predictions, names, kinds, undefined)
    groups = known_groups(groups)
    columns = {part: np.array(target_columns(part, wanted, names)) for part, wanted in parts.items()}
    resamples = draw_resamples(len(t), n_resamples=n_resamples, seed=seed, groups=groups)
    scores = score(t, p, binary, resamples, undefined, thresholds_of(validation, binary))
    whole = as_summary(t, names, kinds, resamples, scores, undefined)
    summaries: dict[str, dict[str, Any]] = {}
    for part, chosen in columns.items():
        own_names, own_kinds = [names[i] for i in chosen], [kinds[i] for i in chosen]
        own_validation = None if validation is None else _of_columns(validation, chosen)
        kept = ~np.isnan(t[:, chosen]).all(axis=1)
        if not kept.any():
            summaries[part] = {"n": 0, "metrics": {}, "targets": {}, "resampling": {}}
        elif not kept.all():
            own_groups = None if groups is None else np.asarray(groups)[kept]
            summaries[part] = summarise(
                t[kept][:, chosen], p[kept][:, chosen], own_names, own_kinds, own_groups, n_resamples, seed, undefined,
                own_validation,
            )  # fmt: skip
        else:
            known = {}
            if binary[chosen].any():
                labels = (np.cumsum(binary) - 1)[chosen][binary[chosen]]
                known = {name: scores.blocks[name].of(labels) for name in _SHARED if name in scores.blocks}
            limits = thresholds_of(own_validation, binary[chosen])
            own = score(t[:, chosen], p[:, chosen], binary[chosen], resamples, undefined, limits, known)
            summaries[part] = as_summary(t[:, chosen], own_names, own_kinds, resamples, own, undefined)
    return whole, summaries


def target_columns(part: str, wanted: Sequence[str], names: Sequence[str]) -> list[int]:
    """Where the wanted targets stand among `names`.

    Raises:
        PredictionsError: none are wanted, or one is not there; names `part`.
    """
    position = {name: column for column, name in enumerate(names)}
    missing = [name for name in wanted if name not in position]
    if missing or not wanted:
        raise PredictionsError(
            f"{part}: {len(missing)} of its {len(wanted)} targets are not among the {len(names)} that are predicted: "
            f"{some(missing, 5)}",
            fix="score the predictions of a run of this task, or of the task that it is a part of",
        )
    return [position[name] for name in wanted]


def _of_columns(validation: Validation, columns: np.ndarray) -> Validation:
    t, p = (np.asarray(array)[:, columns] for array in validation)
    return t, p

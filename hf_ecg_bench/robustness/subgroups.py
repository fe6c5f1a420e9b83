"""Scores by age and sex, and how each group differs from all other records of the test set."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hf_ecg_bench.evaluation.arrays import FloatArray, binary_columns, check_arrays
from hf_ecg_bench.evaluation.intervals import percentile_interval, two_sided_p
from hf_ecg_bench.evaluation.multiplicity import holm_of_defined
from hf_ecg_bench.evaluation.resampling import Resamples, draw_resamples, group_index, known_groups
from hf_ecg_bench.evaluation.summary import CONFIDENCE
from hf_ecg_bench.robustness.group_estimates import GroupScores, Samples, group_scores

#: A group of fewer patients gets counts only: its interval would say nothing.
LEAST_PATIENTS = 10
UNKNOWN = "unknown"
_OLDEST = 80
_DECADES = tuple(f"{start}-{start + 9}" for start in range(0, _OLDEST, 10))
AGES = (*_DECADES, f"{_OLDEST}+", UNKNOWN)
SEXES = ("female", "male", UNKNOWN)


def age_groups(age: ArrayLike) -> NDArray[np.intp]:
    """(records,) position in `AGES` of each age in years; NaN and negative ages are unknown."""
    years = np.asarray(age, dtype=np.float64)
    known = np.isfinite(years) & (years >= 0)
    decade = np.minimum(np.where(known, years, 0) // 10, len(_DECADES)).astype(np.intp)
    return np.where(known, decade, len(AGES) - 1)


def sex_groups(sex: Iterable[Any]) -> NDArray[np.intp]:
    """(records,) position in `SEXES`; whatever is neither `female` nor `male` is unknown."""
    return np.array([SEXES.index(value) if value in SEXES[:2] else 2 for value in sex], dtype=np.intp)


def subgroup_scores(
    targets: ArrayLike,
    predictions: ArrayLike,
    names: Sequence[str],
    kinds: Sequence[str],
    *,
    age: ArrayLike,
    sex: Iterable[Any],
    groups: ArrayLike | None = None,
    n_resamples: int = 1000,
    seed: int = 0,
) -> dict[str, dict[str, dict[str, Any]]]:
    """Metrics of each age decade and sex with 95 % bootstrap intervals, and each group against all other records.

    Patients of the whole test set are resampled, and a group and the rest are computed from the same resample: a
    patient with records in two decades counts as what he is, one patient.

    Args:
        targets, predictions: (records, targets), NaN = missing target.
        names, kinds: name and `binary` or `regression` per target.
        age: (records,) years, NaN where unknown.
        sex: (records,) `female`, `male` or None.
        groups: (records,) patient ids, None for an unknown patient.
        n_resamples, seed: as in `evaluation.summary.summarise`; the same give the same resamples.

    Returns:
        {"age": {"40-49": {"n": records, "n_patients": patients,
            "metrics": {"macro_auroc": {value, low, high, n_labels}, "macro_auroc_supported", "macro_mae",
                "pooled_mae"},
            "undefined": names of the labels without positives or without negatives in the group,
            "difference": {metric: {value, low, high, p, p_adjusted, n_labels}}}, ...},
         "sex": {"female": ..., "male": ..., "unknown": ...}}
        Groups without records are left out; groups of fewer than 10 patients have counts and a `note` only, and no
        group is compared with fewer than 10 patients. Undefined labels are always left out, never counted as 0.5:
        a small group would then look mediocre for its size alone. A difference is group minus rest, the mean over the
        labels that are defined in both parts (`_supported`: with ten positives and ten negatives in both), so that
        it is not one of label sets. `p_adjusted` is Holm's, over all groups of a metric; two groups that make up the
        whole test set are one comparison.

    Raises:
        PredictionsError: arrays, names or kinds that do not fit.
    """
    t, p = check_arrays(targets, predictions)
    binary = binary_columns(kinds)
    known = known_groups(groups)
    resamples = draw_resamples(len(t), n_resamples=n_resamples, seed=seed, groups=known)
    patient = np.arange(len(t)) if known is None else group_index(known, len(t))[0]
    result: dict[str, dict[str, dict[str, Any]]] = {}
    tests: list[tuple[dict[str, Any], bytes]] = []
    for axis, labels, member in (("age", AGES, age_groups(age)), ("sex", SEXES, sex_groups(sex))):
        result[axis] = _axis(labels, member, patient, (t, p, binary), list(names), resamples, tests)
    _adjust(tests)
    return result


def _axis(
    labels: tuple[str, ...],
    member: NDArray[np.intp],
    patient: NDArray[np.intp],
    data: tuple[FloatArray, FloatArray, NDArray[np.bool_]],
    names: list[str],
    resamples: Resamples,
    tests: list[tuple[dict[str, Any], bytes]],
) -> dict[str, dict[str, Any]]:
    """One partition of the records; appends each group's differences and its members to `tests`."""
    present, position = np.unique(member, return_inverse=True)
    scores = group_scores(*data, position, len(present), resamples)
    result = {}
    for g, label in enumerate(present.tolist()):
        inside = position == g
        n_patients, n_others = len(np.unique(patient[inside])), len(np.unique(patient[~inside]))
        entry: dict[str, Any] = {"n": int(inside.sum()), "n_patients": n_patients, "metrics": {}, "difference": {}}
        result[labels[label]] = entry
        if n_patients < LEAST_PATIENTS:
            entry["note"] = f"fewer than {LEAST_PATIENTS} patients: counts only"
            continue
        score = scores[g]
        entry["metrics"] = {name: _interval(samples) for name, samples in score.inside.items()}
        labels_of = [name for name, yes_no in zip(names, data[2].tolist(), strict=True) if yes_no]
        entry["undefined"] = [name for name, there in zip(labels_of, score.defined, strict=True) if not there]
        if n_others < LEAST_PATIENTS:
            entry["note"] = f"fewer than {LEAST_PATIENTS} other patients: not compared"
            continue
        entry["difference"] = _differences(score)
        tests.append((entry["difference"], min(inside.tobytes(), (~inside).tobytes())))
    return result


def _differences(score: GroupScores) -> dict[str, Any]:
    found = {}
    for name, samples in score.difference.items():
        p = float(two_sided_p(samples.samples))
        found[name] = {**_interval(samples), "p": p}
    return found


def _interval(samples: Samples) -> dict[str, Any]:
    low, high = percentile_interval(samples.samples, CONFIDENCE)
    entry: dict[str, Any] = {"value": samples.value, "low": float(low), "high": float(high)}
    return entry if samples.n_labels is None else {**entry, "n_labels": samples.n_labels}


def _adjust(tests: list[tuple[dict[str, Any], bytes]]) -> None:
    """Add `p_adjusted` to every difference."""
    for metric in {name: None for difference, _ in tests for name in difference}:
        found = {part: difference[metric] for difference, part in tests if metric in difference}
        values = holm_of_defined([entry["p"] for entry in found.values()]).tolist()
        adjusted = dict(zip(found, values, strict=True))
        for difference, part in tests:
            if metric in difference:
                difference[metric]["p_adjusted"] = adjusted[part]

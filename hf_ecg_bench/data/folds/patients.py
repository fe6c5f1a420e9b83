"""Folds by patient: all records of a patient are placed together."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence

import numpy as np

from hf_ecg_bench.data.folds.stratify import stratify

Stratify = Callable[..., list[int]]
BANDS_YEARS = (20, 40, 60, 80)
BANDS_DAYS = (365, 1825, 4380, 6570)
#: How many ids `demographic_labels` adds: a constant, two sexes, five age bands.
DEMOGRAPHIC_IDS = 8


def demographic_labels(
    labels: Sequence[Sequence[int]],
    n_labels: int,
    male: Sequence[bool],
    age: Sequence[float | None],
    bands: Sequence[float] = BANDS_YEARS,
) -> list[list[int]]:
    """Per record: its label ids, a constant, its sex and its age band, as ids 0 .. n_labels + 7.

    Args:
        labels: label ids 0 .. n_labels - 1 of each record, repeats included.
        male: whether the record counts as a man's.
        age: in the unit of `bands`; a missing age lands in the last band, as every comparison fails.
        bands: four upper bounds.
    """
    result = []
    for own, is_male, years in zip(labels, male, age, strict=True):
        band = next((number for number, bound in enumerate(bands) if years is not None and years < bound), len(bands))
        result.append([*own, n_labels, n_labels + (1 if is_male else 2), n_labels + 3 + band])
    return result


def grouped_folds(
    patients: Sequence[Hashable],
    labels: Sequence[Sequence[Hashable]],
    classes: Sequence[Hashable],
    n_folds: int,
    *,
    seed: int = 0,
    algorithm: Stratify = stratify,
) -> list[int]:
    """The fold of each record; patients (in ascending order of id) are stratified on the labels of all their records.

    Args:
        patients: the patient of each record; ids must be comparable, numbers for numeric order.
        labels: per record, e.g. from `demographic_labels`.
        algorithm: `stratify` or `stratify_batches`.
    """
    order = sorted(set(patients))  # type: ignore[type-var]
    joined: dict[Hashable, list[Hashable]] = {patient: [] for patient in order}
    records = dict.fromkeys(order, 0)
    for patient, own in zip(patients, labels, strict=True):
        joined[patient] += own
        records[patient] += 1
    folds = algorithm(
        [joined[patient] for patient in order],
        classes,
        [1 / n_folds] * n_folds,
        records=[records[patient] for patient in order],
        seed=seed,
    )
    fold_of = dict(zip(order, folds, strict=True))
    return [fold_of[patient] for patient in patients]


def shuffled_folds(patients: Sequence[Hashable], n_folds: int, seed: int) -> list[int]:
    """The fold of each record: patients ascending, equal blocks of folds shuffled once (PTB).

    What scikit-learn's StratifiedKFold(shuffle=True) does on a constant label; it also works with fewer patients
    than folds, some of which then stay empty.
    """
    order = sorted(set(patients))  # type: ignore[type-var]
    n = len(order)
    sizes = [n // n_folds + (fold < n % n_folds) for fold in range(n_folds)]
    numbers = np.repeat(np.arange(n_folds), sizes)
    np.random.RandomState(seed).shuffle(numbers)
    fold_of = dict(zip(order, numbers.tolist(), strict=True))
    return [fold_of[patient] for patient in patients]

"""Stratified subsets inside each other: whole patients, by repeated halving along one fixed path.

All patients are halved by `stratify`, each half again, and so on; that tree puts the patients into an order of which
every beginning is made of stratified pieces. A subset is such a beginning, so that smaller ones lie inside larger ones
whatever the fractions; only the halves that hold the subset's end are ever divided.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np

from hf_ecg_bench.data.folds.stratify import stratify

_DOMAIN = 0x5EED  # keeps this draw apart from others of the same seed


def nested_subset(
    patients: Sequence[Hashable],
    labels: Sequence[Sequence[int]],
    n_labels: int,
    fraction: float,
    *,
    seed: int = 0,
) -> np.ndarray:
    """Positions of the records that stay, ascending: those of whole patients, about `fraction` of all records.

    The patient at the end is taken if that comes closer to the fraction; there is always one patient at least.

    Args:
        patients: the patient of each record; None for a record that is a patient of its own.
        labels: label ids 0 .. n_labels - 1 of each record, e.g. from `patients.demographic_labels`; at least one each.
        fraction: above 0 and at most 1.
        seed: of the order that breaks ties: other seeds give other subsets.

    Raises:
        ValueError: another fraction, lists of different length, or a record without any label.
    """
    if not 0 < fraction <= 1:
        raise ValueError(f"fraction {fraction}: expected more than 0 and at most 1")
    if len(patients) != len(labels):
        raise ValueError(f"{len(patients)} patients but labels of {len(labels)} records")
    members: dict[Hashable, list[int]] = {}
    for record, patient in enumerate(patients):
        members.setdefault(("record", record) if patient is None else ("patient", patient), []).append(record)
    units = list(members.values())
    units = [units[number] for number in np.random.default_rng((seed, _DOMAIN)).permutation(len(units))]
    joined = [[label for record in unit for label in labels[record]] for unit in units]
    if not all(labels):
        raise ValueError("every record needs a label: those without one would be left out of every subset")
    chosen = _beginning(joined, n_labels, [len(unit) for unit in units], fraction * len(patients))
    return np.array(sorted(record for unit in chosen for record in units[unit]), np.int64)


def _beginning(labels: list[list[int]], n_labels: int, sizes: list[int], wanted: float) -> list[int]:
    """The units whose middle record stands before place `wanted` of the order, and the first one anyway."""
    taken: list[int] = []
    left = list(range(len(labels)))
    while len(left) > 1 and wanted > 0:
        first, second = _halves(left, labels, n_labels, sizes)
        size = sum(sizes[unit] for unit in first)
        if wanted < size:
            left = first
        else:
            taken, left, wanted = taken + first, second, wanted - size
    if left and (not taken or (len(left) == 1 and wanted >= sizes[left[0]] / 2)):
        taken.append(left[0])
    return taken


def _halves(units: list[int], labels: list[list[int]], n_labels: int, sizes: list[int]) -> tuple[list[int], list[int]]:
    own = [labels[unit] for unit in units]
    folds = stratify(own, range(n_labels), [0.5, 0.5], records=[sizes[unit] for unit in units])
    _even_out(folds, own, n_labels)
    first = [unit for unit, fold in zip(units, folds, strict=True) if fold == 0]
    second = [unit for unit, fold in zip(units, folds, strict=True) if fold != 0]
    if not first or not second:  # two or three patients that share everything may land together
        return units[:1], units[1:]
    return first, second


def _even_out(folds: list[int], labels: list[list[int]], n_labels: int) -> None:
    """Move units, one after the other, where that makes the two halves more alike.

    `stratify` serves the rarest labels first, so that the common ones drift, more and more with every halving. Alike is
    a small sum over labels of (difference of the halves)^2 / (records with the label).
    """
    total, excess = [0] * n_labels, [0] * n_labels
    for fold, own in zip(folds, labels, strict=True):
        for label in own:
            total[label] += 1
            excess[label] += 1 if fold == 0 else -1
    for unit, own in enumerate(labels):
        step = -2 if folds[unit] == 0 else 2
        # (excess + step)^2 - excess^2, each label of the unit by itself: repeats are rare and count a little less.
        if sum((2 * step * excess[label] + 4) / total[label] for label in own) < 0:
            folds[unit] = 1 - folds[unit]
            for label in own:
                excess[label] += step

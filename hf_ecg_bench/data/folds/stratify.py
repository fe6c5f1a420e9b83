"""Iterative stratification of multi-label units, exactly as the published benchmark draws its folds.

A variant of Sechidis, Tsoumakas, Vlahavas: On the stratification of multi-label data (ECML PKDD 2011). The reference
searches all units for every class and needs seconds for ten thousand; counters per class give the same folds at once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence

import numpy as np

UNPLACED = -1


def stratify(
    labels: Sequence[Sequence[Hashable]],
    classes: Sequence[Hashable],
    ratios: Sequence[float],
    *,
    records: Sequence[int] | None = None,
    seed: int = 0,
) -> list[int]:
    """The fold of each unit (a record or a patient).

    Classes are placed from the rarest on; a unit goes where its class is wanted most, then where most records are
    wanted, then where a seeded draw says.

    Args:
        labels: the labels of each unit, repeats included; all of them in `classes`.
        classes: all classes in order; the order breaks ties between equally rare ones.
        ratios: the share of each fold; they add up to 1.
        records: how many records each unit holds (default: one each).
        seed: of NumPy's legacy generator, as in the reference.

    Returns:
        Fold numbers; UNPLACED for units without labels.

    Raises:
        ValueError: lists of different length, or a label outside `classes`.
    """
    sizes = [1] * len(labels) if records is None else list(records)
    if len(sizes) != len(labels):
        raise ValueError(f"{len(labels)} units but {len(sizes)} numbers of records")
    position = {label: number for number, label in enumerate(classes)}
    try:
        units = [[position[label] for label in unit] for unit in labels]
    except KeyError as error:
        raise ValueError(f"label {error.args[0]!r} is not among the classes") from error
    counts = [Counter(unit) for unit in units]
    members: list[list[int]] = [[] for _ in classes]
    for number, count in enumerate(counts):
        for label in count:
            members[label].append(number)
    occurrences = Counter(label for unit in units for label in unit)
    size = sum(sizes)
    # Plain floats, one subtraction per label: other groupings of the sums would break ties differently.
    need = [ratio * size for ratio in ratios]
    want = [[ratio * occurrences[label] for ratio in ratios] for label in range(len(classes))]
    folds = [UNPLACED] * len(units)
    rng = np.random.RandomState(seed)
    for _ in classes:
        left = [label for label in range(len(classes)) if occurrences[label]]
        if size == 0 or not left:
            break
        rarest = min(left, key=occurrences.__getitem__)
        waiting = [number for number in members[rarest] if folds[number] == UNPLACED]
        waiting.sort(key=lambda number: (counts[number][rarest], number), reverse=True)
        wanted = want[rarest]
        for number in waiting:
            fold = _choose(wanted, need, rng)
            folds[number] = fold
            size -= sizes[number]
            need[fold] -= sizes[number]
            for label in units[number]:
                want[label][fold] -= 1
            occurrences.subtract(counts[number])
    return folds


def stratify_batches(
    labels: Sequence[Sequence[Hashable]],
    classes: Sequence[Hashable],
    ratios: Sequence[float],
    *,
    records: Sequence[int] | None = None,
    seed: int = 0,
    batch_size: int = 10_000,
) -> list[int]:
    """`stratify` on consecutive batches of at least `batch_size` units, each with the same seed (CODE-15%).

    Fewer units than one batch are one batch; the reference divides by zero there.
    """
    n = len(labels)
    n_batches = max(1, n // batch_size)
    step = n if n_batches == 1 else batch_size + (n - n_batches * batch_size) // n_batches
    folds: list[int] = []
    for batch in range(n_batches):
        part = slice(batch * step, n if batch == n_batches - 1 else (batch + 1) * step)
        sizes = None if records is None else records[part]
        folds += stratify(labels[part], classes, ratios, records=sizes, seed=seed)
    return folds


def _choose(wanted: list[float], need: list[float], rng: np.random.RandomState) -> int:
    most = max(wanted)
    best = [fold for fold, value in enumerate(wanted) if value == most]
    if len(best) == 1:
        return best[0]
    most = max(need[fold] for fold in best)
    best = [fold for fold in best if need[fold] == most]
    # What RandomState.choice does for one draw; it is made even where one fold remains.
    return best[int(rng.randint(0, len(best)))]

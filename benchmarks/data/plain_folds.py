"""The published stratification written down plainly: every step searches all units. A yardstick, not for use."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def plain_stratify(labels: Sequence[Sequence[str]], classes: Sequence[str], ratios: Sequence[float]) -> list[int]:
    """The fold of each record, -1 without labels; quadratic in the number of records.

    Iterative stratification after Sechidis et al. 2011: the rarest class first; its records, those with most of it
    first, each into the fold that still wants most of it, then into the one that wants most records.
    """
    rng = np.random.RandomState(0)
    size = len(labels)
    need = [ratio * size for ratio in ratios]
    members = {c: [number for number, unit in enumerate(labels) if c in unit] for c in classes}
    want = {c: [ratio * sum(unit.count(c) for unit in labels) for ratio in ratios] for c in classes}
    folds = [-1] * len(labels)
    for _ in classes:
        left = {c: sum(labels[number].count(c) for number in members[c]) for c in classes if members[c]}
        if size == 0 or not left:
            break
        rarest = min(left, key=left.__getitem__)
        for number in sorted(members[rarest], key=lambda unit: labels[unit].count(rarest))[::-1]:
            best = [fold for fold in range(len(ratios)) if want[rarest][fold] == max(want[rarest])]
            if len(best) > 1:
                most = max(need[fold] for fold in best)
                fold = int(rng.choice([fold for fold in best if need[fold] == most]))
            else:
                fold = best[0]
            folds[number] = fold
            size -= 1
            need[fold] -= 1
            for label in labels[number]:
                want[label][fold] -= 1
            for c in classes:
                if number in members[c]:
                    members[c].remove(number)
    return folds

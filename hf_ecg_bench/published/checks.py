"""What was looked for in the published rows and found in order: the audit's other half."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from hf_ecg_bench.published.finding import by_key, together
from hf_ecg_bench.results.row import Row

#: Labels of the parts of ptbxl_all, and how many of them two parts share: 44 + 19 + 12 - 71.
_PARTS = {"ptbxl_diag": 44, "ptbxl_form": 19, "ptbxl_rhythm": 12}
_WHOLE, _LABELS = "ptbxl_all", 71


@dataclass(frozen=True)
class Check:
    """Something that was looked for.

    Attributes:
        what: in words.
        found: with numbers.
        in_order: whether nothing speaks against the rows.
    """

    what: str
    found: str
    in_order: bool


def checks(rows: Sequence[Row]) -> tuple[Check, ...]:
    """All of them."""
    return (_models_apart(rows), _intervals_apart(rows), _tasks_apart(rows), _ends(rows), _errors(rows), _parts(rows))


def _count(what: str, found: int, number: int) -> Check:
    return Check(what, f"{found:,} of {number:,}", found == 0)


def _models_apart(rows: Sequence[Row]) -> Check:
    pairs = [
        pair
        for group in together(rows, "task").values()
        for pair in combinations(group, 2)
        if pair[0].model != pair[1].model
    ]
    equal = sum(a.value == b.value for a, b in pairs)
    return _count("rows of different models with equal values on a task", equal, len(pairs))


def _intervals_apart(rows: Sequence[Row]) -> Check:
    seen = {(row.low, row.high) for row in rows}
    return _count("intervals that occur twice, anywhere", len(rows) - len(seen), len(rows))


def _tasks_apart(rows: Sequence[Row]) -> Check:
    equal = sum(len(group) - len({row.value for row in group}) for group in together(rows, "model", "mode").values())
    return _count("values of a model and mode that occur on two tasks", equal, len(rows))


def _ends(rows: Sequence[Row]) -> Check:
    return _count(
        "intervals whose lower end is not below the upper one", sum(row.low >= row.high for row in rows), len(rows)
    )


def _errors(rows: Sequence[Row]) -> Check:
    """Regression has no undefined labels: its intervals should be symmetric but for chance."""
    own = [row for row in rows if not row.higher_is_better]
    odd = sum(not 0.4 <= (row.value - row.low) / (row.high - row.low) <= 0.6 for row in own)
    return _count("errors that lie outside of the middle fifth of their interval", odd, len(own))


def _parts(rows: Sequence[Row]) -> Check:
    """diag, form and rhythm are parts of one training on all labels where the shared labels' mean is an AUROC."""
    own = by_key(rows)
    means = []
    for model, mode in dict.fromkeys((row.model, row.mode) for row in rows):
        try:
            parts = sum(labels * own[model, mode, task].value for task, labels in _PARTS.items())
            means.append((parts - _LABELS * own[model, mode, _WHOLE].value) / (sum(_PARTS.values()) - _LABELS))
        except KeyError:
            continue
    found = f"{min(means):.2f} to {max(means):.2f} in {len(means)} rows of models" if means else "no rows"
    return Check(
        "mean AUROC of the 4 labels that PTB-XL's diag, form and rhythm share, from their values and that of all "
        "labels (one training if it lies between 0.5 and 1)",
        found,
        all(0.5 < mean < 1 for mean in means),
    )

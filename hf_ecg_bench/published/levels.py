"""Values that a model which has learned nothing would have, or nearly."""

from __future__ import annotations

import math
from collections.abc import Sequence

from hf_ecg_bench.published.finding import Finding, keys, together
from hf_ecg_bench.results.row import Row

#: Mean absolute error of the best constant for a normal target of standard deviation 1: sqrt(2 / pi).
CONSTANT = math.sqrt(2 / math.pi)
#: Share by which a task's best row must be below that for its rows to say much.
LITTLE = 0.2
_NORMAL = (
    f"A constant prediction has a mean absolute error of sqrt(2/pi) = {CONSTANT:.3f} on a normal target in standard "
    "deviations, and less on a skewed one"
)


def worse_than_constant(rows: Sequence[Row]) -> list[Finding]:
    """Errors above that of a constant prediction."""
    found = [row for row in rows if not row.higher_is_better and row.value > CONSTANT]
    if not found:
        return []
    certain = sum(row.low > CONSTANT for row in found)
    listed = ", ".join(
        f"{row.model} {row.mode} {row.task} {row.value:.3f} [{row.low:.3f}, {row.high:.3f}]" for row in found
    )
    return [
        Finding(
            "worse-than-constant",
            f"{len(found)} rows are worse than predicting a constant",
            "do_not_use",
            "value",
            f"{_NORMAL}: {listed}. {certain} of these intervals lie above it as a whole. A linear head can always give "
            "a constant: an optimisation that failed, not what the features hold.",
            "",
            keys(found),
        )
    ]


def at_chance(rows: Sequence[Row]) -> list[Finding]:
    """AUROCs whose interval holds 0.5."""
    found = [row for row in rows if row.higher_is_better and row.low <= 0.5]
    if not found:
        return []
    listed = ", ".join(
        f"{row.model} {row.mode} {row.task} {row.value:.3f} [{row.low:.3f}, {row.high:.3f}]" for row in found
    )
    return [
        Finding(
            "at-chance",
            f"{len(found)} row{'s' * (len(found) > 1)} cannot be told from chance",
            "caution",
            "value",
            f"The interval of the macro AUROC holds 0.5: {listed}.",
            "",
            keys(found),
        )
    ]


def little_signal(rows: Sequence[Row]) -> list[Finding]:
    """Regression tasks on which even the best row is little better than a constant."""
    groups = together([row for row in rows if not row.higher_is_better], "task")
    best = {task: min(row.value for row in own) for (task,), own in groups.items()}
    found = {task: value for task, value in best.items() if value > CONSTANT * (1 - LITTLE)}
    if not found:
        return []
    listed = ", ".join(f"{task}: best {value:.3f}, {1 - value / CONSTANT:.0%} better" for task, value in found.items())
    return [
        Finding(
            "little-signal",
            f"{' and '.join(found)}: every row is close to a constant prediction",
            "note",
            "value",
            f"{_NORMAL}; {listed}. Differences between models are differences of little.",
            "",
            keys(row for (task,), own in groups.items() if task in found for row in own),
        )
    ]

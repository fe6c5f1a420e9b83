"""Published intervals that are not what a 95 % interval is."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from hf_ecg_bench.published.finding import Finding, keys, together
from hf_ecg_bench.results.row import Row

#: Mean distance of an interval's middle below its point from which a task counts as shifted: the tasks fall into two
#: groups, at 0.009 and above and at 0.004 and below.
SHIFT = 0.005
#: Distance of a width from what is usual on its task, in robust standard deviations.
ODD_WIDTH = 10.0
#: And the least factor by which it differs: where all others agree closely, less is no sign of anything.
ODD_FACTOR = 1.5


def outside(rows: Sequence[Row]) -> list[Finding]:
    """Intervals that exclude their own point."""
    found = [row for row in rows if not row.low <= row.value <= row.high]
    if not found:
        return []
    tasks = sorted({row.task for row in found})
    above = sum(row.value > row.high for row in found)
    return [
        Finding(
            "point-outside-interval",
            f"{len(found)} intervals exclude their own point, all of {', '.join(tasks)}",
            "caution",
            "interval",
            f"{len(found)} of {len(rows)} intervals do not hold the value that they belong to; in {above} the value "
            f"lies above the upper end, by up to {max(row.value - row.high for row in found):.4f}. The resamples lack "
            "rare labels, each counted as 0.5 then (see shifted-interval).",
            "",
            keys(found),
        )
    ]


def shifted(rows: Sequence[Row]) -> list[Finding]:
    """Tasks whose intervals lie below their points: labels that a resample lacks count as 0.5."""
    groups = together([row for row in rows if row.higher_is_better], "task")
    shifts = {task: np.array([(row.low + row.high) / 2 - row.value for row in own]) for (task,), own in groups.items()}
    found = {task: shift for task, shift in shifts.items() if shift.mean() < -SHIFT}
    if not found:
        return []
    others = [shift.mean() for task, shift in shifts.items() if task not in found]
    listed = ", ".join(f"{task} {shift.mean():.3f}" for task, shift in sorted(found.items(), key=lambda x: x[1].mean()))
    below = sum(int((shift < 0).sum()) for shift in found.values())
    number = sum(map(len, found.values()))
    return [
        Finding(
            "shifted-interval",
            f"Intervals of {len(found)} tasks lie too low: never compare them with ours",
            "caution",
            "interval",
            f"The middle of the interval minus the point, mean over the rows of a task: {listed}; on the other "
            f"{len(others)} tasks with labels {min(others):.4f} to {max(others):.4f}. In {below} of {number} rows the "
            "middle is below the point. A label without positives in a resample counts 0.5 in the authors' macro "
            "AUROC, which pulls resamples down where labels are rare; in a simulation of it a 95 % interval covers "
            "71 %.",
            "read in the authors' code; the cause is inferred, as their predictions are not public",
            keys(row for (task,), own in groups.items() if task in found for row in own),
        )
    ]


def odd_widths(rows: Sequence[Row]) -> list[Finding]:
    """Rows whose interval is much wider or narrower than those of other rows with such a value on the same task."""
    found = []
    for (task,), own in together(rows, "task").items():
        width = np.array([row.high - row.low for row in own])
        value = np.array([row.value for row in own])
        place = np.log(value / (1 - value)) if own[0].higher_is_better else np.log(value)
        rest, scale = robust_residuals(place, np.log(width))
        z = rest / scale if scale > 0 else np.zeros_like(rest)
        for index in np.flatnonzero((np.abs(z) > ODD_WIDTH) & (np.abs(rest) > math.log(ODD_FACTOR))):
            row, others = own[index], np.delete(width, index)
            share = (row.value - row.low) / (row.high - row.low)
            found.append(
                Finding(
                    f"odd-interval-{row.model}-{row.mode}-{task}",
                    f"{row.model} {row.mode} on {task}: an interval unlike all others of the task",
                    "caution",
                    "interval",
                    f"{row.value!r} [{row.low!r}, {row.high!r}]: {width[index]:.4f} wide, the other {len(others)} rows "
                    f"of the task {others.min():.4f} to {others.max():.4f} (median {np.median(others):.4f}); "
                    f"{abs(z[index]):.0f} robust standard deviations from the width usual at such a value. Its "
                    f"point lies at {share:.0%} of the interval. The test records are the same for all rows.",
                    "",
                    keys([row]),
                )
            )
    return found


def robust_residuals(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, float]:
    """Residuals of a robust line through (x, y), and their robust standard deviation.

    The slope is the median of all pairs' slopes (Theil 1950, Sen 1968), the scale 1.4826 times the median of the
    absolute residuals.

    Args:
        x, y: (n,).
    """
    i, j = np.triu_indices(len(x), 1)
    apart = x[i] != x[j]
    slope = np.median((y[i] - y[j])[apart] / (x[i] - x[j])[apart]) if apart.any() else 0.0
    rest = y - slope * x
    rest = rest - np.median(rest)
    return rest, float(1.4826 * np.median(np.abs(rest)))

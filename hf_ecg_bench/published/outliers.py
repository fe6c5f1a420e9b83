"""Rows that neither their model nor their task explains."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from hf_ecg_bench.published.finding import Finding, Key, by_key, key, keys, together
from hf_ecg_bench.results.row import Row

#: Robust standard deviations below its expectation from which a row is named.
UNLIKE = 9.0


def unlike_the_rest(rows: Sequence[Row]) -> list[Finding]:
    """Rows far below what their model in this mode does elsewhere and what others do on the task.

    Values on a logit scale minus the effects of model with mode and of task, found by repeated medians (median polish,
    Tukey 1977), on the tasks with labels.
    """
    labels = [row for row in rows if row.higher_is_better]
    if not labels:
        return []
    entries = list(dict.fromkeys((row.model, row.mode) for row in labels))
    tasks = list(dict.fromkeys(row.task for row in labels))
    own = by_key(labels)
    values = np.array(
        [[own[*entry, task].value if (*entry, task) in own else np.nan for task in tasks] for entry in entries]
    )
    rest = polished(np.log(values / (1 - values)))
    z = rest / (1.4826 * np.nanmedian(np.abs(rest)))
    found = [(z[i, j], own[*entries[i], tasks[j]]) for i, j in np.argwhere(z < -UNLIKE)]
    findings = []
    for (task,), group in together([row for _, row in found], "task").items():
        scores = {key(row): score for score, row in found}
        others = [row.value for row in labels if row.task == task and row not in group]
        listed = ", ".join(
            f"{row.model} {row.mode} {row.value:.3f} ({-scores[key(row)]:.0f} robust standard deviations)"
            for row in group
        )
        findings.append(
            Finding(
                f"unlike-the-rest-{task}",
                f"{task}: {len(group)} rows far below what their models do elsewhere",
                "caution",
                "value",
                f"{listed}; the other {len(others)} rows of the task: {min(others):.3f} to {max(others):.3f}. "
                + _fine_tuned(group, own),
                "the cause is not known",
                keys(group),
            )
        )
    return findings


def _fine_tuned(group: Sequence[Row], own: Mapping[Key, Row]) -> str:
    """What the same models reach with all weights trained."""
    models = dict.fromkeys(row.model for row in group)
    reached = [own[model, "finetune", group[0].task] for model in models if (model, "finetune", group[0].task) in own]
    return "Fine-tuned: " + ", ".join(f"{row.model} {row.value:.3f}" for row in reached) + "." if reached else ""


def polished(values: np.ndarray, rounds: int = 50) -> np.ndarray:
    """What is left of (rows, columns) values when the medians of rows and columns are taken out in turn; NaN stay."""
    for _ in range(rounds):
        values = values - np.nanmedian(values, axis=1, keepdims=True)
        values = values - np.nanmedian(values, axis=0, keepdims=True)
    return values

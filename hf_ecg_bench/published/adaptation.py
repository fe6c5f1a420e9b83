"""Modes of one model against each other: fine-tuning that did not happen, or did harm."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hf_ecg_bench.models.registry import get_model_spec
from hf_ecg_bench.published.finding import Finding, Key, by_key, clearly_better, key, keys
from hf_ecg_bench.results.row import Row

#: Standard deviation between trainings that differ in the seed alone: three of S4 on ptbxl_all by an independent
#: replication, 0.9351, 0.9377 and 0.9392.
SEED_SD = 0.002


def head_only(rows: Sequence[Row]) -> list[Finding]:
    """Models whose fine-tuned values are their linear ones up to the luck of a training run.

    Pairs that agree to the last digit are another matter (`repeats`) and are left out.
    """
    differences = {}
    own = by_key(rows)
    for model in dict.fromkeys(row.model for row in rows):
        pairs = [
            (row, own[model, "linear", row.task])
            for row in rows
            if (row.model, row.mode) == (model, "finetune") and (model, "linear", row.task) in own
        ]
        apart = [fine.value - linear.value for fine, linear in pairs if fine.value != linear.value]
        if apart:
            differences[model] = np.array(apart)
    return [_head_only(rows, model, differences) for model, found in differences.items() if _median(found) < SEED_SD]


def _head_only(rows: Sequence[Row], model: str, differences: dict[str, np.ndarray]) -> Finding:
    own = differences[model]
    others = sorted(_median(found) for name, found in differences.items() if name != model) or [float("nan")]
    pairs = by_key(rows)
    fine = [row for row in rows if (row.model, row.mode) == (model, "finetune")]
    inside = sum(
        row.low <= pairs[model, "linear", row.task].value <= row.high
        for row in fine
        if (model, "linear", row.task) in pairs
    )
    fault = next((fault for fault in get_model_spec(model).faults if fault.id == "head_only_groups"), None)
    return Finding(
        f"head-only-{model}",
        f"{model}: fine-tuning is a linear head on a frozen model",
        "do_not_use",
        "value",
        f"Fine-tuned minus linear over {len(own)} tasks: median size {_median(own):.4f}, largest "
        f"{np.abs(own).max():.4f}, mean {own.mean():+.4f}, standard deviation {own.std():.4f}; of the other models the "
        f"median is {others[0]:.4f} to {others[-1]:.4f}. Two trainings that differ in the seed alone differ by "
        f"{SEED_SD} (standard deviation). "
        f"{inside} of {len(fine)} linear values lie inside the fine-tuned interval.",
        f"the authors' code selects 0 of 166 encoder tensors for the optimizer (--fault {fault.id} repeats it); an "
        "independent replication reaches 0.947 on ptbxl_all, 0.833 on echonext, 0.803 on mimic_cardiac"
        if fault
        else "",
        keys(fine),
    )


def frozen_ahead(rows: Sequence[Row]) -> list[Finding]:
    """Fine-tuned rows that a frozen mode of the same model beats by more than both intervals."""
    own = by_key(rows)
    found: dict[str, list[tuple[Row, Row]]] = {}
    for row in rows:
        for mode in ("frozen", "linear"):
            other = own.get((row.model, mode, row.task))
            if row.mode == "finetune" and other is not None and clearly_better(other, row):
                found.setdefault(row.model, []).append((row, other))
    findings = []
    for model, pairs in found.items():
        concerned: dict[Key, None] = dict.fromkeys(key(row) for row, _ in pairs)
        listed = "; ".join(
            f"{row.task}: {other.mode} {other.value:.3f} [{other.low:.3f}, {other.high:.3f}], fine-tuned "
            f"{row.value:.3f} [{row.low:.3f}, {row.high:.3f}]"
            for row, other in pairs
        )
        findings.append(
            Finding(
                f"frozen-ahead-{model}",
                f"{model}: frozen is clearly better than fine-tuned on {len(concerned)} "
                f"task{'s' * (len(concerned) > 1)}",
                "note",
                "value",
                f"The intervals do not touch: {listed}. All weights free should do no worse than none; it fits a "
                "fine-tuned column that holds another run.",
                "",
                tuple(concerned),
            )
        )
    return findings


def _median(differences: np.ndarray) -> float:
    return float(np.median(np.abs(differences)))

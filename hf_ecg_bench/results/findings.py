"""What a reader must know before trusting a result: said in words, derived from the files."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from hf_ecg_bench.evaluation import macro_auroc
from hf_ecg_bench.results.estimate import Estimate, number
from hf_ecg_bench.results.metrics import metric_estimates, metric_name, primary_metric
from hf_ecg_bench.results.run_folder import Run
from hf_ecg_bench.results.target_scores import FEW, TargetScore, mapping

WIDE = 0.1  # of AUROC
_POLICIES = {
    "drop": "left out of the macro AUROC",
    "half": "counted as 0.5 in the macro AUROC, as the published benchmark does",
    "nan": "make the macro AUROC undefined",
}


def headline(run: Run) -> str:
    """One sentence: the primary metric with its interval."""
    metric = primary_metric(run.result)
    estimate = metric_estimates(run.result).get(metric, Estimate())
    if not estimate.defined:
        return f"{metric_name(metric)} is undefined on this test set."
    interval = f" (95 % interval {estimate.low:.3f} to {estimate.high:.3f})" if estimate.has_interval else ""
    return f"{metric_name(metric)} {estimate.value:.3f}{interval}"


def setting(run: Run, scores: Sequence[TargetScore]) -> str:
    """What was measured: records, patients, targets, and where the interval comes from."""
    result = run.result
    resampling = mapping(result.metrics.get("resampling"), "metrics.resampling")
    unit = str(resampling.get("unit", "record"))
    text = f"Measured on {_integer(result.metrics.get('n'), 'metrics.n')} test records"
    if run.predictions is not None:
        patients = {patient for patient in run.predictions.patient_id if patient is not None}
        text += f" of {len(patients):,} patients" if patients else " (the source names no patients)"
    labels = sum(score.kind != "regression" for score in scores)
    kinds = [f"{labels} label{'s' * (labels != 1)}"] if labels else []
    if len(scores) > labels:
        kinds.append(f"{len(scores) - labels} regression target{'s' * (len(scores) - labels != 1)}")
    text += f", {' and '.join(kinds)}." if kinds else "."
    if resampling.get("n_resamples"):
        count = _integer(resampling["n_resamples"], "metrics.resampling.n_resamples")
        text += (
            f" The interval comes from {count} resamples of {unit}s (seed {resampling.get('seed', '?')}): "
            f"how much the number would move with other test {unit}s."
        )
    return text


def cautions(run: Run, scores: Sequence[TargetScore]) -> list[str]:
    """What to distrust, most serious first, then the run's own warnings; what both say is said once."""
    result = run.result
    resampling = mapping(result.metrics.get("resampling"), "metrics.resampling")
    found = []
    if result.status != "complete":
        found.append(f"The run's status is '{result.status}', not 'complete'.")
    found += _mismatch(run, resampling.get("undefined", "drop"))
    labels = [score for score in scores if score.kind != "regression"]
    warnings = [str(item) for item in result.warnings]
    undefined = [score.name for score in labels if not score.estimate.defined]
    if undefined and not _said(undefined, warnings):
        policy = _POLICIES.get(str(resampling.get("undefined")), "have no AUROC")
        found.append(
            f"{_count(undefined, 'label')} without positives or without negatives in the test set: "
            f"{listed(undefined)}. Such labels are {policy}."
        )
    few = [score.name for score in labels if score.few]
    if few and not _said(few, warnings):
        found.append(
            f"{_count(few, 'label')} with fewer than {FEW} positives or negatives: {listed(few)}. "
            "Single records decide their AUROC, and their intervals are too narrow."
        )
    fragile = [score.name for score in labels if score.estimate.defined and score.undefined_fraction > 0.01]
    if fragile:
        found.append(
            f"{_count(fragile, 'label')} without positives or negatives in more than 1 % of the resamples, "
            f"so that the intervals come from the other resamples: {listed(fragile)}."
        )
    macro = metric_estimates(result).get("macro_auroc", Estimate())
    if macro.has_interval and macro.width > WIDE:
        found.append(f"The interval of the macro AUROC is {macro.width:.2f} wide: too few test records for a ranking.")
    if resampling.get("unit") == "record":
        found.append("Records were resampled one by one: if patients have several, the intervals are too narrow.")
    return list(dict.fromkeys([*found, *(_sentence(warning) for warning in warnings)]))


def listed(names: Sequence[str], limit: int = 8) -> str:
    """`A, B, C and 4 more`."""
    text = ", ".join(names[:limit])
    return f"{text} and {len(names) - limit} more" if len(names) > limit else text


def _mismatch(run: Run, policy: Any) -> list[str]:
    """Predictions that do not give the stored macro AUROC belong to another run."""
    stored = metric_estimates(run.result).get("macro_auroc", Estimate())
    predictions = run.predictions
    if predictions is None or not stored.defined or policy not in _POLICIES:
        return []
    binary = np.array([kind == "binary" for kind in predictions.kinds])
    value = math.nan
    if binary.any():
        value = macro_auroc(predictions.targets[:, binary], predictions.predictions[:, binary], undefined=policy)
    if abs(value - stored.value) <= 1e-6:
        return []
    return [
        f"predictions.parquet gives a macro AUROC of {value:.6f}, result.json says {stored.value:.6f}: "
        "the two files do not belong together."
    ]


def _said(names: Sequence[str], warnings: Sequence[str]) -> bool:
    """Whether a warning of the run ends with the same list of labels."""
    return any(warning.rstrip(". ").endswith(": " + listed(names)) for warning in warnings)


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")


def _count(names: Sequence[str], noun: str) -> str:
    return f"{len(names)} {noun}{'s' * (len(names) != 1)}"


def _integer(raw: object, where: str) -> str:
    value = number(raw, where)
    return f"{int(value):,}" if math.isfinite(value) else "an unknown number of"

"""Resampled learning curves: other test patients, the same for all runs of a task, and other seeds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from hf_ecg_bench.errors import EcgBenchError, PredictionsError
from hf_ecg_bench.evaluation.arrays import binary_columns
from hf_ecg_bench.evaluation.estimates import estimate
from hf_ecg_bench.evaluation.intervals import percentile_interval
from hf_ecg_bench.evaluation.resampling import Resamples, draw_resamples
from hf_ecg_bench.evaluation.summary import CONFIDENCE
from hf_ecg_bench.evaluation.undefined import Undefined, macro_mean
from hf_ecg_bench.progress import progress
from hf_ecg_bench.results.estimate import Estimate
from hf_ecg_bench.results.metrics import higher_is_better
from hf_ecg_bench.results.predictions import Predictions, align, read_predictions
from hf_ecg_bench.results.slices import select_targets
from hf_ecg_bench.results.target_units import stored_scales
from hf_ecg_bench.scaling.curve import Curve
from hf_ecg_bench.scaling.law import Floats
from hf_ecg_bench.scaling.reading import CurveRuns, ScoredRun, training_records

_METRICS = ("macro_auroc", "macro_mae", "pooled_mae", "composite")
_CLOSE = 1e-4  # how far the predictions' score may be from the stored one: files keep float32


def resampled_errors(curve: Curve, n: int, seed: Sequence[int]) -> Floats:
    """(n, sizes) errors of the curve with other test patients and other seeds.

    The sampling part is the mean over a size's runs of their errors on the resampled patients; without predictions it
    is normal, and independent from size to size. The seed part is a mean of as many of the size's own deviations, drawn
    with replacement, widened by sqrt(s / (s - 1)) for s seeds (a mean of s deviations from their own mean varies too
    little; Rao & Wu 1988) and by a common chi factor per resample for the few runs that the SD rests on (as Student's t
    widens a normal). Seeds of different sizes are taken as independent. A size with one run borrows the SD of the
    others; where all have one, the seed part is missing.

    Args:
        n: resamples, as many as `curve.samples` has.
        seed: of the draws of seeds (and of the normal sampling errors).
    """
    rng = np.random.default_rng([*seed])
    if curve.samples is None:
        result = curve.errors + curve.sampling_sd * rng.standard_normal((n, len(curve.runs)))
    else:
        result = np.column_stack([values.mean(axis=0) for values in curve.samples])
    freedom = curve.seed_freedom
    if not freedom:
        return result
    widening = np.sqrt(freedom / rng.chisquare(freedom, n))
    for size, values in enumerate(curve.runs):
        s = len(values)
        if s > 1:
            drawn = (values - values.mean())[rng.integers(0, s, (n, s))].mean(axis=1)
            deviation = drawn * np.sqrt(s / (s - 1))
        else:
            deviation = np.sqrt(curve.seed_variance[size]) * rng.standard_normal(n)
        result[:, size] += widening * deviation
    return result


def with_samples(curves: Sequence[CurveRuns], metric: str, n: int, seed: int) -> list[CurveRuns]:
    """The curves with their runs' errors on the same `n` resamples of the test patients, from the stored predictions.

    Regression targets are stored in standard deviations of each run's own training records. Here all runs are brought
    to those of the run with most records, because a subset's deviation is not the whole's.

    Raises:
        EcgBenchError: predictions are missing, of other test records, or of another score than the stored one; or a
            metric that is not resampled here.
    """
    if metric not in _METRICS:
        raise EcgBenchError(f"{metric} is not resampled for curves, {', '.join(_METRICS)} are")
    runs = [run for curve in curves for size in curve.sizes for run in size]
    largest = max(runs, key=lambda run: training_records([run]))
    first = _predictions(largest, largest, metric)
    known = any(patient is not None for patient in first.patient_id)
    resamples = draw_resamples(len(first), n_resamples=n, seed=seed, groups=first.patient_id if known else None)
    found: dict[int, ScoredRun] = {}
    for run in progress(runs, desc="resampling", unit="run"):
        own = align(first, _predictions(run, largest, metric))
        found[id(run)] = _scored(run, own, metric, resamples)
    return [
        replace(curve, sizes=tuple(tuple(found[id(run)] for run in size) for size in curve.sizes)) for curve in curves
    ]


def _predictions(run: ScoredRun, largest: ScoredRun, metric: str) -> Predictions:
    """A run's predictions of what the metric is about, in the units of the largest run."""
    own = read_predictions(run.folder)
    if run.result.trained_as is not None:
        own = select_targets(own, tuple(run.result.metrics["targets"]), run.result.task)
    if metric == "macro_auroc":
        yes_no = tuple(name for name, kind in zip(own.names, own.kinds, strict=True) if kind == "binary")
        return select_targets(own, yes_no, run.result.task)
    mean, std = stored_scales(run.result, own.names)
    target_mean, target_std = stored_scales(largest.result, own.names)
    scale, shift = std / target_std, (mean - target_mean) / target_std
    return replace(own, targets=own.targets * scale + shift, predictions=own.predictions * scale + shift)


def _scored(run: ScoredRun, own: Predictions, metric: str, resamples: Resamples) -> ScoredRun:
    stored = run.result.metrics.get("resampling")
    undefined: Undefined = "half" if isinstance(stored, dict) and stored.get("undefined") == "half" else "drop"
    value, samples = _resampled_metric(own, metric, resamples, undefined)
    if higher_is_better(metric):
        value, samples = 1 - value, 1 - samples
    if metric == "macro_auroc" and not abs(value - run.error.value) <= _CLOSE:
        raise PredictionsError(f"{run.folder}: predictions score {1 - value:.4f}, which is not what result.json says")
    low, high = percentile_interval(samples, CONFIDENCE)
    return replace(run, error=Estimate(value, float(low), float(high)), samples=samples)


def _resampled_metric(
    own: Predictions, metric: str, resamples: Resamples, undefined: Undefined
) -> tuple[float, Floats]:
    binary = binary_columns(own.kinds)
    if metric == "macro_auroc":
        block = estimate("auroc", own.targets[:, binary], own.predictions[:, binary], resamples, undefined)
        return block.value, block.samples
    numbers = estimate("pooled_mae", own.targets[:, ~binary], own.predictions[:, ~binary], resamples)
    if metric == "pooled_mae":
        return numbers.value, numbers.samples
    if metric == "macro_mae":
        return float(macro_mean(numbers.target_value)), macro_mean(numbers.target_samples)
    area, areas = _resampled_metric(own, "macro_auroc", resamples, undefined)
    return 1 - area + numbers.value, 1 - areas + numbers.samples

"""Resampled learning curves: other test patients, the same for all runs of a task, and other seeds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hf_ecg_bench.errors import EcgBenchError, PredictionsError
from hf_ecg_bench.evaluation.arrays import binary_columns
from hf_ecg_bench.evaluation.estimates import estimate
from hf_ecg_bench.evaluation.resampling import Resamples, draw_resamples
from hf_ecg_bench.evaluation.undefined import Undefined, macro_mean
from hf_ecg_bench.progress import progress
from hf_ecg_bench.results.metrics import higher_is_better
from hf_ecg_bench.results.predictions import Predictions, align, read_predictions
from hf_ecg_bench.results.slices import select_targets
from hf_ecg_bench.scaling.curve import Curve
from hf_ecg_bench.scaling.law import Floats
from hf_ecg_bench.scaling.reading import CurveRuns, ScoredRun

_METRICS = ("macro_auroc", "macro_mae", "pooled_mae", "composite")
_CLOSE = 1e-4  # how far the predictions' score may be from the stored one: files keep float32


def resampled_errors(curve: Curve, sampled: Sequence[Floats] | None, n: int, seed: Sequence[int]) -> Floats:
    """(n, sizes) errors of the curve with other test patients and other seeds.

    The sampling part is the mean over a size's runs of their errors on the resampled patients; without predictions it
    is normal, and independent from size to size. The seed part is a mean of as many of the size's own deviations, drawn
    with replacement, widened by sqrt(s / (s - 1)) for s seeds (a mean of s deviations from their own mean varies too
    little; Rao & Wu 1988) and by a common chi factor per resample for the few runs that the SD rests on (as Student's t
    widens a normal). Seeds of different sizes are taken as independent. A size with one run borrows the SD of the
    others; where all have one, the seed part is missing.

    Args:
        sampled: per size (seeds, n), the errors of its runs on the resampled patients; None: not known.
        seed: of the draws of seeds (and of the normal sampling errors).
    """
    rng = np.random.default_rng([*seed])
    if sampled is None:
        result = curve.errors + curve.sampling_sd * rng.standard_normal((n, len(curve.runs)))
    else:
        result = np.column_stack([values.mean(axis=0) for values in sampled])
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


def paired_errors(curves: Sequence[CurveRuns], metric: str, n: int, seed: int) -> list[list[Floats]]:
    """Per curve and size (seeds, n): the runs' errors on the same resampled test patients.

    Raises:
        EcgBenchError: predictions are missing, of other test records, or of another score than the stored one; or a
            metric that is not resampled here.
    """
    if metric not in _METRICS:
        raise EcgBenchError(f"{metric} is not resampled for curves, {', '.join(_METRICS)} are")
    first: Predictions | None = None
    resamples: Resamples | None = None
    found: dict[int, Floats] = {}
    runs = [run for curve in curves for size in curve.sizes for run in size]
    for run in progress(runs, desc="resampling", unit="run"):
        own = _predictions(run)
        if first is None or resamples is None:
            first = own
            known = any(patient is not None for patient in own.patient_id)
            groups = own.patient_id if known else None
            resamples = draw_resamples(len(own), n_resamples=n, seed=seed, groups=groups)
        found[id(run)] = _run_errors(run, align(first, own), metric, resamples)
    return [[np.array([found[id(run)] for run in size]) for size in curve.sizes] for curve in curves]


def _predictions(run: ScoredRun) -> Predictions:
    own = read_predictions(run.folder)
    if run.result.trained_as is None:
        return own
    return select_targets(own, tuple(run.result.metrics["targets"]), run.result.task)


def _run_errors(run: ScoredRun, own: Predictions, metric: str, resamples: Resamples) -> Floats:
    stored = run.result.metrics.get("resampling")
    undefined: Undefined = "half" if isinstance(stored, dict) and stored.get("undefined") == "half" else "drop"
    value, samples = _resampled_metric(own, metric, resamples, undefined)
    sign, base = (-1, 1.0) if higher_is_better(metric) else (1, 0.0)
    if not abs(base + sign * value - run.error.value) <= _CLOSE:
        raise PredictionsError(f"{run.folder}: predictions score {value:.4f}, which is not what result.json says")
    return np.asarray(base + sign * samples)


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

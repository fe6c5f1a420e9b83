"""Learning curves of all runs below some folders: laws, intervals, and answers, as JSON values."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from hf_ecg_bench.errors import EcgBenchError
from hf_ecg_bench.evaluation.summary import CONFIDENCE
from hf_ecg_bench.saying import Say, silent
from hf_ecg_bench.scaling.answers import REACH, FittedCurve, answer, percentile_ends
from hf_ecg_bench.scaling.curve import Curve, curve_of, sampling_interval
from hf_ecg_bench.scaling.fit import ALPHA_MAX, ALPHA_MIN, FEWEST_FOR_OFFSET, FEWEST_SIZES, fit_power_law
from hf_ecg_bench.scaling.law import Floats, PowerLaw
from hf_ecg_bench.scaling.reading import CurveRuns, group_runs, read_results
from hf_ecg_bench.scaling.resampling import resampled_errors, with_samples

SCHEMA_VERSION = 1
_DRAWN = 60  # points of a drawn curve
_FURTHER = 4  # a curve is drawn up to so many times its largest number of records
_AT_BOUND = 1e-6


def analyse(
    folders: Sequence[Path],
    metric: str | None = None,
    *,
    n_resamples: int = 1000,
    seed: int = 0,
    say: Say = silent,
) -> dict[str, Any]:
    """Curves and answers of every task that has runs at or below `folders`.

    Args:
        metric: what is fitted; None takes each task's primary metric. Scores where higher is better enter as 1 - score.
        n_resamples: of test patients and seeds.
        say: receives what was left out and why.

    Returns:
        {schema_version, confidence, n_resamples, seed, reach, notes,
         tasks: {task: {metric, error, resampling: {kind, reason}, curves: [...], answers: [...]}}};
        a curve: {label, model, mode, points, law or null, drawn, notes}; answers as `answers.answer` gives them, for
        every ordered pair of curves and every size of the other.

    Raises:
        EcgBenchError: nothing to read, no such metric, less than one resample, or none in which all runs have a value.
    """
    if n_resamples < 1 or seed < 0:
        raise EcgBenchError(f"--n-resamples {n_resamples}, --seed {seed}: expected at least 1 and 0 or more")
    results, notes = read_results(folders)
    grouped, left_out = group_runs(results, metric)
    tasks = {}
    for task, (chosen, curves) in grouped.items():
        tasks[task] = _analyse_task(curves, chosen, n_resamples, seed)
    for note in (notes := notes + left_out):
        say(note)
    return {
        "schema_version": SCHEMA_VERSION,
        "confidence": CONFIDENCE,
        "n_resamples": n_resamples,
        "seed": seed,
        "reach": REACH,
        "notes": notes,
        "tasks": tasks,
    }


def fit_curve(label: str, curve: Curve, resampled: Floats) -> FittedCurve:
    """The law of the points and one law per resample; without offset below 4 sizes, none below 3."""
    sizes = len(np.unique(curve.records))
    law = laws = None
    if sizes >= FEWEST_SIZES:
        offset = sizes >= FEWEST_FOR_OFFSET
        law = fit_power_law(curve.records, curve.errors, curve.variances, offset=offset)
        laws = fit_power_law(curve.records, resampled, curve.variances, offset=offset)
    return FittedCurve(label, curve.records, curve.errors, resampled, law, laws)


def _analyse_task(curves: list[CurveRuns], metric: str, n_resamples: int, seed: int) -> dict[str, Any]:
    reason = None
    try:
        curves = with_samples(curves, metric, n_resamples, seed)
    except EcgBenchError as error:
        reason = error.message
    fitted = []
    for number, runs in enumerate(curves):
        curve = curve_of(runs)
        fitted.append((runs, curve, resampled_errors(curve, n_resamples, (seed, number))))
    # A resample in which the metric is undefined for one run says nothing, and is left out for all.
    defined = np.logical_and.reduce([np.isfinite(resampled).all(axis=1) for _, _, resampled in fitted])
    if not defined.any():
        raise EcgBenchError(
            f"{metric}: in none of {n_resamples} resamples every run has a value",
            fix="more --n-resamples, or leave out runs with few test records",
        )
    laws = [fit_curve(runs.label, curve, resampled[defined]) for runs, curve, resampled in fitted]
    described = [_describe(runs, curve, law) for (runs, curve, _), law in zip(fitted, laws, strict=True)]
    return {
        "metric": metric,
        "error": "value" if metric.endswith(("mae", "composite")) else "1 - value",
        "resampling": {
            "kind": "normal errors of test sets" if reason else "test patients, paired over all runs",
            "reason": reason,
            "resamples": int(defined.sum()),
        },
        "curves": described,
        "answers": [
            answer(model, other, size)
            for model in laws
            if model.law is not None
            for other in laws
            if other is not model
            for size in range(len(other.records))
        ],
    }


def _describe(runs: CurveRuns, curve: Curve, fitted: FittedCurve) -> dict[str, Any]:
    points = []
    for size, values in enumerate(curve.runs):
        low, high = sampling_interval(runs, size)
        first = runs.sizes[size][0].result
        points.append(
            {
                "fraction": first.fraction,
                "limit": first.hyperparameters.get("limit") or 0,
                "records": float(curve.records[size]),
                "seeds": [run.result.seed for run in runs.sizes[size]],
                "runs": values.tolist(),
                "error": {"value": float(values.mean()), "low": low, "high": high},
                "seed_sd": float(curve.seed_sd[size]),
                "sampling_se": float(curve.sampling_sd[size]),
            }
        )
    return {
        "label": runs.label,
        "model": runs.model,
        "mode": runs.mode,
        "points": points,
        "law": _law(curve, fitted),
        "drawn": _drawn(fitted),
        "notes": _notes(curve, fitted),
    }


def _law(curve: Curve, fitted: FittedCurve) -> dict[str, Any] | None:
    law, laws = fitted.law, fitted.laws
    if law is None or laws is None:
        return None
    values: dict[str, Any] = {}
    for name in ("scale", "alpha", "offset"):
        low, high = percentile_ends(getattr(laws, name))
        values[name] = {"value": float(getattr(law, name)), "low": low, "high": high}
    residual = law.error(curve.records) - curve.errors
    return {
        **values,
        "has_offset": len(np.unique(curve.records)) >= FEWEST_FOR_OFFSET,
        "rms_residual": float(np.sqrt((residual**2).mean())),
        "flat_share": float((laws.scale <= 0).mean()),
    }


def _drawn(fitted: FittedCurve) -> list[dict[str, Any]]:
    """The law between the smallest and a few times the largest size, with its pointwise interval."""
    law, laws = fitted.law, fitted.laws
    if law is None or laws is None:
        return []
    most = float(fitted.records.max())
    sizes = np.geomspace(fitted.records.min(), _FURTHER * most, _DRAWN)
    sizes = np.sort(np.append(sizes, most))
    value, samples = law.error(sizes), laws.error(sizes)
    ends = [percentile_ends(samples[:, column]) for column in range(len(sizes))]
    return [
        {"records": float(n), "value": float(v), "low": low, "high": high, "extrapolated": bool(n > most)}
        for n, v, (low, high) in zip(sizes, value, ends, strict=True)
    ]


def _notes(curve: Curve, fitted: FittedCurve) -> list[str]:
    sizes = len(np.unique(curve.records))
    notes = []
    if fitted.law is None:
        notes.append(f"too few different numbers of records ({sizes}): no law is fitted to fewer than {FEWEST_SIZES}")
    elif sizes < FEWEST_FOR_OFFSET:
        notes.append(
            f"few different numbers of records ({sizes}): the offset needs {FEWEST_FOR_OFFSET} and is taken as 0"
        )
    if not curve.seed_freedom:
        notes.append("one run per size: intervals do not cover the luck of subset, initialisation and order")
    return notes + ([] if fitted.law is None else _bounds(fitted.law))


def _bounds(law: PowerLaw) -> list[str]:
    alpha = float(law.alpha)
    if math.isnan(alpha):
        return ["the error does not fall with more records: there is no exponent"]
    notes = []
    if alpha <= ALPHA_MIN + _AT_BOUND or alpha >= ALPHA_MAX - _AT_BOUND:
        notes.append(f"the exponent is at the edge of what is tried ({ALPHA_MIN:g} to {ALPHA_MAX:g})")
    return notes

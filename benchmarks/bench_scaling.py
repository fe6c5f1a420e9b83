"""Learning-curve fits on simulated points whose law is known: what is recovered, how often intervals hold, how fast.

    python benchmarks/bench_scaling.py [--json] [--simulations N]

Points of a curve share the error of the one test set (a common shift), each size has its own sampling error, each run
its own luck. Resampled test patients have the same covariance, as a bootstrap of real predictions would. Everything is
fitted and resampled by the functions that `hf-ecg-bench scaling` uses. One thread: OMP_NUM_THREADS=1.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from hf_ecg_bench.scaling.analysis import fit_curve
from hf_ecg_bench.scaling.answers import FittedCurve, answer, percentile_ends
from hf_ecg_bench.scaling.curve import Curve
from hf_ecg_bench.scaling.law import PowerLaw
from hf_ecg_bench.scaling.resampling import resampled_errors

RECORDS = 17_418 / 2.0 ** np.arange(7, -1, -1)


@dataclass(frozen=True)
class Noise:
    """Standard deviations: of the test set's common shift, of each size's own sampling error, of one run."""

    shared: float = 0.004
    own: float = 0.002
    run: float = 0.003


def law_of(scale: float, alpha: float, offset: float) -> PowerLaw:
    """A known law."""
    return PowerLaw(np.array(scale), np.array(alpha), np.array(offset))


def simulate(
    laws: tuple[PowerLaw, ...],
    rng: np.random.Generator,
    *,
    seeds: int = 3,
    resamples: int = 300,
    noise: Noise = Noise(),
    records: np.ndarray = RECORDS,
) -> list[Curve]:
    """One curve per law, all tested on one simulated test set."""
    shift, shifts = noise.shared * rng.normal(), noise.shared * rng.normal(size=resamples)
    curves = []
    for law in laws:
        own = noise.own * rng.normal(size=len(records))
        runs = law.error(records) + shift + own + noise.run * rng.normal(size=(seeds, len(records)))
        moved = shifts + noise.own * rng.normal(size=(len(records), resamples))
        sampling = np.full(len(records), np.hypot(noise.shared, noise.own))
        samples = tuple(runs[:, [size]] + moved[size] for size in range(len(records)))
        curves.append(Curve(records, tuple(runs.T), sampling, samples))
    return curves


def fit_simulated(curves: list[Curve], resamples: int, seed: int) -> list[FittedCurve]:
    """As `scaling` fits them."""
    return [
        fit_curve(f"model {number}", curve, resampled_errors(curve, resamples, (seed, number)))
        for number, curve in enumerate(curves)
    ]


def coverage(
    law: PowerLaw, other: PowerLaw, simulations: int, *, seeds: int = 3, resamples: int = 300, seed: int = 0
) -> dict[str, float]:
    """How often the 95 % intervals of `law` hold the truth: C, alpha, L0, the curve, and N* against `other`."""
    rng = np.random.default_rng(seed)
    truth = {name: float(getattr(law, name)) for name in ("scale", "alpha", "offset")}
    needed = float(law.records_for(other.error(RECORDS[-1:])[0]))
    hits = dict.fromkeys([*truth, "curve at all records", "curve at 4 times all", "N* to match the other"], 0)
    for number in range(simulations):
        model, matched = fit_simulated(simulate((law, other), rng, seeds=seeds, resamples=resamples), resamples, number)
        assert model.laws is not None
        for name, value in truth.items():
            low, high = percentile_ends(getattr(model.laws, name))
            hits[name] += low <= value <= high
        for name, records in (("curve at all records", RECORDS[-1:]), ("curve at 4 times all", 4 * RECORDS[-1:])):
            low, high = percentile_ends(model.laws.error(records)[:, 0])
            hits[name] += low <= float(law.error(records)[0]) <= high
        ends = answer(model, matched, len(RECORDS) - 1)["records"]
        high = ends["high"] if np.isfinite(ends["high"]) else np.inf
        hits["N* to match the other"] += np.isfinite(ends["low"]) and ends["low"] <= needed <= high
    return {name: float(number / simulations) for name, number in hits.items()}


def report(simulations: int, resamples: int = 1000) -> dict[str, Any]:
    """One fit of each of two laws with intervals, coverage over many simulations, and times."""
    laws = (law_of(1.0, 0.30, 0.05), law_of(1.6, 0.30, 0.06))
    curves = simulate(laws, np.random.default_rng(1), resamples=resamples)
    start = time.perf_counter()
    fitted = fit_simulated(curves, resamples, 0)
    seconds = (time.perf_counter() - start) / len(laws)
    found: dict[str, Any] = {"records": RECORDS.tolist(), "resamples": resamples, "seconds_per_curve": seconds}
    for number, (law, fit) in enumerate(zip(laws, fitted, strict=True)):
        for name in ("scale", "alpha", "offset"):
            low, high = percentile_ends(getattr(fit.laws, name))
            found[f"law {number}, {name}"] = {
                "true": float(getattr(law, name)), "fitted": float(getattr(fit.law, name)), "low": low, "high": high,
            }  # fmt: skip
    told = answer(fitted[0], fitted[1], len(RECORDS) - 1)
    true = float(laws[0].records_for(laws[1].error(RECORDS[-1:])[0]))
    ends = told["records"]
    found["N* of law 0 to match law 1 with all"] = {
        "true": true, "fitted": ends["value"], "low": ends["low"], "high": ends["high"],
    }  # fmt: skip
    start = time.perf_counter()
    for seeds in (2, 3):
        found[f"coverage of 95 % intervals, {seeds} seeds"] = coverage(*laws, simulations, seeds=seeds)
    found["simulations"] = simulations
    found["seconds_of_simulations"] = time.perf_counter() - start
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--simulations", type=int, default=200)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    result = report(arguments.simulations)
    if arguments.json:
        print(json.dumps(result, indent=2))
        return
    for name, value in result.items():
        if isinstance(value, dict) and "true" in value:
            line = (
                f"true {value['true']:10.4g}   fitted {value['fitted']:10.4g} [{value['low']:.4g}, {value['high']:.4g}]"
            )
        elif isinstance(value, dict):
            line = ", ".join(f"{key} {share:.3f}" for key, share in value.items())
        else:
            line = str(value)
        print(f"{name:<36} {line}")


if __name__ == "__main__":
    main()

"""One run per fraction of the training records and seed, each in a folder of its own, each an ordinary run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from hf_ecg_bench.errors import EcgBenchError, TrainingError, UnknownNameError, first_line
from hf_ecg_bench.results.metrics import metric_estimates, primary_metric
from hf_ecg_bench.results.schema import Result
from hf_ecg_bench.saying import Say
from hf_ecg_bench.training.run import run
from hf_ecg_bench.training.spec import RunSpec
from hf_ecg_bench.training.surviving.processes import world_size
from hf_ecg_bench.training.surviving.state import RUN_FILE


@dataclass(frozen=True)
class SweepRun:
    """One run of a sweep: its result, or why there is none."""

    spec: RunSpec
    result: Result | None = None
    error: Exception | None = None


def sweep_specs(spec: RunSpec, fractions: Sequence[float], seeds: Sequence[int]) -> list[RunSpec]:
    """`spec` with every fraction and seed, in `fraction-0.5/seed-1` below its output folder, the smallest first.

    The smallest first: a mistake shows after minutes, and a process's peak memory grows with its runs.

    Raises:
        UnknownNameError, TrainingError: a hyperparameter, fraction or seed that cannot be; a value given twice; the
            folder holds a single run.
    """
    for flag, values in (("--fraction", fractions), ("--seed", seeds)):
        if len(set(values)) != len(values):
            raise TrainingError(f"{flag} {', '.join(f'{value:g}' for value in values)}: a value stands twice")
    if (spec.output_dir / RUN_FILE).exists():
        raise TrainingError(
            f"{spec.output_dir} holds a single run; several fractions or seeds get folders below --output-dir",
            fix="choose another --output-dir",
        )
    spec.hyperparameters()
    return [
        replace(
            spec,
            fraction=fraction,
            seed=seed,
            output_dir=spec.output_dir / f"fraction-{fraction:.12g}" / f"seed-{seed}",
        )
        for fraction in sorted(fractions)
        for seed in seeds
    ]


def sweep(specs: Sequence[RunSpec], say: Say, *, command: str | None = None) -> list[SweepRun]:
    """Run each; one that fails is said and left, the others go on. Finished ones are not repeated.

    Over several processes a failure ends the sweep, because only one of them may know of it.

    Raises:
        UnknownNameError: a wrong name, which all runs share.
        Exception: of the first run, where every one failed.
    """
    runs: list[SweepRun] = []
    for number, spec in enumerate(specs, start=1):
        say(f"run {number} of {len(specs)}: fraction {spec.fraction:g}, seed {spec.seed}")
        try:
            runs.append(SweepRun(spec, run(spec, say, command=command)))
        except UnknownNameError:
            raise
        except (EcgBenchError, RuntimeError, OSError, MemoryError) as error:  # torch's errors are RuntimeErrors
            if world_size() > 1:
                raise
            say(f"failed, fraction {spec.fraction:g}, seed {spec.seed}: {first_line(error)}")
            runs.append(SweepRun(spec, error=error))
    failed = [item.error for item in runs if item.error is not None]
    if len(failed) == len(runs):
        raise failed[0]
    return runs


def summarise_sweep(runs: Sequence[SweepRun]) -> dict[str, Any]:
    """The finished runs and one row per fraction, as JSON values.

    Returns:
        {metric, runs: [{fraction, seed, folder, records, value, low, high} or {..., error}],
        summary: [{fraction, records, runs, mean, seed_sd, low, high}]}: the seeds' SD (NaN for one run) says how
        lucky a training is, `low` and `high` (mean ends of the runs' intervals) how lucky the test set is; they are not
        pooled.
    """
    done = [(item, item.result) for item in runs if item.result is not None]
    metric = primary_metric(done[0][1])
    rows: list[dict[str, Any]] = []
    for item in runs:
        row = {"fraction": item.spec.fraction, "seed": item.spec.seed, "folder": item.spec.output_dir}
        if item.result is None:
            rows.append({**row, "error": str(item.error)})
            continue
        estimate = metric_estimates(item.result)[metric]
        records = item.result.dataset["records"]["train"]
        rows.append({**row, "records": records, "value": estimate.value, "low": estimate.low, "high": estimate.high})
    summary = []
    for fraction in sorted({item.spec.fraction for item, _ in done}):
        own = [row for row in rows if row["fraction"] == fraction and "error" not in row]
        mean = {key: float(np.mean([row[key] for row in own])) for key in ("records", "value", "low", "high")}
        spread = float(np.std([row["value"] for row in own], ddof=1)) if len(own) > 1 else float("nan")
        summary.append(
            {
                "fraction": fraction,
                "records": mean["records"],
                "runs": len(own),
                "mean": mean["value"],
                "seed_sd": spread,
                "low": mean["low"],
                "high": mean["high"],
            }
        )
    return {"metric": metric, "runs": rows, "summary": summary}

"""`run` with several fractions or seeds: what is typed, and the table at the end."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from hf_ecg_bench.cli.printing import print_json, print_table
from hf_ecg_bench.errors import EcgBenchError, TrainingError
from hf_ecg_bench.saying import to_stderr

if TYPE_CHECKING:
    from hf_ecg_bench.training.spec import RunSpec


def fractions(text: str) -> list[float]:
    """`1,1/2,0.25` as numbers."""
    found = []
    for part in text.split(","):
        above, slash, below = part.partition("/")
        try:
            found.append(float(above) / float(below) if slash else float(above))
        except (ValueError, ZeroDivisionError) as error:
            raise TrainingError(
                f"--fraction {text!r}: {part.strip()!r} is no number, expected 0.5 or 1/2, or several as 1,1/2,1/4"
            ) from error
    return found


def seeds(text: str) -> list[int]:
    """`0,1,2` as numbers."""
    try:
        return [int(part) for part in text.split(",")]
    except ValueError as error:
        raise TrainingError(f"--seed {text!r}: expected a whole number, or several as 0,1,2") from error


def run_sweep(spec: RunSpec, shares: list[float], numbers: list[int], *, command: str, as_json: bool) -> int:
    """Run all combinations and print their summary; returns the exit code: 2 or 1 where a run failed."""
    from hf_ecg_bench.training.surviving.processes import is_main, leave
    from hf_ecg_bench.training.sweep import summarise_sweep, sweep, sweep_specs

    runs = sweep(sweep_specs(spec, shares, numbers), to_stderr, command=command)
    leave()
    failed = [item.error for item in runs if item.error is not None]
    if is_main():
        told = summarise_sweep(runs)
        if as_json:
            print_json(told)
        else:
            _print_summary(told)
        for item in runs:
            if item.error is not None:
                print(f"error: fraction {item.spec.fraction:g}, seed {item.spec.seed}: {item.error}", file=sys.stderr)
        print(
            f"results: {spec.output_dir}\ncurve: hf-ecg-bench scaling {spec.output_dir} --output-dir DIR",
            file=sys.stderr,
        )
    if not failed:
        return 0
    return 2 if all(isinstance(error, EcgBenchError) for error in failed) else 1


def _print_summary(told: dict[str, Any]) -> None:
    rows = []
    for row in told["summary"]:
        spread = f"{row['seed_sd']:.4f}" if row["seed_sd"] == row["seed_sd"] else "-"
        ends = f"{row['low']:.4f} to {row['high']:.4f}" if row["low"] == row["low"] else "-"
        share, mean = f"{row['fraction']:.4g}", f"{row['mean']:.4f}"
        rows.append([share, f"{row['records']:.0f}", row["runs"], mean, spread, ends])
    print_table(["fraction", "records", "runs", f"mean {told['metric']}", "SD over seeds", "sampling 95 %"], rows)

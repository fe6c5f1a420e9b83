"""`run` and `demo`: the main job."""

from __future__ import annotations

import argparse
import shlex
import sys
from pathlib import Path
from typing import Any

from hf_ecg_bench.cli.arguments import example
from hf_ecg_bench.cli.run_options import add_run_options, run_spec


def register(verbs: Any) -> None:
    """Add the verbs to the parser."""
    run = verbs.add_parser(
        "run",
        help="train, select, test and score one model on one task",
        **example(
            "hf-ecg-bench run --model s4 --task ptbxl_super --mode scratch --output-dir runs/s4",
            "hf-ecg-bench run --model ecg-bench/ecg-founder --task ptbxl_super --data ecg-bench/ptbxl "
            "--mode linear --output-dir runs/founder",
            "accelerate launch -m hf_ecg_bench run ...   (several processes)",
        ),
    )
    add_run_options(run)
    run.set_defaults(handler=_run)

    demo = verbs.add_parser(
        "demo",
        help="the main job on the embedded data, then the report",
        **example("hf-ecg-bench demo", "hf-ecg-bench demo --output-dir first-look"),
    )
    demo.add_argument("--output-dir", type=Path, default=Path("demo"), help="default: ./demo")
    demo.set_defaults(handler=_demo)


def _run(arguments: argparse.Namespace) -> int:
    from hf_ecg_bench.cli import sweeping
    from hf_ecg_bench.cli.results import print_score
    from hf_ecg_bench.training.run import run
    from hf_ecg_bench.training.surviving.processes import is_main, leave

    fractions, seeds = sweeping.fractions(arguments.fraction), sweeping.seeds(arguments.seed)
    command = shlex.join(["hf-ecg-bench", *sys.argv[1:]])
    spec = run_spec(arguments, fractions[0], seeds[0])
    if len(fractions) * len(seeds) > 1:
        return sweeping.run_sweep(spec, fractions, seeds, command=command, as_json=arguments.json)
    result = run(spec, command=command)
    leave()
    if not is_main():  # one process of a launch speaks for all
        return 0
    print_score(result.metrics, as_json=arguments.json)
    fitted = ", ".join(
        f"{name} {value:.4f}" for name, value in result.selection["training"].items() if name != "records"
    )
    step = "strength" if "strength" in result.selection else "epoch"
    best = result.selection.get("strength", result.selection["best_epoch"])
    print(
        f"best {step}: {'none' if best is None else f'{best:g}'}; on its own training records: {fitted}",
        file=sys.stderr,
    )
    for warning in result.warnings:
        print(f"note: {warning}", file=sys.stderr)
    print(f"result: {arguments.output_dir}\nreport: hf-ecg-bench report {arguments.output_dir}", file=sys.stderr)
    return 0


def _demo(arguments: argparse.Namespace) -> None:
    from hf_ecg_bench.cli.demo import demo

    print(f"report: {demo(arguments.output_dir)}")

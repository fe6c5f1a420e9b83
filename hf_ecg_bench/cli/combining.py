"""`ensemble`: averages of finished runs' predictions."""

from __future__ import annotations

import argparse
import shlex
import sys
from pathlib import Path
from typing import Any

from hf_ecg_bench.cli.arguments import example
from hf_ecg_bench.cli.printing import print_json, print_table


def register(verbs: Any) -> None:
    """Add the verb to the parser."""
    ensemble = verbs.add_parser(
        "ensemble",
        help="average the predictions of finished runs, and compare with each of them",
        **example(
            "hf-ecg-bench ensemble runs/founder runs/cpc --output-dir runs/both",
            "hf-ecg-bench ensemble runs/s4-seed0 runs/s4-seed1 runs/s4-seed2 --output-dir runs/s4-mean --json",
        ),
    )
    ensemble.add_argument("runs", type=Path, nargs="+", metavar="RUN", help="folders of finished runs of one task")
    ensemble.add_argument("--output-dir", type=Path, required=True)
    ensemble.add_argument("--n-resamples", type=int, default=1000, metavar="N", help="of the bootstrap (1000)")
    ensemble.add_argument("--json", action="store_true", help="print ensemble.json")
    ensemble.set_defaults(handler=_ensemble)


def _ensemble(arguments: argparse.Namespace) -> None:
    from hf_ecg_bench.combining.ensemble import average
    from hf_ecg_bench.combining.ensemble_files import (
        check_output,
        comparison_table,
        read_members,
        to_json,
        write_ensemble,
    )

    check_output(arguments.output_dir)
    ensemble = average(read_members(arguments.runs), arguments.n_resamples)
    write_ensemble(arguments.output_dir, ensemble, shlex.join(["hf-ecg-bench", *sys.argv[1:]]))
    if arguments.json:
        print_json(to_json(ensemble))
    else:
        table = comparison_table(ensemble)
        print_table([column.title for column in table.columns], [[cell.text for cell in row] for row in table.rows])
    for warning in ensemble.warnings:
        print(f"note: {warning}", file=sys.stderr)
    print(f"result: {arguments.output_dir}\nreport: hf-ecg-bench report {arguments.output_dir}", file=sys.stderr)

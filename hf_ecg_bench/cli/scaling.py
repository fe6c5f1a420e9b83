"""`scaling`: power laws of error against training records, and how many labels a model needs."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from hf_ecg_bench.cli.arguments import example
from hf_ecg_bench.cli.printing import print_json, print_table


def register(verbs: Any) -> None:
    """Add the verb to the parser."""
    scaling = verbs.add_parser(
        "scaling",
        help="learning curves: error against training records, fitted, drawn, compared",
        **example(
            "hf-ecg-bench run --model s4 --task ptbxl_super --mode scratch --fraction 1,1/2,1/4,1/8,1/16 --seed 0,1,2 "
            "--output-dir runs/s4",
            "hf-ecg-bench scaling runs --output-dir runs/scaling",
        ),
    )
    scaling.add_argument("runs_dir", type=Path, nargs="+", metavar="RUNS_DIR", help="folders of finished runs")
    scaling.add_argument("--output-dir", type=Path, required=True, help="for scaling.json, tables and plots")
    scaling.add_argument(
        "--metric", metavar="NAME", help="what is fitted (default: the task's own, macro_auroc or MAE)"
    )
    scaling.add_argument("--n-resamples", type=int, default=1000, metavar="N", help="of test patients and seeds (1000)")
    scaling.add_argument("--seed", type=int, default=0, metavar="N", help="of the resamples (0)")
    scaling.add_argument("--json", action="store_true", help="print scaling.json")
    scaling.set_defaults(handler=_scaling)


def _scaling(arguments: argparse.Namespace) -> None:
    from hf_ecg_bench.scaling.analysis import analyse
    from hf_ecg_bench.scaling.tables import scaling_tables
    from hf_ecg_bench.scaling.writing import how_resampled, write_scaling

    analysis = analyse(
        arguments.runs_dir, arguments.metric, n_resamples=arguments.n_resamples, seed=arguments.seed, say=_note
    )
    written = write_scaling(analysis, arguments.output_dir)
    if arguments.json:
        print_json(analysis)
    else:
        for table in scaling_tables(analysis):
            print(f"{table.caption}\n")
            print_table([column.title for column in table.columns], [[cell.text for cell in row] for row in table.rows])
            print()
    for task, entry in analysis["tasks"].items():
        _note(f"{task}: {how_resampled(entry)}")
        for curve in entry["curves"]:
            for note in curve["notes"]:
                _note(f"{task}, {curve['label']}: {note}")
    print(f"written: {written}", file=sys.stderr)


def _note(text: str) -> None:
    print(f"note: {text}", file=sys.stderr)

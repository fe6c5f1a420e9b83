"""`score` and `report`: predictions into numbers with intervals, results into pages."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from hf_ecg_bench.cli.arguments import example
from hf_ecg_bench.cli.printing import interval, print_json, print_table


def register(verbs: Any) -> None:
    """Add the verbs to the parser."""
    score = verbs.add_parser(
        "score",
        help="metrics with 95 %% intervals of a file of predictions, or the difference of two",
        **example(
            "hf-ecg-bench score runs/s4/predictions.parquet",
            "hf-ecg-bench score runs/founder/predictions.parquet --against runs/s4/predictions.parquet --json",
            "hf-ecg-bench score runs/mimic/predictions.parquet --task mimic_age",
        ),
    )
    score.add_argument("predictions", type=Path, metavar="PREDICTIONS", help=".parquet of a run, or .npz")
    score.add_argument("--against", type=Path, metavar="PREDICTIONS", help="another model's, on the same records")
    score.add_argument("--task", help="only the targets of this task, of a run of the task that it is a part of")
    score.add_argument("--n-resamples", type=int, default=1000, metavar="N")
    score.add_argument("--seed", type=int, default=0, metavar="N")
    score.add_argument(
        "--undefined",
        choices=["drop", "half", "raise"],
        default="drop",
        help="labels without positives or negatives: left out (default), counted as 0.5 (published rule), an error",
    )
    score.add_argument("--json", action="store_true", help="print JSON")
    score.set_defaults(handler=_score)
    report = verbs.add_parser(
        "report",
        help="tables, plots and drawn ECGs of one or more runs as HTML, Markdown and LaTeX",
        **example("hf-ecg-bench report runs/s4", "hf-ecg-bench report runs --output-dir report"),
    )
    report.add_argument("results_dir", type=Path, metavar="RESULTS_DIR", help="a run's folder, or a folder of runs")
    report.add_argument("--output-dir", type=Path, help="default: RESULTS_DIR itself")
    report.set_defaults(handler=_report)


def _score(arguments: argparse.Namespace) -> None:
    from hf_ecg_bench.data.registry import get_dataset_spec
    from hf_ecg_bench.evaluation.differences import summarise_difference
    from hf_ecg_bench.evaluation.summary import summarise
    from hf_ecg_bench.results.predictions import Predictions, align, read_predictions
    from hf_ecg_bench.results.slices import select_targets, target_names
    from hf_ecg_bench.tasks import get_task

    def read(path: Path) -> Predictions:
        predictions = read_predictions(path)
        return predictions if task is None else select_targets(predictions, names, task.id)

    task = get_task(arguments.task) if arguments.task else None
    names = target_names(task, get_dataset_spec(task.dataset).label_columns) if task is not None else ()
    own = read(arguments.predictions)
    settings = {"n_resamples": arguments.n_resamples, "seed": arguments.seed, "undefined": arguments.undefined}
    summary = summarise(own.targets, own.predictions, own.names, own.kinds, groups=own.patient_id, **settings)
    if arguments.against is not None:
        other = align(own, read(arguments.against))
        summary["difference"] = summarise_difference(
            own.targets, own.predictions, other.predictions, own.names, own.kinds, groups=own.patient_id, **settings
        )
    print_score(summary, as_json=arguments.json)


def print_score(summary: dict[str, Any], *, as_json: bool) -> None:
    """Print what `summarise` returned, as JSON or as tables."""
    if as_json:
        print_json(summary)
        return
    rows = [[name, interval(estimate)] for name, estimate in summary["metrics"].items()]
    for name, estimate in summary.get("difference", {}).items():
        p = estimate.get("p")
        rows.append([f"difference {name}", interval(estimate) + (f"  p = {p:.4f}" if p is not None else "")])
    print_table(["metric", "value [95 %]"], rows)
    print()
    targets = []
    for name, target in summary["targets"].items():
        metric = "auroc" if "auroc" in target else "mae"
        targets.append([name, metric, interval(target[metric]), target.get("n_positive", "")])
    print_table(["target", "metric", "value [95 %]", "positives"], targets)
    resampling = summary.get("resampling", {})
    print(
        f"\n{summary['n']} records; {resampling.get('n_resamples')} resamples of "
        f"{resampling.get('n_groups', summary['n'])} {resampling.get('unit', 'record')}s"
    )


def _report(arguments: argparse.Namespace) -> None:
    from hf_ecg_bench.results.report import write_report

    print(write_report(arguments.results_dir, arguments.output_dir))

"""`score` and `report`: predictions into numbers with intervals, results into pages."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from hf_ecg_bench.cli.arguments import example
from hf_ecg_bench.cli.printing import interval, print_json, print_table
from hf_ecg_bench.errors import PredictionsError

_OF_LABELS = ("auroc", "average_precision", "f1", "brier")
_OF_NUMBERS = ("mae", "r2")


def register(verbs: Any) -> None:
    """Add the verbs to the parser."""
    score = verbs.add_parser(
        "score",
        help="metrics with 95 %% intervals of a file of predictions, or the difference of two",
        **example(
            "hf-ecg-bench score runs/s4/predictions.parquet",
            "hf-ecg-bench score runs/founder/predictions.parquet --against runs/s4/predictions.parquet --json",
            "hf-ecg-bench score runs/s4 --thresholds-from runs/s4",
            "hf-ecg-bench score runs/mimic/predictions.parquet --task mimic_age",
        ),
    )
    score.add_argument("predictions", type=Path, metavar="PREDICTIONS", help=".parquet of a run, or .npz")
    score.add_argument("--against", type=Path, metavar="PREDICTIONS", help="another model's, on the same records")
    score.add_argument(
        "--thresholds-from",
        type=Path,
        metavar="VALIDATION_PREDICTIONS",
        help="the model's predictions of other records, or its run's folder: F1 at the thresholds that are best there",
    )
    score.add_argument(
        "--against-thresholds-from",
        type=Path,
        metavar="VALIDATION_PREDICTIONS",
        help="the same of the model of --against, for the difference of F1",
    )
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
        help="tables and plots of runs as HTML, Markdown and LaTeX: a run in full, or the paper's of a whole grid",
        **example(
            "hf-ecg-bench report runs/s4",
            "hf-ecg-bench report grid --output-dir report --contamination hide",
        ),
    )
    report.add_argument("results_dir", type=Path, metavar="RESULTS_DIR", help="a run's folder, or a folder of runs")
    report.add_argument("--output-dir", type=Path, help="default: RESULTS_DIR itself")
    many = report.add_argument_group("overview", "written for more than 8 runs, or where one of these is given")
    many.add_argument(
        "--contamination",
        choices=["keep", "hide", "impute"],
        help="cells whose test records a model may have seen: kept and marked (default), left out, or the others' mean",
    )
    many.add_argument(
        "--rule", choices=["anchor", "paper"], help="ranks by value with groups (default), or as the paper's are read"
    )
    many.add_argument(
        "--published", action=argparse.BooleanOptionalAction, help="published rows beside ours (default: yes)"
    )
    many.add_argument("--json", action="store_true", help="print report.json: standing, cells and tables")
    report.set_defaults(handler=_report)


def _score(arguments: argparse.Namespace) -> None:
    from hf_ecg_bench.data.registry import get_dataset_spec
    from hf_ecg_bench.evaluation.differences import differences
    from hf_ecg_bench.evaluation.summary import Validation, summarise
    from hf_ecg_bench.results.predictions import Predictions, align, read_predictions
    from hf_ecg_bench.results.slices import select_targets, target_names
    from hf_ecg_bench.results.validation import read_validation
    from hf_ecg_bench.tasks import get_task

    def read(path: Path) -> Predictions:
        predictions = read_predictions(path)
        return predictions if task is None else select_targets(predictions, names, task.id)

    def validation(path: Path | None, predictions: Predictions) -> Validation | None:
        found = read_validation(path, predictions) if path is not None else None
        return (found.targets, found.predictions) if found is not None else None

    if arguments.against_thresholds_from is not None and arguments.against is None:
        raise PredictionsError("--against-thresholds-from without --against", fix="--against PREDICTIONS")
    task = get_task(arguments.task) if arguments.task else None
    names = target_names(task, get_dataset_spec(task.dataset).label_columns) if task is not None else ()
    own = read(arguments.predictions)
    settings = {"n_resamples": arguments.n_resamples, "seed": arguments.seed, "undefined": arguments.undefined}
    settings["validation"] = validation(arguments.thresholds_from, own)
    summary = summarise(own.targets, own.predictions, own.names, own.kinds, groups=own.patient_id, **settings)
    if arguments.against is not None:
        other = align(own, read(arguments.against))
        settings["validation_against"] = validation(arguments.against_thresholds_from, other)
        summary["difference"], summary["target_differences"] = differences(
            own.targets, own.predictions, other.predictions, own.names, own.kinds, groups=own.patient_id, **settings
        )
    print_score(summary, as_json=arguments.json)


def print_score(summary: dict[str, Any], *, as_json: bool) -> None:
    """Print what `summarise` returned, with differences if there are any, as JSON or as tables."""
    if as_json:
        print_json(summary)
        return
    rows = [[name, interval(estimate)] for name, estimate in summary["metrics"].items()]
    for name, estimate in summary.get("difference", {}).items():
        rows.append([f"difference {name}", f"{interval(estimate)}  p = {estimate['p']:.4f}"])
    print_table(["metric", "value [95 %]"], rows)
    print()
    for metrics in (_OF_LABELS, _OF_NUMBERS):
        _print_targets(summary["targets"], metrics)
    _print_target_differences(summary.get("target_differences", {}))
    resampling = summary.get("resampling", {})
    print(
        f"{summary['n']} records; {resampling.get('n_resamples')} resamples of "
        f"{resampling.get('n_groups', summary['n'])} {resampling.get('unit', 'record')}s"
    )
    reasons: dict[str, list[str]] = {}
    for name, reason in summary.get("left_out", {}).items():
        reasons.setdefault(reason, []).append(name)
    for reason, left_out in reasons.items():
        fix = " (--thresholds-from VALIDATION_PREDICTIONS)" if "macro_f1" in left_out else ""
        print(f"{', '.join(left_out)}: {reason}{fix}")


def _print_targets(targets: dict[str, Any], metrics: tuple[str, ...]) -> None:
    """The targets that have any of these metrics, a column each."""
    shown = [name for name in metrics if any(name in target for target in targets.values())]
    rows = [
        [name, target.get("n_positive", target["n"]), *(interval(target[metric]) for metric in shown)]
        for name, target in targets.items()
        if shown and shown[0] in target
    ]
    if rows:
        print_table(["target", "positives" if metrics is _OF_LABELS else "records", *shown], rows)
        print()


def _print_target_differences(differences: dict[str, Any]) -> None:
    """AUROC or MAE, the metrics whose differences are asked for most; JSON has all."""
    rows = [
        [name, metric, interval(own[metric]), f"{own[metric]['p']:.4f}", f"{own[metric]['p_adjusted']:.4f}"]
        for name, own in differences.items()
        for metric in own
        if metric in ("auroc", "mae")
    ]
    if rows:
        print_table(["difference", "metric", "value [95 %]", "p", "p, Holm over targets"], rows)
        print()


def _report(arguments: argparse.Namespace) -> None:
    from hf_ecg_bench.overview.choices import Choices
    from hf_ecg_bench.overview.report import report, write_overview

    asked = {name: getattr(arguments, name) for name in ("contamination", "rule", "published")}
    given = {name: value for name, value in asked.items() if value is not None}
    choices = Choices(**given)
    if arguments.json:
        print_json(write_overview(arguments.results_dir, arguments.output_dir, choices)[1])
    else:
        print(report(arguments.results_dir, arguments.output_dir, choices if given else None))

"""`select`: which model and mode to pick for a task, why, and how sure that is."""

from __future__ import annotations

import argparse
import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hf_ecg_bench.cli.arguments import example
from hf_ecg_bench.cli.printing import print_json, print_table
from hf_ecg_bench.errors import EcgBenchError
from hf_ecg_bench.saying import to_stderr
from hf_ecg_bench.texts import printable

if TYPE_CHECKING:
    from hf_ecg_bench.selecting.recommend import Ranked, Recommendation

_SHOWN = 12


def register(verbs: Any) -> None:
    """Add the verb to the parser."""
    select = verbs.add_parser(
        "select",
        help="which model and mode to pick for a task, why, and how sure that is",
        **example(
            "hf-ecg-bench select --task ptbxl_super                       from the published results",
            "hf-ecg-bench select --task ptbxl_super --results runs --records 1000 --budget 2h",
            "hf-ecg-bench select --task ptbxl_super --data ecg-bench/ptbxl --models ecg_founder,converted/mine",
            "hf-ecg-bench select --evaluate                               how often it is right",
        ),
    )
    select.add_argument("--task", help="see: hf-ecg-bench list tasks")
    select.add_argument(
        "--data", metavar="ID_OR_DIR", help="also score the models' features on the training records of this dataset"
    )
    select.add_argument(
        "--results", type=Path, action="append", metavar="PATH", help="folder of runs or file of rows; repeatable"
    )
    select.add_argument("--records", type=int, metavar="N", help="training records there are (default: all)")
    select.add_argument(
        "--budget",
        metavar="LIMIT,...",
        help="seconds of training (3600, 2h), or parameters=, trainable_parameters=, latency_ms=, memory_gb=",
    )
    select.add_argument("--models", metavar="A,B", help="ids or folders to choose from (default: all)")
    select.add_argument("--modes", metavar="A,B", help="modes to choose from (default: all)")
    select.add_argument("--no-published", action="store_true", help="without the published rows")
    select.add_argument(
        "--evaluate", action="store_true", help="predict each dataset without its own results: how often it is right"
    )
    select.add_argument(
        "--leave",
        default="dataset",
        choices=["dataset", "task", "half"],
        help="what --evaluate takes out: the dataset (default), the task alone, or half of the task's results",
    )
    select.add_argument("--seed", type=int, default=0, metavar="N", help="of the draws (0)")
    select.add_argument("--json", action="store_true", help="print everything as JSON")
    select.set_defaults(handler=_select)


def _select(arguments: argparse.Namespace) -> None:
    from hf_ecg_bench.selecting.budget import parse_budget
    from hf_ecg_bench.tasks import get_task

    if not arguments.evaluate and arguments.task is None:
        raise EcgBenchError("select needs a task", fix="hf-ecg-bench select --task TASK, or --evaluate")
    task = get_task(arguments.task) if arguments.task is not None else None
    limits = parse_budget(arguments.budget)
    models, modes = _names(arguments.models), _names(arguments.modes)
    _check_names(models, modes)
    if arguments.records is not None and arguments.records < 1:
        raise EcgBenchError(f"--records {arguments.records}: expected a number of training records above 0")
    from hf_ecg_bench.selecting.reading import read_evidence

    rows = read_evidence(arguments.results or [], published=not arguments.no_published, say=to_stderr)
    if task is None or arguments.evaluate:
        _evaluate(rows, arguments)
        return
    from hf_ecg_bench.selecting.recommend import recommend, task_kind
    from hf_ecg_bench.selecting.scoring import NotScored, Scores, score_models, stored_scores

    scores: list[Scores] = []
    not_scored: list[NotScored] = []
    earlier = stored_scores()
    if arguments.data is not None:
        scores, not_scored = score_models(
            *(_to_score(models), task.id, arguments.data, task_kind(task), to_stderr), records=arguments.records or 0
        )
    found = recommend(
        rows, task, records=float(arguments.records or math.nan), limits=limits, models=models, modes=modes,
        scores=scores, not_scored=not_scored, earlier=earlier, seed=arguments.seed,
    )  # fmt: skip
    if arguments.json:
        from hf_ecg_bench.selecting.telling import as_json

        print_json(as_json(found))
    else:
        _print(found)


def _names(text: str | None) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()] if text else []


def _check_names(models: list[str], modes: list[str]) -> None:
    from hf_ecg_bench.models.resolve import parse_name
    from hf_ecg_bench.training.modes import get_mode

    for model in models:
        if not Path(model).is_dir():
            parse_name(model)
    for mode in modes:
        get_mode(mode)


def _to_score(models: list[str]) -> list[str]:
    """The asked models; else all with weights: those that cannot be had are said with the reason."""
    from hf_ecg_bench.models.registry import MODELS, get_model_spec

    return models or [name for name in MODELS if get_model_spec(name).pretrained]


def _print(found: Recommendation) -> None:
    pick = found.pick
    if pick is None:
        print(f"{found.task}: {found.sure.level}")
        print(f"  {found.sure.reason}")
    else:
        print(f"{found.task}: {printable(pick.candidate.model)}, mode {pick.candidate.mode}")
        print(f"how sure: {found.sure.level} ({found.sure.reason})")
        for reason in pick.reasons:
            print(f"  {printable(reason)}")
    print()
    if found.ranked:
        _print_ranked(found)
    if found.scores:
        _print_scores(found)
    for item in found.not_scored:
        print(printable(f"not scored: {item.model}: {item.reason}"))
    if found.unknown:
        print("nothing known about: " + printable(", ".join(who.key for who in found.unknown)))
    for reason, number in found.left_out.items():
        print(f"note: {number} rows not used: {reason}", file=sys.stderr)
    for note in found.notes:
        print(f"note: {note}", file=sys.stderr)


def _print_ranked(found: Recommendation) -> None:
    within = [item for item in found.ranked if not item.outside]
    metric = "AUROC" if found.kind == "auroc" else "MAE"
    header = ["model", "mode", metric, "80 %", "to the first", "80 %", "best", "regret", "train s", "parameters"]
    print_table(header, [_row(item) for item in within[:_SHOWN]])
    if len(within) > _SHOWN:
        print(f"and {len(within) - _SHOWN} more (--json)")
    for item in found.ranked:
        if item.outside:
            print(printable(f"apart: {item.candidate.key}: {item.outside}"))
    print()


def _row(item: Ranked) -> list[str]:
    def shown(value: float, form: str) -> str:
        return format(value, form) if value == value else "-"

    return [
        printable(item.candidate.model), item.candidate.mode, f"{item.score:.3f}", f"{item.low:.3f} to {item.high:.3f}",
        f"{item.behind:+.4f}", f"{item.behind_low:+.4f} to {item.behind_high:+.4f}", f"{item.chance:.0%}",
        f"{item.regret:.4f}", shown(item.costs["seconds"].value, ".4g"), shown(item.costs["parameters"].value, ".3g"),
    ]  # fmt: skip


def _print_scores(found: Recommendation) -> None:
    metric = "AUROC" if found.kind == "auroc" else "MAE"
    header = ["model", f"probe {metric}", f"20-NN {metric}", "LogME", "H-score", "records", "targets"]
    rows = []
    for s in found.scores:
        values = [f"{value:.4f}" for value in (s.probe, s.neighbours, s.logme, s.h_score)]
        rows.append([printable(s.model), *values, str(s.records), f"{s.targets - s.undefined} of {s.targets}"])
    print_table(header, rows)
    print()


def _evaluate(rows: list[Any], arguments: argparse.Namespace) -> None:
    from hf_ecg_bench.selecting.backtest import backtest
    from hf_ecg_bench.selecting.telling import summary

    held = backtest(rows, arguments.leave, seed=arguments.seed)
    if not held:
        raise EcgBenchError(
            "nothing to evaluate: it takes usable results of three candidates on tasks of at least two datasets",
            fix="hf-ecg-bench select --evaluate --results DIR, with the published rows (no --no-published)",
        )
    told = summary(held)
    if arguments.json:
        from dataclasses import asdict

        print_json({**told, "held": [asdict(item) for item in held]})
        return
    print_table(
        ["task", "picked", "best", "regret", "overall best", "its regret", "chance", "how sure"],
        [
            [
                h.task,
                h.picked,
                h.best,
                f"{h.regret:.4f}",
                h.overall,
                f"{h.overall_regret:.4f}",
                f"{h.chance:.0%}",
                h.sure,
            ]
            for h in held
        ],
    )
    print()
    names = ["hit", "hit_top3", "overall_hit", "overall_top3", "regret", "overall_regret", "random_regret"]
    more = ["chance", "within_80", "within_95", "level_80", "level_95"]
    groups = {"tasks": told["tasks"], "datasets": told["datasets"], **told["kinds"]}
    for columns in (names, more):
        print_table(
            ["mean over", "n", *columns], [[k, g["n"], *(f"{g[c]:.4f}" for c in columns)] for k, g in groups.items()]
        )
        print()
    for level, own in told["sure"].items():
        print(f"how sure {level}: {own['n']} tasks, best picked {own['hit']:.0%}, mean regret {own['regret']:.4f}")

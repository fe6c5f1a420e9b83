"""`list` and `info`: what there is."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from hf_ecg_bench.cli.arguments import example
from hf_ecg_bench.cli.printing import print_json, print_table
from hf_ecg_bench.errors import EcgBenchError, some, unknown_name

if TYPE_CHECKING:
    from hf_ecg_bench.tasks.suites import SuiteTotals


def register(verbs: Any) -> None:
    """Add the verbs to the parser."""
    listing = verbs.add_parser(
        "list",
        help="datasets, tasks, suites of tasks, or models",
        **example("hf-ecg-bench list models", "hf-ecg-bench list tasks --suite headline"),
    )
    listing.add_argument("what", choices=["datasets", "tasks", "suites", "models"])
    listing.add_argument("--suite", metavar="SUITE", help="only the tasks of this suite (list suites)")
    listing.add_argument("--json", action="store_true", help="print JSON")
    listing.set_defaults(handler=_list)
    info = verbs.add_parser(
        "info",
        help="all that is known of a dataset, task, suite, model or mode",
        **example("hf-ecg-bench info ptbxl_super"),
    )
    info.add_argument("name", metavar="NAME")
    info.add_argument("--json", action="store_true", help="print JSON")
    info.set_defaults(handler=_info)


def _list(arguments: argparse.Namespace) -> None:
    if arguments.suite is not None and arguments.what != "tasks":
        raise EcgBenchError("--suite selects tasks", fix=f"hf-ecg-bench list tasks --suite {arguments.suite}")
    if arguments.what == "tasks":
        rows = _tasks(arguments.suite)
    else:
        rows = {"datasets": _datasets, "suites": _suites, "models": _models}[arguments.what]()
    if arguments.json:
        print_json(rows)
        return
    print_table(list(rows[0]), [[_cell(value) for value in row.values()] for row in rows])
    if arguments.what == "tasks":
        print()
        for suite, size in _totals().items():
            print(f"{suite}: {size}")


def _cell(value: Any) -> Any:
    if isinstance(value, tuple):
        return ", ".join(value) or "-"
    return "-" if value is None else value


def _datasets() -> list[dict[str, Any]]:
    from hf_ecg_bench.data.registry import get_dataset_spec, list_datasets

    return [
        {
            "id": spec.id,
            "title": spec.title,
            "records": spec.records if spec.records is not None else "any",
            "Hz": spec.sampling_rate,
            "access": spec.access,
            "license": spec.license,
        }
        for spec in map(get_dataset_spec, list_datasets())
    ]


def _tasks(suite: str | None = None) -> list[dict[str, Any]]:
    from hf_ecg_bench.tasks import CATALOGUE, get_suite, suites_of
    from hf_ecg_bench.tasks.sizes import task_size

    rows = []
    for name in CATALOGUE if suite is None else get_suite(suite).tasks:
        task, size = CATALOGUE[name], task_size(CATALOGUE[name])
        rows.append(
            {
                "id": name,
                "name": task.name,
                "dataset": task.dataset,
                "category": task.category,
                "targets": size.targets,
                "classes": size.yes_no,
                "regression": size.regression,
                "suites": suites_of(name),
                "trained_as": task.trained_as,
            }
        )
    return rows


def _totals() -> dict[str, SuiteTotals]:
    from hf_ecg_bench.tasks import CATALOGUE, SUITES
    from hf_ecg_bench.tasks.sizes import task_size
    from hf_ecg_bench.tasks.suites import totals

    sizes = {name: task_size(task).targets for name, task in CATALOGUE.items()}
    return {name: totals(suite, sizes) for name, suite in SUITES.items()}


def _suites() -> list[dict[str, Any]]:
    from hf_ecg_bench.tasks import SUITES

    return [{"id": name, **asdict(size), "title": SUITES[name].title} for name, size in _totals().items()]


def _models() -> list[dict[str, Any]]:
    from hf_ecg_bench.models import cache
    from hf_ecg_bench.models.registry import get_model_spec, list_models
    from hf_ecg_bench.models.sources import NAMES

    return [
        {
            "id": spec.id,
            "title": spec.title,
            "parameters": spec.parameters,
            "Hz": spec.sampling_rate,
            "window_s": spec.window_seconds,
            "width": spec.hidden_size,
            "weights": NAMES[spec.source.host] if spec.source else "from scratch",
            "license": spec.license_weights,
            "cached": "yes" if cache.entries(spec.id) else "no" if spec.source else "-",
        }
        for spec in map(get_model_spec, list_models())
    ]


def _info(arguments: argparse.Namespace) -> None:
    from hf_ecg_bench.cli import dataset_info, model_info
    from hf_ecg_bench.data.registry import get_dataset_spec, list_datasets
    from hf_ecg_bench.models.registry import get_model_spec, list_models
    from hf_ecg_bench.tasks import CATALOGUE, SUITES
    from hf_ecg_bench.training.modes import MODES

    name = arguments.name
    found: list[tuple[str, Any]] = []
    if name in list_datasets():
        found.append(("dataset", get_dataset_spec(name)))
    if name in CATALOGUE:
        found.append(("task", CATALOGUE[name]))
    if name in SUITES:
        found.append(("suite", SUITES[name]))
    if name in list_models():
        found.append(("model", get_model_spec(name)))
    if name in MODES:
        found.append(("mode", MODES[name]))
    if not found:
        known = [*list_datasets(), *CATALOGUE, *SUITES, *list_models(), *MODES]
        fix = "hf-ecg-bench list datasets|tasks|suites|models"
        raise unknown_name("dataset, task, suite, model or mode", name, known, fix=fix)
    own: dict[str, Callable[[Any], dict[str, Any]]]
    own = {"dataset": dataset_info.dataset_info, "model": model_info.model_info}
    described = {kind: own[kind](item) if kind in own else asdict(item) for kind, item in found}
    if "suite" in described:
        described["suite"]["totals"] = asdict(_totals()[name])
    if arguments.json:
        print_json(described)
        return
    texts = {"dataset": dataset_info.describe, "model": model_info.describe}
    parts = [texts[kind](values) if kind in texts else _plain(kind, values) for kind, values in described.items()]
    print("\n\n".join(parts))


def _plain(kind: str, values: dict[str, Any]) -> str:
    lines = [f"{kind} {values['id']}"]
    lines += [f"  {key}: {_text(value)}" for key, value in values.items() if value not in (None, (), [], "", {})]
    return "\n".join(lines)


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return "".join(f"\n    {key}: {_text(item)}" for key, item in value.items())
    if isinstance(value, list | tuple):
        if value and isinstance(value[0], dict):
            return "".join("\n    " + ", ".join(f"{k} {v}" for k, v in item.items() if v) for item in value)
        return some((" + ".join(item) if isinstance(item, tuple) else str(item) for item in value), 40)
    return str(value).strip()

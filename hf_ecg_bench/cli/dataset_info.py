"""All that is declared about a dataset, as JSON values and as text."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from hf_ecg_bench.cli.printing import field
from hf_ecg_bench.data.access import how_to_get
from hf_ecg_bench.data.origins import describe as describe_origin
from hf_ecg_bench.data.spec import DatasetSpec
from hf_ecg_bench.errors import some
from hf_ecg_bench.tasks import CATALOGUE

# So many classes or targets are named; `--json` and the card have all.
_NAMED = 12


def dataset_info(spec: DatasetSpec) -> dict[str, Any]:
    """The declaration, with the dataset's tasks, where its files are and how to get them."""
    return asdict(spec) | {
        "tasks": [name for name, task in CATALOGUE.items() if task.dataset == spec.id],
        "origins": [{"what": describe_origin(origin), **asdict(origin)} for origin in spec.origins],
        "how_to_get": how_to_get(spec) if spec.needs_raw_dir else "",
    }


def describe(info: dict[str, Any]) -> str:
    """The same for people: long lists are cut."""
    return "\n".join(_lines(info))


def _lines(info: dict[str, Any]) -> Iterator[str]:
    yield f"{info['title']} ({info['id']})"
    yield from field("what", info["description"])
    records = f"{info['records']:,}" if info["records"] else "any number"
    patients = f" of {info['patients']:,} patients" if info["patients"] else ""
    seconds = f"{info['seconds']:g} s" if info["seconds"] else "length as recorded"
    yield from field("records", f"{records}{patients}; {info['sampling_rate']} Hz, {seconds}, unit {info['unit']}")
    yield from field("splits", info["folds"])
    yield from field("tasks", ", ".join(info["tasks"]))
    if info["min_seconds"] is not None:
        yield from field("", f"they leave out records shorter than {info['min_seconds']:g} s")
    if info["needs_fold"]:
        yield from field("", "they leave out records without a fold")
    for column, names in info["label_columns"].items():
        yield from field(column, f"{len(names):,} classes: {_some(names)}")
    if targets := info["targets"]:
        numbers = sum(target["kind"] == "regression" for target in targets)
        kinds = f"{len(targets) - numbers:,} yes/no, {numbers:,} numbers"
        yield from field("targets", f"{len(targets):,} ({kinds}): {_some([t['name'] for t in targets])}")
    for column in info["extra_columns"]:
        yield from field(column["name"], column["description"])
    label = "known issues"
    for issue in info["known_issues"]:
        yield from field(label, f"- {issue}")
        label = ""
    yield from field("licence", f"{info['license']}; access: {info['access']}")
    label = "originals"
    for origin in info["origins"]:
        yield from field(label, origin["what"])
        label = ""
    yield from field("how to get it", info["how_to_get"] or f"hf-ecg-bench prepare {info['id']} --output-dir ...")
    yield from field("homepage", info["homepage"])
    yield from field("citation", "")
    yield textwrap.indent(info["citation"].strip(), "    ")


def _some(names: Sequence[str]) -> str:
    """The first names; divided by semicolons where names have commas."""
    if not any("," in name for name in names):
        return some(names, _NAMED)
    more = f"; and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return "; ".join(names[:_NAMED]) + more

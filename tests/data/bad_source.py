"""One way for a source to be bad, and what a build then says; the cases are in `tests/data/bad/`, a module per format.

python -m tests.data.bad_source        # a table of all cases with what the build said
"""

from __future__ import annotations

import atexit
import pkgutil
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Literal

from hf_ecg_bench.data.info import finish_ledger
from hf_ecg_bench.data.ledger import Ledger
from hf_ecg_bench.data.matching import COLUMNS
from hf_ecg_bench.data.options import parse_options
from hf_ecg_bench.data.registry import get_builder
from hf_ecg_bench.errors import DataError
from tests.data import bad

Outcome = Literal["excluded", "defect", "note", "error"]


@dataclass(frozen=True)
class BadCase:
    """A damaged example tree.

    Attributes:
        name: what is wrong, in words.
        dataset: whose `example` tree is damaged.
        damage: changes the tree.
        outcome: a record is `excluded`, or kept with a `defect`; the build has a `note`, or ends in an `error`.
        reason: the phrase that the ledger counts by (excluded, defect), or part of the note or error.
        detail: part of the detail, or of the error's message or fix.
        options: `--option` values.
        n: number of records of the tree.
    """

    name: str
    dataset: str
    damage: Callable[[Path], object]
    outcome: Outcome
    reason: str
    detail: str = ""
    options: Mapping[str, str] = field(default_factory=dict)
    n: int = 12


def all_cases() -> list[BadCase]:
    """The cases of all modules."""
    modules = [import_module(f"{bad.__name__}.{module.name}") for module in pkgutil.iter_modules(bad.__path__)]
    return [case for module in modules for case in module.CASES]


@cache
def _example(dataset: str, n: int) -> Path:
    """An example tree, written once per process."""
    root = Path(tempfile.mkdtemp(prefix="ecg_bench_example_"))
    atexit.register(shutil.rmtree, root, ignore_errors=True)
    get_builder(dataset).example(str(root), n)
    return root


def damaged_tree(case: BadCase, folder: Path) -> Path:
    """The case's tree, in `<folder>/raw`."""
    root = folder / "raw"
    shutil.copytree(_example(case.dataset, case.n), root)
    case.damage(root)
    return root


def run_case(case: BadCase, root: Path, *, strict: bool = False) -> Ledger | DataError:
    """Build a damaged tree, but write no files; returns the ledger, or the error that ended it."""
    builder_class = get_builder(case.dataset)
    ledger = Ledger(case.dataset, strict=strict)
    reports, fingerprints = [], {}
    try:
        options = parse_options(builder_class.BUILDER_CONFIG_CLASS, case.options)
        builder = builder_class(cache_dir=str(root.parent), data_dir=str(root), strict=strict, **options)
        plan = builder.plan(ledger)
        for shard in (shard for shards in plan.values() for shard in shards):
            rows = builder.rows(shard)
            for _ in rows:
                pass
            reports.append(rows.report)
            fingerprints[shard.name] = rows.fingerprints.table().select(COLUMNS)
        finish_ledger(ledger, plan, reports, fingerprints, builder.same_signal)
    except DataError as error:
        return error
    return ledger


def said(case: BadCase, result: Ledger | DataError) -> str:
    """What the build said about it, or an empty text where it did not say the expected."""
    if isinstance(result, DataError):
        return str(result) if case.outcome == "error" and case.reason in str(result) else ""
    if case.outcome == "note":
        return next((note for note in result.notes if case.reason in note), "")
    groups = {"excluded": result.excluded, "defect": result.defects}.get(case.outcome, {})
    entries = groups.get(case.reason, [])
    return f"{case.reason}: {entries[0][0]}: {entries[0][1]}" if entries else ""


def main() -> None:
    print("| # | dataset | what is wrong | outcome | what the build says |\n| --- | --- | --- | --- | --- |")
    for number, case in enumerate(all_cases(), start=1):
        with tempfile.TemporaryDirectory() as folder:
            result = run_case(case, damaged_tree(case, Path(folder)))
            text = " / ".join(said(case, result).replace(folder, "").splitlines())
        print(f"| {number} | {case.dataset} | {case.name} | {case.outcome} | {text or 'NOT SAID: ' + repr(result)} |")


if __name__ == "__main__":
    main()

"""What every dataset must do, tried on its own example tree. A new dataset needs no line here."""

from __future__ import annotations

import ast
import os
import shutil
from collections.abc import Iterator
from dataclasses import fields
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pytest

from hf_ecg_bench.data.features import row_features
from hf_ecg_bench.data.folder_rows import PreparedFolder
from hf_ecg_bench.data.ledger import Ledger
from hf_ecg_bench.data.load import load_prepared, read_info
from hf_ecg_bench.data.options import parse_options
from hf_ecg_bench.data.prepare import prepare
from hf_ecg_bench.data.registry import get_builder, get_dataset_spec, list_datasets
from hf_ecg_bench.data.verify import verify_folder
from hf_ecg_bench.errors import DataError, TrainingError
from hf_ecg_bench.names import INFO_FILE, SPLITS
from hf_ecg_bench.tasks import CATALOGUE
from hf_ecg_bench.training.records.of_task import task_records
from tests.conftest import ROOT
from tests.data.examples import RECORDS, Example, build_options
from tests.data.make_golden import read_golden

BEFORE_LABELS = ["record_id", "patient_id", "signal", "sampling_rate", "age", "sex", "strat_fold"]
# Names that tasks and users rely on; other datasets have one set, `labels`, or several, all `labels_...`.
LABEL_SETS = {
    "ptbxl": ["all", "diag", "form", "rhythm", "sub", "super"],
    "chapman": ["all", "condition", "rhythm"],
    "zzu_pecg": ["aha", "chn", "icd10"],
}
TARGETS = {"mimic_iv_ecg": 1127, "synthetic": 4}
# Signals, by suffix or folder: what a build of the metadata alone may not need.
SIGNAL_FILES = ("*.dat", "*.mat", "*.hdf5", "*.h5", "*.xyz", "*_waveforms.npy", "*/ECGData/*")


def digests(example: Example, out: Path, **arguments: Any) -> dict[str, str]:
    """Digests of another build of the same originals."""
    options = build_options(example.dataset) | arguments.pop("options", {})
    prepare(example.dataset, raw_dir=arguments.pop("raw", example.raw), output_dir=out, options=options, **arguments)
    return read_info(out / INFO_FILE)["digests"]


def typed_build_options(dataset: str) -> dict[str, Any]:
    return parse_options(get_builder(dataset).BUILDER_CONFIG_CLASS, build_options(dataset))


def columns_without_signal(example: Example) -> dict[str, datasets.Dataset]:
    return {
        split: rows.remove_columns("signal").with_format("arrow")[:] for split, rows in example.prepared.splits.items()
    }


def test_builds_clean_with_every_split(example: Example) -> None:
    ledger = example.ledger
    # The build was strict: what is left out is left out by design (EchoNext's `no_split`, unused ECGs of MIMIC).
    assert ledger.found == ledger.kept + ledger.n_excluded
    assert ledger.kept > RECORDS // 2
    assert not ledger.defects
    filled = {split for split, rows in example.prepared.splits.items() if len(rows)}
    assert filled == set(get_dataset_spec(example.dataset).splits)


def test_columns_are_the_declared_ones(example: Example) -> None:
    spec = get_dataset_spec(example.dataset)
    labels = list(spec.label_columns)
    assert labels == ["labels"] or all(name.startswith("labels_") for name in labels)
    if example.dataset in LABEL_SETS:
        assert labels == [f"labels_{name}" for name in LABEL_SETS[example.dataset]]
    assert len(spec.targets) == TARGETS.get(example.dataset, len(spec.targets))
    targets = ["targets"] if spec.targets else []
    extra = [item.name for item in spec.extra_columns]
    expected = row_features(spec.label_columns, len(spec.targets), spec.extra_columns)
    assert list(expected) == [*BEFORE_LABELS, *labels, *targets, *extra]
    for rows in example.prepared.splits.values():
        assert rows.features == expected
    signal = expected["signal"]
    assert (signal.shape, signal.dtype) == ((None, 12), "float32")
    declared = [(target["name"], target["kind"]) for target in example.prepared.info["targets"]]
    assert declared == [(target.name, target.kind) for target in spec.targets]


def test_values_are_possible(example: Example) -> None:
    spec = get_dataset_spec(example.dataset)
    for table in columns_without_signal(example).values():
        rows = table.to_pylist()
        assert all(row["record_id"] for row in rows)
        assert {row["sampling_rate"] for row in rows} <= {spec.sampling_rate}
        assert {row["sex"] for row in rows} <= {"female", "male", None}
        assert all(row["age"] is None or 0 <= row["age"] < 130 for row in rows)
        assert all(row["strat_fold"] >= -1 for row in rows)
        for column, names in spec.label_columns.items():
            for row in rows:
                assert row[column] == sorted(set(row[column]))
                assert set(row[column]) <= set(range(len(names)))
        for number, target in enumerate(spec.targets):
            values = np.array([row["targets"][number] for row in rows])
            assert target.kind == "regression" or np.isin(values[~np.isnan(values)], (0, 1)).all()
    ids = [name for rows in example.prepared.splits.values() for name in rows["record_id"]]
    assert len(set(ids)) == len(ids)


def test_signals_are_as_declared(example: Example) -> None:
    spec = get_dataset_spec(example.dataset)
    for rows in example.prepared.splits.values():
        for signal in rows.with_format("numpy")["signal"]:
            assert signal.dtype == np.float32
            assert signal.shape[1] == 12
            assert spec.seconds is None or len(signal) == spec.seconds * spec.sampling_rate
            assert not np.isnan(signal).all()
            # Millivolts, not microvolts or counts; z-scores are of that size too.
            assert 0.05 < np.nanmax(np.abs(signal)) < 30


def test_a_patient_is_in_one_split(example: Example) -> None:
    split_of: dict[str, str] = {}
    for split, rows in example.prepared.splits.items():
        for patient in set(rows["patient_id"]) - {None}:
            assert split_of.setdefault(patient, split) == split


def test_every_task_of_the_dataset_finds_its_targets(example: Example) -> None:
    for task in CATALOGUE.values():
        if task.dataset != example.dataset:
            continue
        if "train" not in get_dataset_spec(example.dataset).splits:
            with pytest.raises(TrainingError, match=f"{task.id} is a further test set for models of {task.trained_as}"):
                task_records(example.prepared, task)
            continue
        records = task_records(example.prepared, task)
        assert set(records.splits) == set(SPLITS)
        values = np.concatenate([split.targets.ravel() for split in records.splits.values()])
        assert np.unique(values[~np.isnan(values)]).size > 1, "positives and negatives"


def test_golden_digests(example: Example) -> None:
    golden = read_golden().get(example.dataset)
    assert golden is not None, f"write it down: python -m tests.data.make_golden {example.dataset}"
    found = example.prepared.info["digests"]
    assert [part for part in golden if golden[part] != found[part]] == []


def test_verify_agrees(example: Example) -> None:
    assert verify_folder(PreparedFolder.open(example.folder)).problems == []


@pytest.mark.slow
def test_processes_do_not_matter(example: Example, tmp_path: Path) -> None:
    assert digests(example, tmp_path / "two", num_proc=2) == example.prepared.info["digests"]
    one, two = ((folder / "README.md").read_text() for folder in (example.folder, tmp_path / "two"))
    assert one == two


def test_the_order_of_the_file_system_does_not_matter(
    example: Example, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if example.raw is None:
        pytest.skip("generated")
    plans = []
    for backwards in (False, True):
        builder = get_builder(example.dataset)(data_dir=str(example.raw), cache_dir=str(tmp_path))
        with monkeypatch.context() as patch:
            sort_folders(patch, backwards=backwards)
            plans.append(builder.plan(Ledger(example.dataset, strict=True)))
    for split, shards in plans[0].items():
        for one, other in zip(shards, plans[1][split], strict=True):
            assert (one.inputs, one.references) == (other.inputs, other.references)


def sort_folders(monkeypatch: pytest.MonkeyPatch, *, backwards: bool) -> None:
    """Have the operating system list folders in one order."""
    scandir, listdir = os.scandir, os.listdir

    class Entries:
        def __init__(self, entries: list[Any]) -> None:
            self.entries = iter(entries)

        def __iter__(self) -> Iterator[Any]:
            return self.entries

        def __next__(self) -> Any:
            return next(self.entries)

        def __enter__(self) -> Entries:
            return self

        def __exit__(self, *error: object) -> None:
            pass

        close = __exit__

    def sorted_scandir(*path: Any) -> Entries:
        with scandir(*path) as entries:
            return Entries(sorted(entries, key=lambda entry: entry.name, reverse=backwards))

    monkeypatch.setattr(os, "scandir", sorted_scandir)
    monkeypatch.setattr(os, "listdir", lambda *path: sorted(listdir(*path), reverse=backwards))


def test_metadata_only_needs_no_signals_and_tells_the_same(example: Example, tmp_path: Path) -> None:
    raw = None
    if example.raw is not None:
        raw = tmp_path / "raw"
        shutil.copytree(example.raw, raw, copy_function=_copy_all_but_signals)
    found = digests(example, tmp_path / "out", raw=raw, metadata_only=True, strict=True)
    expected = example.prepared.info["digests"]
    assert {part: found[part] for part in expected if part != "signals"} == {
        part: expected[part] for part in expected if part != "signals"
    }
    assert "signal" not in load_prepared(tmp_path / "out").splits["test"].features


def _copy_all_but_signals(source: str, target: str) -> str:
    is_signal = any(fnmatch(source, pattern) for pattern in SIGNAL_FILES)
    return target if is_signal else str(shutil.copy(source, target))


def test_limit_takes_the_first_records(example: Example, tmp_path: Path) -> None:
    raw = None if example.raw is None else str(example.raw)
    ledger = Ledger(example.dataset)
    builder = get_builder(example.dataset)(
        data_dir=raw, cache_dir=str(tmp_path), limit=7, **typed_build_options(example.dataset)
    )
    plan = builder.plan(ledger)
    assert any("limited to the first 7 of" in note for note in ledger.notes)
    limited = {
        split: [name for shard in shards for name in shard.metadata["record_id"].to_pylist()]
        for split, shards in plan.items()
    }
    assert sum(map(len, limited.values())) == 7
    for split, names in limited.items():
        assert names == example.prepared.splits[split]["record_id"][: len(names)]


def test_as_a_builder_of_the_library(example: Example, tmp_path: Path) -> None:
    raw = None if example.raw is None else str(example.raw)
    builder = get_builder(example.dataset)(
        data_dir=raw, cache_dir=str(tmp_path), **typed_build_options(example.dataset)
    )
    builder.download_and_prepare()
    native = builder.as_dataset()
    for split, rows in example.prepared.splits.items():
        assert native[split].features == rows.features
        assert len(native[split]) == len(rows)
        plain = [name for name in rows.column_names if name not in ("signal", "targets")]
        assert native[split].select_columns(plain)[:] == rows.select_columns(plain)[:]
        for name in set(rows.column_names) - set(plain):  # NaN equals NaN here
            ours, theirs = (data.with_format("numpy")[name] for data in (rows, native[split]))
            for one, other in zip(ours, theirs, strict=True):
                np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("dataset", list_datasets())
def test_declaration(dataset: str) -> None:
    spec = get_dataset_spec(dataset)
    assert spec.id == dataset
    assert spec.homepage.startswith("https://")
    assert spec.description.endswith(".")
    assert 0 <= spec.validation_fold == spec.test_fold - 1
    assert (spec.records is None) == (not spec.needs_raw_dir)
    open_source = spec.access == "open" and spec.needs_raw_dir
    assert bool(spec.origins) == open_source, "open originals are downloaded, others never"
    assert bool(spec.access_steps) == (spec.access != "open"), "how to get access is said where it is needed"
    names = [name for names in spec.label_columns.values() for name in names]
    assert names or spec.targets
    for classes in spec.label_columns.values():
        assert len(set(classes)) == len(classes)
    assert len({target.name for target in spec.targets}) == len(spec.targets)


@pytest.mark.parametrize("dataset", list_datasets())
def test_impossible_options_are_refused_also_from_scripts(dataset: str) -> None:
    config_class = get_builder(dataset).BUILDER_CONFIG_CLASS
    names = {item.name for item in fields(config_class)}
    bad = {
        "splits": "random",
        "protocol": "own",
        "limit": 0,
        "min_count": 0,
        "n_folds": 2,
        "layout": "x",
        "tables": "x",
    }
    seeds = {name: value for name in names if name.endswith("_seed") for value in (-1, 2**32)}
    for name, value in (bad | seeds).items():
        if name in names:
            with pytest.raises(DataError, match=f"option {name}="):
                config_class(**{name: value})


@pytest.mark.parametrize("dataset", list_datasets())
def test_builder_module_touches_no_files(dataset: str) -> None:
    """`datasets` replaces `open`, `Path` and more in the modules that define builders, for good."""
    tree = ast.parse((ROOT / "dataset_scripts" / f"{dataset}.py").read_text(encoding="utf-8"))
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert not names & {"open", "Path", "os"}
    assert not imported & {"os", "os.path", "pathlib", "glob", "gzip", "pandas", "h5py", "wfdb", "io", "csv"}

"""A run's part of the training records: nested, published, or a quick look."""

from __future__ import annotations

import json
import time
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from hf_ecg_bench.errors import TrainingError
from hf_ecg_bench.tasks.targets import TargetColumns
from hf_ecg_bench.training.records.of_task import SplitRecords, TaskRecords
from hf_ecg_bench.training.records.subsets import (
    MOST_LABELS,
    SUBSET_FILE,
    choose_subset,
    limited_records,
    nested_records,
    published_subset,
    write_subset,
)
from hf_ecg_bench.training.spec import RunSpec


def columns_of(*kinds: str, names: tuple[str, ...] = ()) -> TargetColumns:
    own = names or tuple(f"t{number}" for number in range(len(kinds)))
    return TargetColumns(own, kinds, tuple(range(len(kinds))), ())


def split_of(targets, patients=None, sex=None, age=None, ids=None) -> SplitRecords:
    n = len(targets)
    return SplitRecords(
        None,
        np.arange(n),
        np.array([f"r{number:05d}" for number in range(n)] if ids is None else ids, dtype=object),
        np.array([None] * n if patients is None else patients, dtype=object),
        np.asarray(targets, np.float32),
        np.full(n, 50, np.float32) if age is None else np.asarray(age, np.float32),
        np.array(["female"] * n if sex is None else sex, dtype=object),
    )


def made_up(n: int = 600) -> SplitRecords:
    rng = np.random.default_rng(0)
    patients = [None if number % 40 == 0 else f"p{number // 2}" for number in range(n)]
    sex, age = rng.choice(["male", "female", None], n), np.where(rng.random(n) < 0.1, np.nan, rng.uniform(5, 95, n))
    targets = np.column_stack([rng.random(n) < 0.3, rng.random(n) < 0.03, rng.normal(size=n)]).astype(np.float32)
    targets[rng.random((n, 3)) < 0.1] = np.nan
    return split_of(targets, patients, sex, age)


def task_records(**splits: SplitRecords) -> TaskRecords:
    return TaskRecords(columns_of("binary", "binary", "regression"), splits, 500, 10.0, "mV")


def spec_of(tmp_path: Path, **changes) -> RunSpec:
    return RunSpec(**{"model": "s4", "task": "synthetic", "mode": "scratch", "output_dir": tmp_path, **changes})


def test_a_fraction_is_recorded_with_its_ids(tmp_path):
    records = task_records(train=made_up(), validation=made_up(80), test=made_up(80))
    facts = choose_subset(records, spec_of(tmp_path, fraction=0.25, seed=3))
    assert {key: facts[key] for key in ("rule", "fraction", "seed", "limit", "file")} == {
        "rule": "nested", "fraction": 0.25, "seed": 3, "limit": 0, "file": SUBSET_FILE,
    }  # fmt: skip
    train = records.splits["train"]
    assert facts["records"] == len(train.records) == pytest.approx(150, abs=1)
    assert facts["patients"] == len(set(train.patient_id) - {None}) + sum(p is None for p in train.patient_id)
    assert len(records.splits["validation"].records) == len(records.splits["test"].records) == 80
    write_subset(tmp_path, records, facts)
    table = pq.read_table(tmp_path / SUBSET_FILE).to_pydict()
    assert table["record_id"] == train.record_id.tolist()
    assert table["patient_id"] == train.patient_id.tolist()
    assert set(table["split"]) == {"train"}
    again = task_records(train=made_up())
    assert choose_subset(again, spec_of(tmp_path, fraction=0.25, seed=3))["digest"] == facts["digest"]
    again = task_records(train=made_up())
    assert choose_subset(again, spec_of(tmp_path, fraction=0.25, seed=4))["digest"] != facts["digest"]


def test_all_records_are_no_subset(tmp_path):
    records = task_records(train=made_up())
    train = records.splits["train"]
    assert choose_subset(records, spec_of(tmp_path, limit=600)) == {}
    assert records.splits["train"] is train
    write_subset(tmp_path, records, {})
    assert not list(tmp_path.iterdir())


def test_a_limit_is_taken_from_the_fraction(tmp_path):
    records = task_records(train=made_up())
    half = nested_records(records.splits["train"], records.columns, 0.5, 0)
    facts = choose_subset(records, spec_of(tmp_path, fraction=0.5, limit=17))
    assert (facts["rule"], facts["limit"], facts["records"]) == ("nested", 17, 17)
    assert set(records.splits["train"].record_id) < set(half.record_id)
    records = task_records(train=made_up())
    assert choose_subset(records, spec_of(tmp_path, limit=17))["rule"] == "limit"
    assert len(limited_records(made_up(), 17, 0).records) == 17


def test_records_without_any_label_are_placed_too():
    split = split_of(np.full((200, 2), np.nan))
    assert len(nested_records(split, columns_of("binary", "binary"), 0.5, 0).records) == 100
    split = split_of(np.random.default_rng(0).normal(size=(200, 2)), age=np.full(200, np.nan))
    assert len(nested_records(split, columns_of("regression", "regression"), 0.25, 0).records) == 50


def test_children_are_divided_by_their_own_age_bands():
    age = np.repeat([0.5, 3, 8, 15, 18.5], 40)
    chosen = nested_records(split_of(np.zeros((200, 1)), age=age), columns_of("binary"), 0.25, 0)
    assert np.unique(chosen.age, return_counts=True)[1].tolist() == [10] * 5


def test_the_rarest_of_many_labels_are_kept_in_proportion():
    rng = np.random.default_rng(0)
    share = np.r_[np.full(150, 0.2), np.full(80, 0.01), np.zeros(5)]
    targets = (rng.random((3000, 235)) < share).astype(np.float32)
    kinds = ("binary",) * 235
    chosen = nested_records(split_of(targets), columns_of(*kinds), 0.5, 0)
    rare = slice(150, 230)
    assert np.abs(chosen.targets[:, rare].sum(0) - targets[:, rare].sum(0) / 2).max() <= 3
    assert MOST_LABELS < 150


@pytest.mark.shared
def test_the_published_subset_is_the_references(shared: Path):
    case = json.loads((shared / "fixtures" / "stratify" / "label_efficiency.json").read_text())
    rows = case["records"]
    names = tuple(sorted({label for row in rows for label in row["labels"]}))
    split = split_of(
        [[float(name in row["labels"]) for name in names] for row in rows],
        [str(row["patient_id"]) for row in rows],
        ["female" if row["sex"] else "male" for row in rows],
        [row["age"] for row in rows],
        [str(row["ecg_id"]) for row in rows],
    )
    columns = columns_of(*["binary"] * len(names), names=names)
    for ratio, expected in case["subset_in_output_order"].items():
        found = published_subset(split, columns, "ptbxl_super", float(ratio))
        assert sorted(map(int, found.record_id)) == sorted(expected)


def test_the_published_rule_shrinks_validation_too(tmp_path):
    records = task_records(train=made_up(), validation=made_up(300), test=made_up(90))
    facts = choose_subset(records, spec_of(tmp_path, fraction=1 / 4, subset="published", seed=8))
    assert (facts["rule"], facts["seed"], facts["setting"]) == ("published", 0, None)
    for name, patients in (("train", 307), ("validation", 154)):
        split = records.splits[name]
        assert len(split.records) == pytest.approx(patients / 4, abs=4)
        known = [patient for patient in split.patient_id if patient is not None]
        assert len(known) == len(set(known))
    assert facts["validation"]["records"] == len(records.splits["validation"].records)
    assert len(records.splits["test"].records) == 90
    write_subset(tmp_path, records, facts)
    table = pq.read_table(tmp_path / SUBSET_FILE).to_pydict()
    assert table["split"].count("validation") == facts["validation"]["records"]


def test_published_settings_use_their_classes(tmp_path):
    names = ("SR", "NORM", "NDT", "1AVB")
    targets = np.eye(4, dtype=np.float32)[np.arange(80) % 4]
    columns = columns_of(*["binary"] * 4, names=names)
    chosen = published_subset(split_of(targets), columns, "ptbxl_all", 1.0)
    assert chosen.targets.sum(0).tolist() == [20, 20, 20, 0], "records of none of the 13 classes are left out"
    assert len(published_subset(split_of(targets), columns, "ptbxl_diag", 1.0).records) == 80


@pytest.mark.parametrize(("fraction", "message"), [(0.3, "expected one of 1, 1/2"), (1 / 128, "leaves no record")])
def test_the_published_rule_has_its_fractions(tmp_path, fraction, message):
    records = task_records(train=made_up(12), validation=made_up(12))
    with pytest.raises(TrainingError, match=message) as caught:
        choose_subset(records, spec_of(tmp_path, fraction=fraction, subset="published"))
    assert caught.value.fix


@pytest.mark.slow
def test_a_thousand_targets_take_seconds():
    rng = np.random.default_rng(0)
    targets = (rng.random((100_000, 400), dtype=np.float32) < np.geomspace(0.1, 0.002, 400)).astype(np.float32)
    split = split_of(targets, [f"p{number}" for number in rng.integers(0, 50_000, 100_000)])
    start = time.process_time()
    nested_records(split, columns_of(*["binary"] * 400), 0.25, 0)
    assert time.process_time() - start < 15

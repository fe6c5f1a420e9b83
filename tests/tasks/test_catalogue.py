"""Every catalogue entry against its dataset's declaration, and the suites against what they are said to add up to."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from hf_ecg_bench.data.registry import get_dataset_spec, list_datasets
from hf_ecg_bench.errors import DataError, UnknownNameError
from hf_ecg_bench.tasks import CATALOGUE, SUITES, get_suite, get_task, list_tasks, suites_of
from hf_ecg_bench.tasks.catalogue import BENCHMARK
from hf_ecg_bench.tasks.sizes import task_size
from hf_ecg_bench.tasks.suites import SuiteTotals, totals
from hf_ecg_bench.tasks.targets import target_columns
from hf_ecg_bench.training.loop.selection import GREATER_IS_BETTER

# Targets per task, as published; `mimic` is the joint training of its parts, `code_test` has the labels of `code15`.
SIZES = {
    "ptb": 18, "ningbo": 68, "cpsc2018": 9, "cpsc_extra": 33, "georgia": 50, "chapman": 42, "chapman_rhythm": 9,
    "sph": 35, "code15": 6, "ptbxl_all": 71, "ptbxl_diag": 44, "ptbxl_form": 19, "ptbxl_rhythm": 12, "ptbxl_sub": 23,
    "ptbxl_super": 5, "zzu_pecg": 58, "zzu_pecg_icd10": 19, "echonext": 11, "mimic_cardiac": 158,
    "mimic_noncardiac": 918, "mimic_deterioration": 6, "mimic_mortality": 7, "mimic_icu": 2, "mimic_sex": 1,
    "mimic_age": 1, "mimic_biometrics": 3, "mimic_ecg_features": 7, "mimic_lab_values": 18, "mimic_vital_signs": 6,
    "mimic": 1127, "zzu_pecg_chn": 60, "code_test": 6, "synthetic": 12,
}  # fmt: skip


@pytest.mark.parametrize("name", list_tasks())
def test_task_fits_its_dataset(name):
    task = get_task(name)
    assert task.id == name
    assert task.dataset in list_datasets()
    assert task.selection in GREATER_IS_BETTER
    spec = get_dataset_spec(task.dataset)
    classes = spec.label_columns[task.labels] if task.labels else ()
    columns = target_columns(task, classes, [t.name for t in spec.targets], [t.kind for t in spec.targets])
    assert len(set(columns.names)) == len(columns.names) == task_size(task).targets == SIZES[name]
    binary = ~columns.is_regression
    assert task_size(task).regression == (~binary).sum()
    expected = "macro_auroc" if binary.all() else "composite" if binary.any() else "mae"
    assert task.selection == expected


def test_every_dataset_has_a_task():
    assert {task.dataset for task in CATALOGUE.values()} == set(list_datasets())


@pytest.mark.parametrize("task", [task for task in CATALOGUE.values() if task.trained_as], ids=lambda task: task.id)
def test_a_slice_is_a_part_of_what_was_trained(task):
    whole = get_task(task.trained_as)
    assert whole.trained_as is None
    spec, whole_spec = get_dataset_spec(task.dataset), get_dataset_spec(whole.dataset)
    assert set(task.targets) <= set(whole.targets)
    if task.labels is not None:
        names = spec.label_columns[task.labels]
        assert set(names) <= set(whole_spec.label_columns[whole.labels])
        # In their order, so that a column of predictions is found by a plain look-up.
        order = [whole_spec.label_columns[whole.labels].index(name) for name in names]
        assert order == sorted(order)


def test_mimic_slices_share_nothing_and_leave_nothing():
    parts = [name for task in BENCHMARK if task.trained_as == "mimic" for name in task.targets]
    assert len(parts) == len(set(parts)) == 1127
    assert set(parts) == set(get_task("mimic").targets)
    declared = [target.name for target in get_dataset_spec("mimic_iv_ecg").targets]
    assert list(get_task("mimic").targets) == declared


def test_suites_add_up_to_what_was_published():
    sizes = {name: task_size(task).targets for name, task in CATALOGUE.items()}
    headline, published = (totals(get_suite(name), sizes) for name in ("headline", "published"))
    assert headline == SuiteTotals(rows=28, tasks=26, targets=1650)
    assert str(headline) == "26 tasks (28 rows), 1,650 targets"
    assert published == SuiteTotals(rows=28, tasks=28, targets=1640)
    assert str(published) == "28 rows, 1,640 targets"


def test_suites_hold_tasks_of_the_catalogue_once():
    for suite in SUITES.values():
        assert len(set(suite.tasks)) == len(suite.tasks)
        assert set(suite.tasks) <= set(CATALOGUE)
        assert all(set(group) <= set(suite.tasks) for group in suite.merged)
    assert suites_of("chapman_rhythm") == ("published",)
    assert suites_of("mimic") == suites_of("code_test") == suites_of("zzu_pecg_chn") == ()


@pytest.mark.shared
def test_catalogue_is_the_published_table(shared: Path):
    with open(shared / "specs" / "labels" / "tasks.csv", newline="", encoding="utf-8") as handle:
        rows = list(csv.DictReader(handle))
    assert [row["task_id"] for row in rows] == [task.id for task in BENCHMARK]
    for row, task in zip(rows, BENCHMARK, strict=True):
        assert (row["name"], row["category"]) == (task.name, task.category)
        assert task.dataset == {"mimic": "mimic_iv_ecg"}.get(row["dataset"], row["dataset"])
        assert int(row["n_targets"]) == task_size(task).targets
        assert ("regression" in row["type"]) == (task.selection == "mae")
        assert (row["counts_in_headline_26"] != "0") == ("headline" in suites_of(task.id))
        assert (row["is_published_row"] == "1") == ("published" in suites_of(task.id))
        trained = row["trained_as"].split(" ")[0]
        assert task.trained_as == (None if trained in (task.id, "no") else trained)


@pytest.mark.shared
@pytest.mark.parametrize("task", [task for task in BENCHMARK if task.labels], ids=lambda task: task.id)
def test_classes_are_the_published_ones(shared: Path, task):
    tables = shared / "specs" / "labels"
    with open(tables / "tasks.csv", newline="", encoding="utf-8") as handle:
        name = next(row["labels_file"] for row in csv.DictReader(handle) if row["task_id"] == task.id)
    with open(tables / name, newline="", encoding="utf-8") as handle:
        rows = list(csv.DictReader(handle))
    index = {
        "ptbxl_all": "index_all", "ptbxl_diag": "index_diag", "ptbxl_form": "index_form",
        "ptbxl_rhythm": "index_rhythm", "chapman_rhythm": "index_rhythm", "ptb": None,
    }.get(task.id, "index")  # fmt: skip
    label = next(column for column in ("label", "code") if column in rows[0])
    if index is not None:
        rows = sorted((row for row in rows if row[index] != ""), key=lambda row: int(float(row[index])))
    assert list(get_dataset_spec(task.dataset).label_columns[task.labels]) == [row[label] for row in rows]


def test_unknown_names_get_close_ones():
    with pytest.raises(UnknownNameError, match="did you mean 'ptbxl_super'"):
        get_task("ptbxl-supr")
    with pytest.raises(UnknownNameError, match="did you mean 'headline'"):
        get_suite("head_line")


def test_targets_that_a_build_lacks_are_counted_not_listed():
    task = get_task("mimic")
    with pytest.raises(DataError) as caught:
        target_columns(task, (), task.targets[5:], ["binary"] * 1122)
    assert str(caught.value).startswith("task mimic has 1,127 targets; 5 of them are not in the prepared data: A04, ")
    assert len(str(caught.value)) < 400
    assert "without options that change" in str(caught.value.fix)


def test_catalogue_is_in_order_and_unique():
    assert list(CATALOGUE) == list_tasks()
    assert len(BENCHMARK) == 29
    assert set(SIZES) == set(CATALOGUE)

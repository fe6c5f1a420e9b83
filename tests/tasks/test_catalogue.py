"""Every catalogue entry against its dataset's declaration."""

from __future__ import annotations

import csv

import numpy as np
import pytest

from hf_ecg_bench.data.registry import get_dataset_spec, list_datasets
from hf_ecg_bench.errors import UnknownNameError
from hf_ecg_bench.tasks import CATALOGUE, get_task, list_tasks
from hf_ecg_bench.tasks.targets import target_columns
from hf_ecg_bench.training.selection import GREATER_IS_BETTER

# Targets per task, as published.
SIZES = {"ptbxl_all": 71, "ptbxl_diag": 44, "ptbxl_form": 19, "ptbxl_rhythm": 12, "ptbxl_sub": 23, "ptbxl_super": 5}


@pytest.mark.parametrize("name", list_tasks())
def test_task_fits_its_dataset(name):
    task = get_task(name)
    assert task.id == name
    assert task.dataset in list_datasets()
    assert task.selection in GREATER_IS_BETTER
    spec = get_dataset_spec(task.dataset)
    classes = spec.label_columns[task.labels] if task.labels else ()
    columns = target_columns(task, classes, [t.name for t in spec.targets], [t.kind for t in spec.targets])
    assert len(set(columns.names)) == len(columns.names) > 0
    assert len(columns.names) == SIZES.get(name, len(columns.names))
    binary = ~columns.is_regression
    assert binary.any() or task.selection == "mae"
    assert not np.all(binary) or task.selection == "macro_auroc"


def test_sizes_are_those_of_the_published_table(shared):
    with open(shared / "specs" / "labels" / "tasks.csv", newline="", encoding="utf-8") as handle:
        published = {
            row["task_id"]: int(row["n_targets"]) for row in csv.DictReader(handle) if row["n_targets"].isdigit()
        }
    assert {name: published[name] for name in SIZES} == SIZES


def test_unknown_task_names_close_ones():
    with pytest.raises(UnknownNameError, match="did you mean 'ptbxl_super'"):
        get_task("ptbxl-supr")


def test_catalogue_is_in_order_and_unique():
    assert list(CATALOGUE) == list_tasks()

"""Training subsets of one record per patient: exact on the reference's own, and what holds for any."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from hf_ecg_bench.data.folds.label_efficiency import RATIOS, SETTINGS, label_efficiency_subset
from hf_ecg_bench.data.registry import get_dataset_spec
from hf_ecg_bench.tasks import get_task


@pytest.mark.shared
@pytest.mark.parametrize("ratio", RATIOS)
def test_equals_the_reference(shared: Path, ratio: float) -> None:
    case = json.loads((shared / "fixtures" / "stratify" / "label_efficiency.json").read_text())
    records = case["records"]
    subset = label_efficiency_subset(
        [record["patient_id"] for record in records],
        [record["labels"] for record in records],
        ["female" if record["sex"] else "male" for record in records],
        [record["age"] for record in records],
        ratio,
    )
    expected = case["subset_in_output_order"]
    assert {float(key) for key in expected} == set(RATIOS)
    assert [records[position]["ecg_id"] for position in subset] == expected[str(ratio)]


def made_up(n: int = 400) -> tuple[list[int | None], list[list[str]], list[str | None], list[float | None]]:
    rng = np.random.default_rng(3)
    patients: list[int | None] = rng.integers(0, n // 2, n).tolist()
    labels = [[name for name in ("A", "B", "C") if rng.random() < 0.3] for _ in range(n)]
    sex: list[str | None] = rng.choice(["male", "female"], n).tolist()
    age: list[float | None] = rng.uniform(5, 95, n).tolist()
    return patients, labels, sex, age


def test_golden_subset() -> None:
    assert label_efficiency_subset(*made_up(), 1 / 64) == [33, 9, 77, 271]


@pytest.mark.parametrize("ratio", RATIOS)
def test_a_share_of_the_patients_once_each(ratio: float) -> None:
    patients, labels, sex, age = made_up()
    subset = label_efficiency_subset(patients, labels, sex, age, ratio)
    assert len({patients[position] for position in subset}) == len(subset)
    assert abs(len(subset) - ratio * len(set(patients))) <= 4


def test_missing_facts_do_not_stop_it() -> None:
    patients, labels, sex, age = made_up()
    patients[0] = patients[1] = None
    age[:9], sex[:9] = [None] * 9, [None] * 9
    subset = label_efficiency_subset(patients, labels, sex, age, 1.0)
    assert len(subset) == len({patient for patient in patients if patient is not None}) + 2


@pytest.mark.parametrize("ratio", [0, -1, 1.5])
def test_other_ratios_are_refused(ratio: float) -> None:
    with pytest.raises(ValueError, match="expected more than 0 and at most 1"):
        label_efficiency_subset(*made_up(), ratio)


def test_lists_of_different_length_are_refused() -> None:
    patients, labels, sex, age = made_up()
    with pytest.raises(ValueError, match="different lengths"):
        label_efficiency_subset(patients, labels, sex[1:], age, 0.5)


@pytest.mark.parametrize("setting", SETTINGS.values(), ids=list(SETTINGS))
def test_published_settings_name_classes_of_their_task(setting) -> None:
    task = get_task(setting.task)
    names = get_dataset_spec(task.dataset).label_columns[task.labels]
    assert set(setting.classes or names) <= set(names)
    assert setting.labels_of([names[0], "other"]) in ([names[0]], [names[0], "other"], None)


def test_records_without_a_label_of_the_setting() -> None:
    assert SETTINGS["ptbxl_all_label_efficiency"].labels_of(["ANEUR"]) is None
    assert SETTINGS["ptbxl_all_label_efficiency"].labels_of(["ANEUR", "SR"]) == ["SR"]
    assert SETTINGS["echonext_label_efficiency"].labels_of(["pericardial_effusion_moderate_large_flag"]) == []
    assert SETTINGS["ptbxl_label_efficiency"].labels_of([]) == []
    assert {name: len(setting.classes or ()) for name, setting in SETTINGS.items()} == {
        "ptbxl_label_efficiency": 0,
        "ptbxl_all_label_efficiency": 13,
        "echonext_label_efficiency": 6,
    }

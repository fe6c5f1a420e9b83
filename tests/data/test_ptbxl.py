"""PTB-XL against the reference's fixture and against real records."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import datasets
import numpy as np
import pytest
import wfdb

from hf_ecg_bench.data.prepare import prepare
from hf_ecg_bench.data.sources.ptbxl.tables import clean_age, parse_codes, published_label_names
from tests.data.sources.built import build, planned, rows_in

COLUMNS = ("all", "diag", "form", "rhythm", "sub", "super")
EXPECTED_KEYS = {"sub": "label_diag_subclass", "super": "label_diag_superclass"}
SPLITS = {"train": "train", "validation": "val", "test": "test"}


def test_published_label_lists() -> None:
    names = published_label_names()
    assert [len(names[f"labels_{column}"]) for column in COLUMNS] == [71, 44, 19, 12, 23, 5]
    assert names["labels_super"] == ("CD", "HYP", "MI", "NORM", "STTC")
    assert all(list(values) == sorted(values) for values in names.values())


def test_ages_and_codes() -> None:
    assert [clean_age(cell) for cell in ("300.0", "89", "", "nan", "-1", "old", "0.5")] == [
        90.0,
        89.0,
        None,
        None,
        None,
        None,
        0.5,
    ]
    assert parse_codes("{'NORM': 100.0, 'SR': nan, 'PAC': -0.0}") == ["NORM", "SR", "PAC"]
    assert parse_codes("") == parse_codes("nan") == parse_codes("{}") == []


@pytest.mark.shared
def test_fixture_equals_the_reference(shared: Path, tmp_path: Path) -> None:
    fixture = shared / "fixtures" / "ptbxl"
    expected = json.loads((fixture / "expected.json").read_text())
    ledger, rows = build("ptbxl", fixture / "raw", tmp_path / "out")
    assert ledger.n_excluded == 0
    assert rows.keys() == expected["records"].keys()
    signals = np.load(fixture / "signals.npz")
    for record_id, record in expected["records"].items():
        row = rows[record_id]
        if f"{record_id}/signal" in signals:  # the fixture keeps the signals of some records only
            np.testing.assert_array_equal(row["signal"], signals[f"{record_id}/signal"])
        raw = wfdb.rdrecord(str(fixture / "raw" / record["filename_hr"])).p_signal
        np.testing.assert_array_equal(row["signal"], raw.astype(np.float32))
        assert row["strat_fold"] == record["strat_fold"]
        assert row["patient_id"] == str(int(record["patient_id"]))
        assert row["sex"] == {0: "male", 1: "female", None: None}[record["sex"]]
        assert row["age"] == {300.0: 90.0}.get(record["age"], record["age"])
        for column in COLUMNS:
            labels = record[EXPECTED_KEYS.get(column, f"label_{column}")]
            assert row[f"labels_{column}"] == sorted(set(labels))


@pytest.mark.shared
@pytest.mark.parametrize(("min_count", "tasks"), [("10", "tasks"), ("3", "tasks_min_cnt_3")])
def test_tasks_equal_the_reference(shared: Path, min_count: str, tasks: str) -> None:
    fixture = shared / "fixtures" / "ptbxl"
    expected = json.loads((fixture / "expected.json").read_text())[tasks]
    # `min_cnt` is the fixtures' name of the option.
    names, rows = planned("ptbxl", fixture / "raw", min_cnt=min_count, splits="largest_folds")
    for task, facts in expected.items():
        column = f"labels_{task.removeprefix('ptbxl_')}"
        assert names[column] == facts["label_names"]
        for record_id, record in facts["records"].items():
            assert rows[record_id][column] == record["labels"]
            assert SPLITS[rows[record_id]["split"]] == record["split"]


@pytest.mark.shared
def test_real_records_equal_tables_and_wfdb(shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    raw = shared / "data" / "ptbxl"
    ledger = prepare("ptbxl", raw_dir=raw, output_dir=tmp_path / "ecg-bench" / "ptbxl", num_proc=1)
    assert (ledger.found, ledger.kept, ledger.defects) == (365, 365, {})
    assert {split: facts["records"] for split, facts in ledger.splits.items()} == {
        "train": 260,
        "validation": 53,
        "test": 52,
    }
    supers = {
        name: sum(facts["labels"]["labels_super"][name] for facts in ledger.splits.values())
        for name in ("NORM", "MI", "STTC", "CD", "HYP")
    }
    assert supers == {"NORM": 217, "MI": 60, "STTC": 71, "CD": 63, "HYP": 30}
    # The name users type, offline, from a folder of that relative path.
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    loaded = datasets.load_dataset("ecg-bench/ptbxl")
    assert loaded["train"].features["signal"] == datasets.Array2D((None, 12), "float32")
    rows = rows_in(tmp_path / "ecg-bench" / "ptbxl")
    with open(shared / "data" / "ptbxl_labels" / "ptbxl_labels_v103_all_21799.csv", newline="") as handle:
        table = {row["ecg_id"]: row for row in csv.DictReader(handle)}
    for record_id, row in rows.items():
        facts = table[record_id]
        assert row["labels_all"] == sorted(facts["scp_labels"].split(";") if facts["scp_labels"] else [])
        assert row["strat_fold"] == int(facts["strat_fold"])
        assert row["split"] == {9: "validation", 10: "test"}.get(row["strat_fold"], "train")
        assert row["patient_id"] == facts["patient_id"]
        assert row["age"] == clean_age(facts["age"])
        assert row["sex"] == ("male", "female")[int(facts["sex"])]
    for record_id in list(rows)[::9]:
        signal = wfdb.rdrecord(str(raw / table[record_id]["filename_hr"])).p_signal
        np.testing.assert_array_equal(rows[record_id]["signal"], signal.astype(np.float32))


@pytest.mark.slow
@pytest.mark.shared
def test_labels_and_folds_of_the_whole_release(shared: Path, tmp_path: Path) -> None:
    source = shared / "data" / "ptbxl_labels" / "ptbxl_labels_v103_all_21799.csv"
    raw = tmp_path / "raw"
    raw.mkdir()
    shutil.copy(shared / "data" / "ptbxl" / "scp_statements.csv", raw)
    columns = ("ecg_id", "patient_id", "age", "sex", "strat_fold", "filename_hr")
    with (
        open(source, newline="") as table,
        open(raw / "ptbxl_database.csv", "w", newline="") as target,
    ):
        writer = csv.writer(target)
        writer.writerow([*columns, "scp_codes"])
        for row in csv.DictReader(table):
            codes = {code: 100.0 for code in row["scp_labels"].split(";") if code}
            writer.writerow([*(row[column] for column in columns), str(codes)])
    builds = {}
    for name, options in {"published": {}, "counted": {"min_count": "10"}}.items():
        builds[name] = prepare(
            "ptbxl", raw_dir=raw, output_dir=tmp_path / name, options=options, metadata_only=True, strict=True
        )
    facts = builds["published"].splits
    assert {split: (item["records"], item["patients"]) for split, item in facts.items()} == {
        "train": (17418, 15023),
        "validation": (2183, 1942),
        "test": (2198, 1904),
    }
    supers = {
        name: sum(item["labels"]["labels_super"][name] for item in facts.values())
        for name in ("NORM", "MI", "STTC", "CD", "HYP")
    }
    assert supers == {"NORM": 9514, "MI": 5469, "STTC": 5235, "CD": 4898, "HYP": 2649}
    assert sum(item["unlabelled"]["labels_super"] for item in facts.values()) == 411
    # Counted on the whole release, the lists are the published ones.
    assert builds["counted"].splits == facts

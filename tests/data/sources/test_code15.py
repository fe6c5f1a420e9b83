"""CODE-15% against the reference's fixture, real exams, and made-up trees."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from hf_ecg_bench.data.ledger import Ledger
from hf_ecg_bench.data.load import load_prepared
from hf_ecg_bench.data.prepare import prepare
from hf_ecg_bench.data.registry import get_builder
from hf_ecg_bench.data.sources.code.labels import label_names
from hf_ecg_bench.data.sources.code.tracings import is_empty, open_tracings, signal_bounds
from hf_ecg_bench.errors import DataError
from hf_ecg_bench.signals.resampling import resample
from tests.data.sources.built import rows_in

SPLITS = {"train": "train", "validation": "val", "test": "test"}
REFERENCE = {"n_folds": "10", "protocol": "published", "splits": "largest_folds"}


def build(
    raw: Path, out: Path, *, metadata_only: bool = False, **options: str
) -> tuple[dict[str, dict[str, Any]], Ledger]:
    ledger = prepare("code15", raw_dir=raw, output_dir=out, options=options, metadata_only=metadata_only)
    return rows_in(out), ledger


def edit_table(raw: Path, change: Any) -> None:
    """Rewrite exams.csv with `change` applied to its list of rows."""
    with open(raw / "exams.csv", newline="") as handle:
        rows = list(csv.DictReader(handle))
    rows = change(rows) or rows
    with open(raw / "exams.csv", "w", newline="") as handle:
        writer = csv.DictWriter(handle, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    raw = tmp_path / "raw"
    raw.mkdir()
    get_builder("code15").example(str(raw), 12)
    return raw


def test_labels_in_published_order() -> None:
    assert label_names() == ("1AVB", "RBBB", "LBBB", "SBRAD", "AFIB", "STACH")


@pytest.mark.shared
def test_fixture_equals_the_reference(shared: Path, tmp_path: Path) -> None:
    fixture = shared / "fixtures" / "code15"
    expected = json.loads((fixture / "expected.json").read_text())
    rows, ledger = build(fixture / "raw", tmp_path / "out", **REFERENCE)
    assert ledger.n_excluded == 0
    # The two records that the reference drops as empty are the parts' all-zero rows.
    assert f"{expected['dropped_empty']} all-zero rows with exam_id 0" in " ".join(ledger.notes)
    assert rows.keys() == expected["records"].keys()
    prepared = load_prepared(tmp_path / "out")
    order = [row["record_id"] for split in ("train", "validation", "test") for row in prepared.splits[split]]
    source = list(expected["records"])
    assert [record for split in SPLITS for record in source if rows[record]["split"] == split] == order
    signals = np.load(fixture / "signals.npz")
    names = label_names()
    for record_id, facts in expected["records"].items():
        row = rows[record_id]
        assert len(row["signal"]) == facts["data_length"]
        assert row["strat_fold"] == facts["strat_fold"]
        assert row["labels"] == [names[label] for label in sorted(facts["label"])]
        unlabelled = facts["missing_label"]
        assert row["patient_id"] == (None if unlabelled else str(int(facts["id_patient"])))
        # The reference makes a missing sex "male".
        assert row["sex"] == (None if unlabelled else facts["sex"])
        assert row["age"] == (None if unlabelled else facts["age"])
        if f"{record_id}/signal" in signals:
            np.testing.assert_allclose(row["signal"], signals[f"{record_id}/signal"], atol=1e-6)
            for rate in (100, 240, 250, 500):
                window = resample(row["signal"][:960], 400, rate)
                np.testing.assert_allclose(window, signals[f"{record_id}/first2.4s@{rate}"], atol=1e-5)
    task = expected["tasks"]["code15"]
    assert prepared.info["label_columns"]["labels"] == task["label_names"]
    used = {}
    for record_id, row in rows.items():
        if row["strat_fold"] < 0:
            assert int(record_id) in task["dropped_unlabelled"]
        elif len(row["signal"]) < task["min_samples"]:
            assert int(record_id) in task["dropped_too_short"]
        else:
            used[record_id] = {
                "split": SPLITS[row["split"]],
                "fold": row["strat_fold"],
                "labels": sorted(row["labels"]),
            }
    assert used == task["records"]
    stored = [row["signal"] for row in rows.values()]
    for name, value in (("mean", np.mean), ("std", np.std)):
        ours = np.mean([value(signal, axis=0, dtype=np.float64) for signal in stored], axis=0)
        np.testing.assert_allclose(ours, expected["stats"][name], atol=1e-6)


@pytest.mark.shared
def test_fixture_with_corrected_trimming(shared: Path, tmp_path: Path) -> None:
    raw = shared / "fixtures" / "code15" / "raw"
    rows, _ = build(raw, tmp_path / "out", n_folds="10")
    for part in (0, 1):
        with h5py.File(raw / f"exams_part{part}.hdf5") as file:
            for exam_id, stored in zip(file["exam_id"][:], file["tracings"][:], strict=True):
                if exam_id:
                    places = np.flatnonzero((stored != 0).any(axis=1))
                    np.testing.assert_array_equal(rows[str(exam_id)]["signal"], stored[places[0] : places[-1] + 1])
    metadata, ledger = build(raw, tmp_path / "metadata", n_folds="10", metadata_only=True)
    assert ledger.found == len(metadata) == 43
    assert "signal" not in metadata["1000"]
    for exam_id, row in metadata.items():
        assert {name: rows[exam_id][name] for name in ("labels", "strat_fold", "sex", "patient_id")} == {
            name: row[name] for name in ("labels", "strat_fold", "sex", "patient_id")
        }


@pytest.mark.shared
def test_real_exams(shared: Path, tmp_path: Path) -> None:
    raw = shared / "data" / "code15"
    rows, ledger = build(raw, tmp_path / "out")
    assert (ledger.found, ledger.kept, ledger.defects, ledger.excluded) == (8, 8, {}, {})
    with open(raw / "exams.csv", newline="") as handle:
        table = {row["exam_id"]: row for row in csv.DictReader(handle)}
    assert rows.keys() == table.keys()
    long = {exam for exam, row in rows.items() if len(row["signal"]) == 4096}
    assert long == {"270272", "975093", "1594286"}
    assert {rows[exam]["strat_fold"] for exam in long} == {22, 66, 70}
    columns = dict(zip(label_names(), ("1dAVb", "RBBB", "LBBB", "SB", "AF", "ST"), strict=True))
    for exam_id, row in rows.items():
        facts = table[exam_id]
        assert row["labels"] == [name for name, column in columns.items() if facts[column] == "True"]
        assert row["age"] == float(facts["age"])
        assert row["sex"] == {"True": "male", "False": "female"}[facts["is_male"]]
        assert row["patient_id"] == facts["patient_id"]
        with h5py.File(raw / facts["trace_file"]) as file:
            stored = file["tracings"][list(file["exam_id"][:]).index(int(exam_id))]
        places = np.flatnonzero((stored != 0).any(axis=1))
        np.testing.assert_array_equal(row["signal"], stored[places[0] : places[-1] + 1])


def test_padding_and_zeros_inside() -> None:
    """Q9: the published rule cuts off signal where padding is one-sided or a record is flat in the middle."""
    ones = np.ones((4096, 12), np.float32)
    for zeros, corrected, published in (
        ([], (0, 4096), (0, 4096)),
        ([slice(0, 48), slice(4048, None)], (48, 4048), (48, 4048)),
        ([slice(3896, None)], (0, 3896), (100, 3996)),
        ([slice(0, 48), slice(2000, 2060), slice(4048, None)], (48, 4048), (78, 4018)),
        ([slice(0, 1)], (1, 4096), (0, 4096)),
        ([slice(None)], (4096, 0), (2048, 2048)),
    ):
        stored = ones.copy()
        for part in zeros:
            stored[part] = 0
        assert signal_bounds(stored, "corrected") == corrected
        assert signal_bounds(stored, "published") == published
    one_lead = np.zeros((4096, 12), np.float32)
    one_lead[600:700, 7] = -1
    assert signal_bounds(one_lead, "corrected") == (600, 700)


def test_empty_tracings_are_found_without_reading_the_others(tmp_path: Path) -> None:
    tracings = np.zeros((4, 100, 12), np.float32)
    tracings[1, 10, 3], tracings[2, 50, 0], tracings[3] = 1, np.nan, 2
    with h5py.File(tmp_path / "a.hdf5", "w") as file:
        file["tracings"] = tracings
    with open_tracings(tmp_path / "a.hdf5") as data:
        assert [is_empty(data, row) for row in range(4)] == [True, False, False, False]


def test_an_empty_tracing_changes_the_folds_as_in_the_reference(tree: Path, tmp_path: Path) -> None:
    before, _ = build(tree, tmp_path / "before")
    with h5py.File(tree / "exams_part0.hdf5", "r+") as file:
        file["tracings"][3] = 0
    after, ledger = build(tree, tmp_path / "after")
    assert ledger.excluded == {"empty tracing": [["1009", "exams_part0.hdf5 row 3: all samples are zero"]]}
    assert (ledger.found, ledger.kept) == (12, 11)
    # The reference drops it before it makes folds, so those are the folds of the table without its row.
    edit_table(tree, lambda rows: [row for row in rows if row["exam_id"] != "1009"])
    without, _ = build(tree, tmp_path / "without", metadata_only=True)
    assert {key: row["strat_fold"] for key, row in after.items()} == {
        key: row["strat_fold"] for key, row in without.items()
    }
    assert before.keys() - after.keys() == {"1009"}


def test_folds_do_not_depend_on_which_parts_are_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hf_ecg_bench.data.sources.code.example._PART", 20)
    raw = tmp_path / "raw"
    raw.mkdir()
    get_builder("code15").example(str(raw), 40)
    whole, _ = build(raw, tmp_path / "whole")
    (raw / "exams_part1.hdf5").unlink()
    part, ledger = build(raw, tmp_path / "part")
    assert len(whole) == 40
    assert len(part) == ledger.found == 20
    assert all(row["strat_fold"] == whole[key]["strat_fold"] for key, row in part.items())
    assert "20 exams of exams.csv are in files that are not here" in " ".join(ledger.notes)


def test_parts_in_numeric_order(tree: Path, tmp_path: Path) -> None:
    for number in (2, 10):
        with h5py.File(tree / f"exams_part{number}.hdf5", "w") as file:
            file["exam_id"] = [number]
            file["tracings"] = np.ones((1, 4096, 12), np.float32)
    rows, ledger = build(tree, tmp_path / "out")
    assert [key for key, row in rows.items() if row["split"] == "train"][-2:] == ["2", "10"]
    assert [entry[0] for entry in ledger.defects["not in exams.csv (unlabelled, no fold)"]] == ["2", "10"]
    assert rows["2"]["strat_fold"] == -1
    assert rows["2"]["patient_id"] is None


def test_missing_sex_and_age_count_as_male_and_old_in_folds(tree: Path, tmp_path: Path) -> None:
    def fill(male: str, age: str) -> dict[str, int]:
        def change(rows: list[dict[str, str]]) -> None:
            rows[4]["is_male"], rows[4]["age"] = male, age

        edit_table(tree, change)
        rows, _ = build(tree, tmp_path / "out" / f"{male}{age}", metadata_only=True, n_folds="3")
        if not male:
            row = next(row for row in rows.values() if row["sex"] is None)
            assert row["age"] is None
        return {key: row["strat_fold"] for key, row in rows.items()}

    assert fill("", "") == fill("True", "85")


def test_golden_numbers_of_the_example(tmp_path: Path) -> None:
    raw = tmp_path / "raw"
    raw.mkdir()
    get_builder("code15").example(str(raw), 40)
    rows, ledger = build(raw, tmp_path / "out", n_folds="5")
    assert ledger.defects == ledger.excluded == {}
    assert [facts["records"] for facts in ledger.splits.values()] == [24, 8, 8]
    assert [rows[str(1000 + 3 * number)]["strat_fold"] for number in range(12)] == [
        1,
        1,
        4,
        0,
        2,
        3,
        1,
        4,
        3,
        1,
        2,
        3,
    ]
    lengths = [len(rows[str(1000 + 3 * number)]["signal"]) for number in range(3)]
    assert lengths == [4096, 2934, 4000]


def test_options(tree: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="largest_folds looks at the lengths"):
        build(tree, tmp_path / "a", splits="largest_folds", metadata_only=True)
    with pytest.raises(DataError, match="n_folds=2"):
        build(tree, tmp_path / "a", n_folds="2")
    prepare("code15", raw_dir=tree, output_dir=tmp_path / "b", options={"min_count": "1"})
    assert load_prepared(tmp_path / "b").info["label_columns"]["labels"] == list(label_names())
    prepare("code15", raw_dir=tree, output_dir=tmp_path / "c", options={"min_count": "2"})
    assert load_prepared(tmp_path / "c").info["label_columns"]["labels"] == []

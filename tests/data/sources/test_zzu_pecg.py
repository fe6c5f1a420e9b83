"""ZZU pECG against the reference's fixture, against real records, and rule by rule on made-up ones."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import wfdb

from hf_ecg_bench.data.ledger import Ledger
from hf_ecg_bench.data.load import load_prepared
from hf_ecg_bench.data.prepare import prepare
from hf_ecg_bench.data.sources.zzu_pecg.codes import tokens
from hf_ecg_bench.data.sources.zzu_pecg.example import write_example
from hf_ecg_bench.data.sources.zzu_pecg.tables import age_in_days, index_zzu_pecg, published_label_names
from hf_ecg_bench.errors import DataError
from hf_ecg_bench.signals.resampling import resample
from tests.data.sources.built import rows_in

EXAMPLE_FOLDS = [7, 0, 3, 6, 1, 2, 9, 3, 8, 8, 7, 9, 6, 0, 5, 1, 0, 2, 5, 5, 3, 4, 8, 7, 2, 9, 6, 1, 4, 4]
SPLITS = {"train": "train", "validation": "val", "test": "test"}
COLUMNS = {"zzu_pecg": "labels_aha", "zzu_pecg_chn": "labels_chn", "zzu_pecg_icd10": "labels_icd10"}
DESCRIPTIONS = {
    "labels_aha": "aha_description",
    "labels_chn": "chn_description",
    "labels_icd10": "icd10_disease_category",
}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Thirty made-up records; damage them as the test needs."""
    root = tmp_path / "raw"
    root.mkdir()
    write_example(str(root), 30)
    return root


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


# --- against the reference ---


@pytest.mark.shared
@pytest.mark.parametrize("min_count", [None, 10, 3])
def test_fixture_equals_the_reference(shared: Path, tmp_path: Path, min_count: int | None) -> None:
    fixture = shared / "fixtures" / "zzu_pecg"
    expected = json.loads((fixture / "expected.json").read_text())
    options = {} if min_count is None else {"splits": "largest_folds", "min_cnt": str(min_count)}
    # Strict: nine leads are left out by design.
    ledger = prepare("zzu_pecg", raw_dir=fixture / "raw", output_dir=tmp_path / "out", options=options, strict=True)
    assert (ledger.found, ledger.kept) == (40, 36)
    assert {reason: len(entries) for reason, entries in ledger.excluded.items()} == {"not 12 leads": 4}
    prepared = load_prepared(tmp_path / "out")
    rows = rows_in(tmp_path / "out")
    assert rows.keys() == expected["records"].keys()
    signals = np.load(fixture / "signals.npz")
    windows = 0
    for record_id, record in expected["records"].items():
        row = rows[record_id]
        assert row["patient_id"] == record["patient_id"]
        assert row["sex"] == {1.0: "male", 0.0: "female", -1.0: None}[record["gender"]]
        assert row["age"] == np.float32(record["age"] / 365.25)
        assert list(row["findings"]) == record["aha_code"]
        assert row["signal"].shape == (record["data_length"], 12)
        if min_count == expected["params"]["min_cnt"]:  # the folds depend on which categories are classes
            assert row["strat_fold"] == record["strat_fold"]
        if f"{record_id}/signal" in signals:
            np.testing.assert_allclose(row["signal"], signals[f"{record_id}/signal"], atol=1e-6)
        for key in signals.files:
            if key.startswith(f"{record_id}/first2.4s@"):
                rate = int(key.split("@")[1])
                window = resample(row["signal"][: int(2.4 * 500)], 500, rate)
                np.testing.assert_allclose(window, signals[key], atol=1e-5)
                windows += 1
        if min_count is None:
            for column, names in published_label_names().items():
                assert row[column] == sorted(set(record[DESCRIPTIONS[column]]) & set(names))
    assert windows
    for task, facts in {None: {}, 10: expected["tasks"], 3: expected["tasks_min_cnt_3"]}[min_count].items():
        assert prepared.info["label_columns"][COLUMNS[task]] == facts["label_names"]
        short = {record_id for record_id, row in rows.items() if len(row["signal"]) < 5000}
        assert short == set(facts["dropped_too_short"])
        assert facts["records"].keys() == rows.keys() - short
        for record_id, record in facts["records"].items():
            row = rows[record_id]
            assert (row[COLUMNS[task]], row["strat_fold"]) == (record["labels"], record["fold"])
            assert SPLITS[row["split"]] == record["split"]


@pytest.mark.shared
def test_real_records_build_without_loss(shared: Path, tmp_path: Path) -> None:
    raw = shared / "data" / "zzu_pecg"
    ledger = prepare("zzu_pecg", raw_dir=raw, output_dir=tmp_path / "out")
    assert (ledger.found, ledger.kept, ledger.n_excluded) == (17, 17, 0)
    # One record has loose leads, so that its limb leads contradict each other.
    assert [[entry[0] for entry in entries] for entries in ledger.defects.values()] == [["P09066_E01"]]
    assert any("no DiseaseCode.csv" in note for note in ledger.notes)
    rows = rows_in(tmp_path / "out")
    assert {(row["strat_fold"], row["split"], tuple(row["labels_icd10"])) for row in rows.values()} == {
        (-1, "train", ())
    }
    with open(raw / "AttributesDictionary.csv", newline="") as handle:
        table = {row["ECG_ID"]: row for row in csv.DictReader(handle)}
    assert rows.keys() == table.keys()
    largest = 0.0
    for record_id, row in rows.items():
        record = wfdb.rdrecord(str(raw / "Child_ecg" / table[record_id]["Filename"]))
        np.testing.assert_allclose(row["signal"], record.p_signal, atol=1e-5)
        assert len(row["signal"]) == int(table[record_id]["Sampling_point"])
        largest = max(largest, float(np.abs(row["signal"]).max()))
    assert largest > 20, "loose leads are kept as they are"
    assert list(rows["P00615_E01"]["findings"]) == ["C21", "D30+Modifier308", "I105"]
    assert rows["P00615_E01"]["labels_aha"] == ["Incomplete right bundle-branch block", "Sinus tachycardia"]


@pytest.mark.shared
def test_original_quoting(shared: Path, tmp_path: Path) -> None:
    """Fifty rows as published, with all their quotes, CHN codes and quality indices."""
    raw = shared / "data" / "zzu_pecg"
    shutil.copy(raw / "AttributesDictionary_verbatim_50_rows.csv", tmp_path / "AttributesDictionary.csv")
    shutil.copy(raw / "ECGCode.csv", tmp_path)
    shutil.copy(shared / "fixtures" / "zzu_pecg" / "raw" / "DiseaseCode.csv", tmp_path)
    ledger = Ledger("zzu_pecg", strict=True)
    index = index_zzu_pecg(str(tmp_path), ledger, metadata_only=True)
    assert (ledger.found, len(index)) == (50, 50)
    assert (index.sex.count("male"), index.sex.count("female")) == (32, 18)
    assert None not in index.age
    assert index.samples is not None
    assert min(index.samples) == 8500
    row = index.record_id.index("P03763_E01")
    assert index.extra["findings"][row][-3:] == ["Prolonged QTc interval", "L150", "Suggests211"]
    assert index.labels["labels_aha"][row][-2:] == ["Prominent U waves", "Hypokalemia or drug effect"]
    # The table of codes spells it `J(111 + 112 + 113)`; codes have to be equal, as in the reference.
    assert "Low voltage" in index.labels["labels_aha"][row]
    assert "Low voltage" not in index.labels["labels_chn"][row]
    assert (
        ledger.notes[1] == "Chinese codes that ECGCode.csv does not list become no label: F64 (1), J(111+112+113) (1)"
    )


@pytest.mark.shared
def test_published_labels_are_descriptions_of_the_release(shared: Path) -> None:
    with open(shared / "data" / "zzu_pecg" / "ECGCode.csv", newline="") as handle:
        rows = list(csv.DictReader(handle))
    names = published_label_names()
    for column, code in (("labels_aha", "AHA(Category&Code)"), ("labels_chn", "CHN(Category&Code)")):
        assert set(names[column]) <= {row["Description"] for row in rows if row[code] != "N/A"}


# --- on made-up records ---


def test_published_label_lists() -> None:
    names = published_label_names()
    assert {column: len(own) for column, own in names.items()} == {
        "labels_aha": 58,
        "labels_chn": 60,
        "labels_icd10": 19,
    }
    assert all(list(own) == sorted(set(own)) for own in names.values())


def test_golden_numbers_of_the_example(tree: Path) -> None:
    index = index_zzu_pecg(str(tree), Ledger("zzu_pecg", strict=True))
    assert index.strat_fold == EXAMPLE_FOLDS
    assert index.age[:2] == [1 / 365.25, 98 / 365.25]


def test_cells() -> None:
    assert tokens("'C21';'D30+Modifier308'; 'I105' ;'C21'") == ["C21", "D30+Modifier308", "I105", "C21"]
    assert tokens("Null") == tokens("") == tokens("'Null'") == tokens(";") == []
    assert [age_in_days(cell) for cell in ("572d", "572", "0d", "", "Null", "-3d", "12y", "99999d")] == [
        572,
        572,
        0,
        None,
        None,
        None,
        None,
        None,
    ]


def test_modifiers_and_words_are_findings_but_no_labels(tree: Path) -> None:
    """The published benchmark loses them silently; here a column and a note have them."""
    edit(
        tree / "AttributesDictionary.csv",
        "'A0';'Left ventricular high voltage'",
        "'A0+Modifier310';'A1';'Abnormal Q wave'",
    )
    ledger = Ledger("zzu_pecg", strict=True)
    index = index_zzu_pecg(str(tree), ledger)
    assert index.extra["findings"][0] == ["A0+Modifier310", "A1", "Abnormal Q wave"]
    assert len(index.labels["labels_aha"][0]) == 1
    assert ledger.notes[0].startswith("1 of 37 AHA findings carry a modifier and 6 are written out in words")


def test_icd10_prefixes_are_part_of_the_code(tree: Path) -> None:
    edit(tree / "DiseaseCode.csv", "Q1.0", "(FO) Q1.0")
    index = index_zzu_pecg(str(tree), Ledger("zzu_pecg"))
    assert index.labels["labels_icd10"][1] == []
    edit(tree / "AttributesDictionary.csv", "'Q1.0'", "'(FO) Q1.0'")
    assert index_zzu_pecg(str(tree), Ledger("zzu_pecg")).labels["labels_icd10"][1] == ["Atrial septal defect"]


def test_folds_are_stratified_on_the_classes_at_hand(tree: Path) -> None:
    folds = index_zzu_pecg(str(tree), Ledger("zzu_pecg")).strat_fold
    # No category occurs that often, so that only sex and age are left to stratify on.
    index = index_zzu_pecg(str(tree), Ledger("zzu_pecg"), min_count=25)
    assert index.label_names["labels_icd10"] == ()
    assert index.strat_fold != folds
    assert index.strat_fold[8] == index.strat_fold[9], "one child"


@pytest.mark.parametrize("damage", ["missing", "truncated"])
def test_an_unreadable_record_changes_no_other(tree: Path, tmp_path: Path, damage: str) -> None:
    before = index_zzu_pecg(str(tree), Ledger("zzu_pecg"))
    path = Path(before.references[4][1] + ".dat")
    if damage == "missing":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:1000])
    ledger = prepare("zzu_pecg", raw_dir=tree, output_dir=tmp_path / "out")
    assert {reason: [entry[0] for entry in entries] for reason, entries in ledger.excluded.items()} == {
        f"{damage} file": [before.record_id[4]]
    }
    rows = rows_in(tmp_path / "out")
    fold_of = dict(zip(before.record_id, before.strat_fold, strict=True))
    assert {name: row["strat_fold"] for name, row in rows.items()} == {
        name: fold for name, fold in fold_of.items() if name != before.record_id[4]
    }


def test_without_disease_codes_there_are_no_folds(tree: Path, tmp_path: Path) -> None:
    (tree / "DiseaseCode.csv").unlink()
    ledger = prepare("zzu_pecg", raw_dir=tree, output_dir=tmp_path / "out", options={"min_count": "1"})
    prepared = load_prepared(tmp_path / "out")
    assert [len(prepared.splits[split]) for split in SPLITS] == [30, 0, 0]
    assert len(prepared.info["label_columns"]["labels_icd10"]) == 19
    assert sum("no DiseaseCode.csv" in note for note in ledger.notes) == 1
    with pytest.raises(DataError, match=r"no DiseaseCode\.csv"):
        prepare("zzu_pecg", raw_dir=tree, output_dir=tmp_path / "strict", strict=True)


def test_columns_in_any_case_and_order(tree: Path) -> None:
    before = index_zzu_pecg(str(tree), Ledger("zzu_pecg"))
    path = tree / "AttributesDictionary.csv"
    with open(path, newline="") as handle:
        rows = [row[::-1] for row in csv.reader(handle)]
    with open(path, "w", newline="") as handle:
        csv.writer(handle).writerows([[name.upper() for name in rows[0]], *rows[1:]])
    assert index_zzu_pecg(str(tree), Ledger("zzu_pecg")) == before

"""The four Challenge sets against the reference's fixtures, against real records, and rule by rule on made-up ones."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pytest
import wfdb

from hf_ecg_bench.data.ledger import Ledger
from hf_ecg_bench.data.prepare import prepare
from hf_ecg_bench.data.records import RecordIndex
from hf_ecg_bench.data.sources.challenge import sets
from hf_ecg_bench.data.sources.challenge.codes import WORKBOOK
from hf_ecg_bench.data.sources.challenge.example import write_example
from hf_ecg_bench.data.sources.challenge.headers import find_records, parse_comments
from hf_ecg_bench.data.sources.challenge.tables import UNKNOWN_CODE, UNLABELLED, index_challenge
from hf_ecg_bench.data.vocabulary import read_label_table
from hf_ecg_bench.errors import DataError
from hf_ecg_bench.signals.resampling import resample
from tests.data.sources.built import build, class_names, planned, rows_in

SETS = {source.id: source for source in (sets.NINGBO, sets.CPSC2018, sets.CPSC_EXTRA, sets.GEORGIA)}
N_LABELS = {"ningbo": 68, "cpsc2018": 9, "cpsc_extra": 33, "georgia": 50}
N_REAL = {"ningbo": 54, "cpsc2018": 10, "cpsc_extra": 23, "georgia": 30}
SPLITS = {"train": "train", "validation": "val", "test": "test"}
each_set = pytest.mark.parametrize("dataset", SETS)


def index(
    root: Path, dataset: str, ledger: Ledger | None = None, *, min_count: int | None = None, signals: bool = True
) -> RecordIndex:
    source = SETS[dataset]
    ledger = ledger or Ledger(dataset)
    return index_challenge(str(root), source, ledger, n_folds=10, min_count=min_count, signals=signals)


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


@pytest.fixture
def georgia(tmp_path: Path) -> Path:
    """Thirty made-up records: E00001 to E00015 in `g1`, the others in `g2`."""
    root = tmp_path / "georgia"
    root.mkdir()
    write_example(sets.GEORGIA, str(root), 30)
    return root


# --- against the reference ---


@pytest.mark.shared
@each_set
def test_fixture_equals_the_reference(shared: Path, tmp_path: Path, dataset: str) -> None:
    fixture = shared / "fixtures" / dataset
    expected = json.loads((fixture / "expected.json").read_text())
    ledger, rows = build(dataset, fixture / "raw", tmp_path / "out", splits="largest_folds")
    dropped = {"truncated file": "unreadable", "missing samples": "NaN samples"}
    left_out = {f"{name}: {dropped[why]}" for why, entries in ledger.excluded.items() for name, _ in entries}
    assert left_out == set(expected["dropped_on_read"])
    assert rows.keys() == expected["records"].keys()
    names = class_names(tmp_path / "out")["labels"]
    assert names == [row["label"] for row in read_label_table(dataset)]
    signals = np.load(fixture / "signals.npz")
    for record_id, record in expected["records"].items():
        row = rows[record_id]
        assert row["signal"].shape == (record["data_length"], 12)
        assert row["sampling_rate"] == 500
        assert row["strat_fold"] == record["strat_fold"]
        assert row["labels"] == sorted(set(record["label"]) & set(names))
        assert row["patient_id"] is None
        assert row["sex"] == {"female": "female", "male": "male"}.get(record["sex"])
        missing = record["age"] is None or record["age"] < 0
        assert row["age"] == (None if missing else record["age"])
        if f"{record_id}/signal" in signals:  # the fixture keeps the signals of some records only
            np.testing.assert_allclose(row["signal"], signals[f"{record_id}/signal"], rtol=0, atol=1e-6)
            for rate in (100, 240, 250):
                window = resample(row["signal"][: int(2.4 * 500)], 500, rate)
                np.testing.assert_allclose(window, signals[f"{record_id}/first2.4s@{rate}"], rtol=0, atol=1e-5)


@pytest.mark.shared
@each_set
@pytest.mark.parametrize(("min_count", "tasks"), [("10", "tasks"), ("3", "tasks_min_cnt_3")])
def test_tasks_equal_the_reference(shared: Path, dataset: str, min_count: str, tasks: str) -> None:
    fixture = shared / "fixtures" / dataset
    expected = json.loads((fixture / "expected.json").read_text())
    task, records = expected[tasks][dataset], expected["records"]
    names, rows = planned(dataset, fixture / "raw", splits="largest_folds", min_cnt=min_count)
    assert names["labels"] == task["label_names"]
    assert rows.keys() == records.keys()
    used = {name for name, record in records.items() if record["data_length"] >= (task["min_samples"] or 0)}
    assert used == task["records"].keys()
    assert rows.keys() - used == set(task["dropped_too_short"])
    for record_id, record in task["records"].items():
        assert rows[record_id]["labels"] == record["labels"]
        assert SPLITS[rows[record_id]["split"]] == record["split"]


@pytest.mark.shared
def test_splits_are_fixed_folds_unless_asked(shared: Path) -> None:
    """Quirk of the reference: the length filter empties fold 9 of this tree, so its splits move down one fold."""
    raw = shared / "fixtures" / "georgia" / "raw"
    for rule, test_folds in (("fixed", {9}), ("largest_folds", {8, 9})):
        _, rows = planned("georgia", raw, splits=rule)
        folds = {split: {row["strat_fold"] for row in rows.values() if row["split"] == split} for split in SPLITS}
        assert folds["test"] == test_folds
        assert folds["validation"] == {min(test_folds) - 1}
        assert -1 in folds["train"]


@pytest.mark.shared
@each_set
def test_label_lists_equal_the_reference_in_order_and_repeats(shared: Path, dataset: str) -> None:
    fixture = shared / "fixtures" / dataset
    expected = json.loads((fixture / "expected.json").read_text())
    found = index(fixture / "raw", dataset, min_count=1)
    assert found.record_id == list(expected["records"])
    assert list(found.label_names["labels"]) == expected["label_names_unfiltered"]
    assert found.labels["labels"] == [record["label"] for record in expected["records"].values()]
    assert found.samples == [record["data_length"] for record in expected["records"].values()]


@pytest.mark.shared
@each_set
def test_real_records_equal_headers_and_wfdb(shared: Path, tmp_path: Path, dataset: str) -> None:
    raw = shared / "data" / dataset
    ledger = prepare(dataset, raw_dir=raw, output_dir=tmp_path / "out")
    n = N_REAL[dataset]
    assert (ledger.found, ledger.kept, ledger.excluded, ledger.defects) == (n, n, {}, {})
    table = {row["snomed"]: row["label"] for row in read_label_table(f"{dataset}_mapping")}
    names = {row["label"] for row in read_label_table(dataset)}
    rows = rows_in(tmp_path / "out")
    for path in sorted(raw.glob("*.hea")):
        row, record = rows[path.stem], wfdb.rdrecord(str(path.with_suffix("")))
        np.testing.assert_array_equal(row["signal"], record.p_signal.astype(np.float32))
        facts = dict(comment.split(": ") for comment in record.comments)
        assert row["labels"] == sorted({table[code] for code in facts["Dx"].split(",")} & names)
        assert row["sex"] == facts["Sex"].lower()
        assert row["age"] == (None if facts["Age"] == "NaN" else int(facts["Age"]))


@pytest.mark.shared
@each_set
def test_the_organisers_workbook_equals_the_shipped_table(shared: Path, tmp_path: Path, dataset: str) -> None:
    write_example(SETS[dataset], str(tmp_path), 3)
    own = shared / "data" / "challenge2021_tables" / WORKBOOK
    (tmp_path / WORKBOOK).write_bytes(own.read_bytes())
    ledger = Ledger(dataset, strict=True)
    index(tmp_path, dataset, ledger)
    assert ledger.notes == []


# --- on made-up records ---


def test_example_in_golden_numbers(georgia: Path) -> None:
    found = index(georgia, "georgia")
    assert "".join(map(str, found.strat_fold)) == "635750930247463260879491015821"
    assert found.labels["labels"][:2] == [
        ["t wave abnormal", "sinus rhythm"],
        ["nonspecific st t abnormality"],
    ]
    assert (found.age[:3], found.sex[:3]) == ([20.0, 21.0, 22.0], ["female", "female", "male"])
    assert found.samples == [5000] * 30


@each_set
def test_published_classes(dataset: str) -> None:
    names = sets.published_labels(SETS[dataset])
    assert len(names) == N_LABELS[dataset]
    assert list(names) == sorted(names)
    table = read_label_table(f"{dataset}_mapping")
    assert set(names) <= {row["label"] for row in table}
    assert len({row["snomed"] for row in table}) == len(table)


def test_one_code_has_one_label() -> None:
    """Quirk of Ningbo: low QRS voltage stands three times in the organisers' table; the first name counts."""
    table = {row["snomed"]: row["label"] for row in read_label_table("ningbo_mapping")}
    assert table["251146004"] == "LQRSV"
    assert not {"LVQRSCL", "LVQRSLL"} & set(table.values())
    assert table["164909002"] == table["733534002"] == "CLBBB"
    assert table["106068003"] == "ARH"


def test_comments_of_both_header_flavours() -> None:
    old = parse_comments(["Age: 74", "Sex: Male", "Dx: 59118001, 59118001,164889003,", "Rx: Unknown"])
    assert (old.age, old.sex, old.codes) == ("74", "Male", ("59118001", "59118001", "164889003"))
    # parse_header strips the blank after '#'.
    assert parse_comments(["Age:NaN", "Sex: ", "Dx:"]).codes == ()
    assert parse_comments([]) == parse_comments(["no colon here"])
    assert parse_comments([]).age is None


def test_records_are_found_in_parts_a_flat_folder_and_the_whole_release(georgia: Path, tmp_path: Path) -> None:
    parts = find_records(georgia, "georgia", fix="")
    assert list(parts.paths) == [f"E{number:05d}" for number in range(1, 31)]
    assert (parts.repeated, parts.headless) == ((), ())
    release = tmp_path / "release"
    (release / "training").mkdir(parents=True)
    (release / "training" / "RECORDS").write_text("training/georgia/g1/\n")
    (release / "training" / "georgia").symlink_to(georgia)
    (georgia / "g1" / "._E00001.hea").write_bytes(b"\0\5\26\7")
    for root in (release, release / "training"):
        assert list(find_records(root, "georgia", fix="").paths) == list(parts.paths)
    flat = tmp_path / "flat"
    flat.mkdir()
    for path in georgia.glob("g*/E*"):
        path.rename(flat / path.name)
    assert list(find_records(flat, "georgia", fix="").paths) == list(parts.paths)


def test_order_and_folds_do_not_depend_on_folders(georgia: Path, tmp_path: Path) -> None:
    """Quirk of the reference: records in file-system order. Here names decide."""
    before = index(georgia, "georgia")
    (georgia / "g1").rename(georgia / "g3")
    after = index(georgia, "georgia")
    assert after.record_id == before.record_id == sorted(before.record_id)
    assert after.strat_fold == before.strat_fold


def test_records_of_other_sets_are_named_in_order(georgia: Path) -> None:
    for number in range(1, 21):
        (georgia / "g1" / f"S{number:04d}.hea").write_text("")
    ledger = Ledger("georgia")
    index(georgia, "georgia", ledger)
    assert [name for name, _ in ledger.excluded["record of another set"]] == [f"S{k:04d}" for k in range(1, 21)]


def test_unknown_codes_are_ignored_and_counted(georgia: Path) -> None:
    edit(georgia / "g1" / "E00001.hea", "#Dx: ", "#Dx: 12345,12345,")
    edit(georgia / "g1" / "E00002.hea", "# Dx: ", "# Dx: 12345,")
    before = index(georgia, "georgia", min_count=1)
    ledger = Ledger("georgia")
    after = index(georgia, "georgia", ledger, min_count=1)
    assert after.labels == before.labels
    assert [name for name, _ in ledger.defects[UNKNOWN_CODE]] == ["E00001", "E00002"]
    assert ledger.notes == ["diagnosis codes without a label: 12345 (2 records)"]


@pytest.mark.parametrize("line", ["#Dx: ", "#Dx: 12345", "#No: 1"])
def test_records_without_a_known_code_are_kept_in_no_fold(georgia: Path, line: str) -> None:
    path = georgia / "g1" / "E00001.hea"
    text = path.read_text().splitlines()
    path.write_text("\n".join(line if "Dx" in old else old for old in text))
    ledger = Ledger("georgia")
    found = index(georgia, "georgia", ledger)
    assert found.labels["labels"][0] == []
    assert found.strat_fold[0] == -1
    assert min(found.strat_fold[1:]) == 0
    assert [name for name, _ in ledger.defects[UNLABELLED]] == ["E00001"]


def test_what_cannot_be_read_does_not_count(georgia: Path) -> None:
    """Records that the benchmark drops while reading have no part in thresholds and folds."""
    whole = index(georgia, "georgia", min_count=1)
    path = georgia / "g1" / "E00003.mat"
    path.write_bytes(path.read_bytes()[:-2])
    samples = np.fromfile(georgia / "g1" / "E00004.mat", "<i2")
    samples[1000] = -32768
    samples.tofile(georgia / "g1" / "E00004.mat")
    ledger = Ledger("georgia")
    damaged = index(georgia, "georgia", ledger, min_count=1)
    assert ledger.n_excluded == 2
    for name in ("E00003", "E00004"):
        for extension in (".hea", ".mat"):
            (georgia / "g1" / f"{name}{extension}").unlink()
        edit(georgia / "g1" / "RECORDS", f"{name}\n", "")
    gone = index(georgia, "georgia", min_count=1)
    assert (damaged.record_id, damaged.strat_fold, damaged.labels) == (gone.record_id, gone.strat_fold, gone.labels)
    assert damaged.strat_fold != whole.strat_fold[:2] + whole.strat_fold[4:]


def test_a_code_twice_counts_twice_but_is_one_label(georgia: Path, tmp_path: Path) -> None:
    rare = "164931005"  # st elevation
    table = {row["snomed"]: row["label"] for row in read_label_table("georgia_mapping")}
    edit(georgia / "g1" / "E00001.hea", "#Dx: ", f"#Dx: {rare},{rare},")
    assert table[rare] in index(georgia, "georgia", min_count=2).label_names["labels"]
    prepare("georgia", raw_dir=georgia, output_dir=tmp_path / "out", options={"min_count": "2"})
    labels = rows_in(tmp_path / "out")["E00001"]["labels"]
    assert labels.count(table[rare]) == 1


def test_a_record_named_with_its_extension_is_read(georgia: Path, tmp_path: Path) -> None:
    """Older Georgia headers say `E00271.mat` where the record's name belongs."""
    edit(georgia / "g1" / "E00001.hea", "E00001 12", "E00001.mat 12")
    assert prepare("georgia", raw_dir=georgia, output_dir=tmp_path / "out", strict=True).kept == 30


def test_another_rate_is_resampled_and_its_length_known(georgia: Path, tmp_path: Path) -> None:
    edit(georgia / "g1" / "E00001.hea", "12 500 5000", "12 1000 5000")
    found = index(georgia, "georgia")
    assert found.samples is not None
    assert found.samples[:2] == [2500, 5000]
    prepare("georgia", raw_dir=georgia, output_dir=tmp_path / "out")
    row = rows_in(tmp_path / "out")["E00001"]
    assert (row["signal"].shape, row["sampling_rate"]) == ((2500, 12), 500)


def test_metadata_only_needs_headers_only(georgia: Path, tmp_path: Path) -> None:
    whole = prepare("georgia", raw_dir=georgia, output_dir=tmp_path / "whole")
    for path in georgia.glob("g*/*.mat"):
        path.unlink()
    ledger = prepare("georgia", raw_dir=georgia, output_dir=tmp_path / "out", metadata_only=True)
    assert ledger.splits == whole.splits
    assert ledger.n_excluded == 0
    rows = rows_in(tmp_path / "out")
    assert "signal" not in rows["E00001"]


def test_the_folders_own_workbook_is_used_and_compared(georgia: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "G12EC"
    lines: list[list[Any]] = [["Diagnosis in the dataset", "SNOMED code", "Notes"], ["no code", None]]
    lines += [[row["label"], float(row["snomed"])] for row in read_label_table("georgia_mapping")]
    lines += [["second name", 426783006.0], ["new", 12345]]
    for line in lines:
        sheet.append(line)
    book.save(georgia / WORKBOOK)
    edit(georgia / "g1" / "E00001.hea", "#Dx: ", "#Dx: 12345,")
    ledger = Ledger("georgia")
    found = index(georgia, "georgia", ledger, min_count=1)
    assert found.labels["labels"][0][0] == "new"
    assert "second name" not in found.label_names["labels"], "the first row of a code wins"
    assert len(ledger.notes) == 1
    assert "differs from the published table in 1 codes: 12345: 'new' instead of None" in ledger.notes[0]
    with pytest.raises(DataError, match="differs"):
        index(georgia, "georgia", Ledger("georgia", strict=True))


def test_number_of_folds_is_an_option(georgia: Path, tmp_path: Path) -> None:
    ledger = prepare("georgia", raw_dir=georgia, output_dir=tmp_path / "out", options={"n_folds": "5"})
    assert {split: facts["records"] for split, facts in ledger.splits.items()} == {
        "train": 18,
        "validation": 5,
        "test": 7,
    }


def test_chapmans_records_are_not_taken_for_ningbos(tmp_path: Path) -> None:
    write_example(sets.NINGBO, str(tmp_path), 3)
    for path in [*tmp_path.glob("g1/JS10647*"), *tmp_path.glob("g1/JS10648*")]:
        text = path.read_bytes().replace(b"JS106", b"JS006")
        path.with_name(path.name.replace("JS106", "JS006")).write_bytes(text)
    ledger = Ledger("ningbo")
    index(tmp_path, "ningbo", ledger)
    assert any("numbers below JS10647" in note for note in ledger.notes)

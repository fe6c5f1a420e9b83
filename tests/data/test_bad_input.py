"""What a damaged PTB-XL tree or a wrong command gives: the message, and in strict mode an error."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from hf_ecg_bench.data.ledger import Ledger
from hf_ecg_bench.data.load import load_prepared
from hf_ecg_bench.data.prepare import prepare
from hf_ecg_bench.errors import DataError, EcgBenchError, UnknownNameError
from tests.data.ptbxl_tree import NAMES, PtbXlTree, digital_ecg, write_record

Damage = Callable[[PtbXlTree], None]


def build(tree: PtbXlTree, *, strict: bool = False, **options: str) -> Ledger:
    return prepare("ptbxl", raw_dir=tree.root, output_dir=tree.root.parent / "out", options=options, strict=strict)


def set_cell(column: str, value: str) -> Damage:
    def damage(tree: PtbXlTree) -> None:
        tree.rows[2][column] = value
        tree.save()

    return damage


def edit_header(old: str, new: str) -> Damage:
    def damage(tree: PtbXlTree) -> None:
        path = tree.record(3).with_suffix(".hea")
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))

    return damage


def truncate(tree: PtbXlTree) -> None:
    path = tree.record(3).with_suffix(".dat")
    path.write_bytes(path.read_bytes()[:-100])


def flip_a_sample(tree: PtbXlTree) -> None:
    path = tree.record(3).with_suffix(".dat")
    raw = bytearray(path.read_bytes())
    raw[1000] ^= 1
    path.write_bytes(bytes(raw))


def rewrite(**changes: object) -> Damage:
    def damage(tree: PtbXlTree) -> None:
        digital = digital_ecg(3, int(changes.pop("samples", 5000))).copy()  # type: ignore[call-overload]
        if changes.pop("all_missing", False):
            digital[:] = -32768
        write_record(tree.record(3), digital, **changes)  # type: ignore[arg-type]

    return damage


INJECTION = "{'NORM': __import__('os').system('touch ecg_bench_was_evaluated')}"

# id of the case -> damage, reason in the ledger, detail
EXCLUDED: dict[str, tuple[Damage, str, str]] = {
    "missing dat": (
        lambda tree: tree.record(3).with_suffix(".dat").unlink(),
        "missing file",
        "no 00003_hr.dat",
    ),
    "missing hea": (
        lambda tree: tree.record(3).with_suffix(".hea").unlink(),
        "missing file",
        "no 00003_hr.hea",
    ),
    "truncated dat": (truncate, "truncated file", "00003_hr.dat: 119900 bytes, the header asks for 120000"),
    "wrong checksum": (flip_a_sample, "wrong checksum", "00003_hr.dat, signal V3: samples add up to"),
    "empty header": (
        lambda tree: tree.record(3).with_suffix(".hea").write_text("") and None,
        "unreadable header",
        "the file is empty",
    ),
    "wrong rate": (
        edit_header(" 12 500 5000", " 12 100 5000"),
        "wrong sampling rate",
        "100 Hz, expected 500",
    ),
    "wrong length": (rewrite(samples=4000), "wrong length", "4000 samples, expected 5000"),
    "wrong unit": (edit_header("/mV", "/uV"), "wrong unit", "uv, expected mV"),
    "renamed lead": (
        edit_header(" 0 V1\n", " 0 X1\n"),
        "unexpected leads",
        "record 3: lead V1 missing; found I, II, III, AVR",
    ),
    "lead twice": (edit_header(" 0 V1\n", " 0 V2\n"), "unexpected leads", "lead V2 appears twice"),
    "no sample": (rewrite(all_missing=True), "missing samples", "60000 of 60000 samples are missing"),
    "duplicate ecg_id": (
        set_cell("ecg_id", "2"),
        "duplicate ecg_id",
        "ptbxl_database.csv line 4; the first row with this id is used",
    ),
    "text as ecg_id": (set_cell("ecg_id", "third"), "no ecg_id", "ptbxl_database.csv line 4: 'third'"),
    "code in scp_codes": (
        set_cell("scp_codes", INJECTION),
        "malformed scp_codes",
        "is not statement codes with numbers",
    ),
    "list in scp_codes": (
        set_cell("scp_codes", "['NORM']"),
        "malformed scp_codes",
        "\"['NORM']\" is not a dictionary",
    ),
    "broken scp_codes": (set_cell("scp_codes", "{'NORM': 1"), "malformed scp_codes", "is not a dictionary"),
    "huge scp_codes": (set_cell("scp_codes", "(" * 20_000), "malformed scp_codes", "20000 characters"),
    "path upwards": (
        set_cell("filename_hr", "../../etc/passwd"),
        "unusable filename_hr",
        "'../../etc/passwd', expected a path below",
    ),
    "absolute path": (set_cell("filename_hr", "/etc/passwd"), "unusable filename_hr", "'/etc/passwd'"),
    "no path": (set_cell("filename_hr", ""), "unusable filename_hr", "''"),
    "fold NaN": (set_cell("strat_fold", "nan"), "unusable strat_fold", "'nan', expected 1 to 10"),
    "fold 11": (set_cell("strat_fold", "11"), "unusable strat_fold", "'11', expected 1 to 10"),
}

DEFECTS: dict[str, tuple[Damage, str, str]] = {
    "unknown code": (
        set_cell("scp_codes", "{'NORM': 100.0, 'XYZ': 1}"),
        "unknown statement code (ignored)",
        "'XYZ' is not in scp_statements.csv",
    ),
    "unknown sex": (set_cell("sex", "2"), "unknown sex (stored as missing)", "'2', expected 0 or 1"),
    "no patient": (
        set_cell("patient_id", ""),
        "no patient_id (the record counts as a patient of its own)",
        "''",
    ),
    "swapped limb names": (
        rewrite(names=["II", "I", *NAMES[2:]]),
        "limb leads contradict each other (kept; columns swapped or mislabelled?)",
        "mV (root mean square)",
    ),
    "one missing sample": (
        lambda tree: write_record(tree.record(3), np.concatenate([np.full((1, 12), -32768), digital_ecg(3)[1:]])),
        "missing samples (kept; they count as 0 for a model)",
        "12 of 60000 samples are missing",
    ),
}


@pytest.mark.parametrize("case", EXCLUDED)
def test_excluded_by_name_or_error(tree: PtbXlTree, case: str) -> None:
    damage, reason, detail = EXCLUDED[case]
    damage(tree)
    ledger = build(tree)
    assert list(ledger.excluded) == [reason]
    ((record_id, found),) = ledger.excluded[reason]
    assert record_id in ("3", "2", "(line 4)")
    assert detail in found
    assert (ledger.found, ledger.kept) == (12, 11)
    assert reason in ledger.describe()
    assert sum(pq.read_metadata(file).num_rows for file in (tree.root.parent / "out" / "data").iterdir()) == 11
    with pytest.raises(DataError, match=reason):
        build(tree, strict=True)
    assert not os.path.exists("ecg_bench_was_evaluated")


@pytest.mark.parametrize("case", DEFECTS)
def test_kept_and_counted_or_error(tree: PtbXlTree, case: str) -> None:
    damage, kind, detail = DEFECTS[case]
    damage(tree)
    ledger = build(tree)
    assert kind in ledger.defects
    assert ledger.defects[kind][0][0] == "3"
    assert detail in ledger.defects[kind][0][1]
    assert ledger.kept == 12
    with pytest.raises(DataError, match="record 3"):
        build(tree, strict=True)


def test_leads_in_another_order_are_sorted_by_name(tree: PtbXlTree) -> None:
    order = [1, 0, *range(2, 12)]
    write_record(tree.record(3), digital_ecg(3)[:, order], names=[NAMES[column] for column in order])
    ledger = build(tree)
    assert list(ledger.defects) == ["leads stored in another order (put in order by name)"]
    train = load_prepared(tree.root.parent / "out").splits["train"].with_format("numpy")
    np.testing.assert_array_equal(train[2]["signal"], digital_ecg(3).astype(np.float32) / np.float32(1000))


def test_missing_tables_and_columns(tree: PtbXlTree) -> None:
    tree.save(drop="strat_fold")
    with pytest.raises(
        DataError, match=r"ptbxl_database.csv: no column strat_fold; found ecg_id, patient_id"
    ) as caught:
        build(tree)
    assert "download the complete PTB-XL 1.0.3" in str(caught.value.fix)
    (tree.root / "ptbxl_database.csv").unlink()
    with pytest.raises(DataError, match=r"no ptbxl_database.csv in"):
        build(tree)
    assert not (tree.root.parent / "out").exists()


def test_missing_raw_folder(tree: PtbXlTree) -> None:
    with pytest.raises(DataError, match="no --raw-dir was given") as caught:
        prepare("ptbxl", raw_dir=None, output_dir=tree.root.parent / "out")
    assert "https://physionet.org/content/ptb-xl/1.0.3/" in str(caught.value)
    with pytest.raises(DataError, match=r"no folder .*nowhere"):
        prepare("ptbxl", raw_dir=tree.root / "nowhere", output_dir=tree.root.parent / "out")
    with pytest.raises(
        DataError, match=r"--raw-dir .*ptbxl_database\.csv is a file, expected a folder\n  fix: unpack it"
    ):
        prepare("ptbxl", raw_dir=tree.root / "ptbxl_database.csv", output_dir=tree.root.parent / "out")
    (tree.root / "ecg_bench.json").touch()
    with pytest.raises(DataError, match=r"is a prepared dataset .*, not the original files"):
        build(tree)
    (tree.root / "ecg_bench.json").unlink()
    (tree.root / "records500").rename(tree.root / "records100")
    with pytest.raises(DataError, match=r"no folder records500(.|\n)*without signals: --metadata-only"):
        build(tree)


def test_statement_table_missing_or_different(tree: PtbXlTree) -> None:
    (tree.root / "scp_statements.csv").unlink()
    assert "the published table of release 1.0.3 is used" in build(tree).notes[0]
    with pytest.raises(DataError, match=r"no scp_statements.csv"):
        build(tree, strict=True)
    tree.save_statements()
    path = tree.root / "scp_statements.csv"
    path.write_text(path.read_text().replace("NORM,normal ECG,1.0,,", "NORM,normal ECG,,1.0,"))
    with pytest.raises(DataError, match=r"differs from release 1.0.3 in NORM"):
        build(tree, strict=True)


def test_patient_in_two_splits(tree: PtbXlTree) -> None:
    set_cell("patient_id", "109")(tree)  # record 3 is in fold 3, record 9 of patient 109 in fold 9
    with pytest.raises(DataError, match="patient 109 is in two splits: record 3 in train, record 9 in validation"):
        build(tree)


def test_empty_split(tree: PtbXlTree) -> None:
    for row in tree.rows:
        row["strat_fold"] = str(min(9, int(row["strat_fold"])))
    tree.save()
    with pytest.raises(DataError, match="split test is empty"):
        build(tree, strict=True)
    ledger = build(tree)
    assert ledger.splits["test"]["records"] == 0
    prepared = load_prepared(tree.root.parent / "out")
    assert {split: len(rows) for split, rows in prepared.splits.items()} == {
        "train": 10,
        "validation": 2,
        "test": 0,
    }
    assert prepared.splits["test"].features == prepared.splits["train"].features
    largest = prepare(
        "ptbxl", raw_dir=tree.root, output_dir=tree.root.parent / "out2", options={"splits": "largest_folds"}
    )
    assert [facts["records"] for facts in largest.splits.values()] == [9, 1, 2]


def test_nothing_usable(tree: PtbXlTree) -> None:
    for path in (tree.root / "records500").rglob("*.dat"):
        path.unlink()
    with pytest.raises(
        DataError, match=r"none of 12 records could be used; first: record 1: missing file: no 00001_hr.dat"
    ):
        build(tree)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"min_cuont": "10"}, "unknown option 'min_cuont'; did you mean 'min_count'"),
        ({"min_count": "ten"}, "option min_count='ten': expected a whole number"),
        ({"min_count": "0"}, "option min_count=0: expected a whole number, 1 or more"),
        ({"splits": "random"}, "option splits='random': expected fixed or largest_folds"),
        ({"min_count": "3", "min_cnt": "3"}, "option min_count is given twice"),
    ],
)
def test_options(tree: PtbXlTree, options: dict[str, str], message: str) -> None:
    with pytest.raises((UnknownNameError, DataError), match=message):
        build(tree, **options)


def test_unknown_dataset(tree: PtbXlTree) -> None:
    with pytest.raises(UnknownNameError, match="unknown dataset 'ptb_xl'; did you mean 'ptbxl'"):
        prepare("ptb_xl", raw_dir=tree.root, output_dir=tree.root.parent / "out")
    with pytest.raises(UnknownNameError, match="did you mean 'ptbxl'"):
        load_prepared("ptbx")


def test_output_is_a_file_or_holds_something_else(tree: PtbXlTree) -> None:
    out = tree.root.parent / "out"
    out.write_text("")
    with pytest.raises(DataError, match="is a file; expected a folder"):
        build(tree)
    out.unlink()
    out.mkdir()
    (out / "thesis.tex").write_text("")
    with pytest.raises(DataError, match=r"holds other files \(thesis.tex\)"):
        build(tree)
    (out / "thesis.tex").unlink()
    build(tree)
    with pytest.raises(
        DataError, match=r"holds ptbxl prepared with options .*min_count=None.*; asked for .*min_count=3"
    ):
        build(tree, min_count="3")


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (errno.EROFS, "the file system is read-only"),
        (errno.ENOSPC, "no space left on the device"),
        (errno.EACCES, "permission denied"),
    ],
)
def test_output_cannot_be_written(tree: PtbXlTree, monkeypatch: pytest.MonkeyPatch, code: int, message: str) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(EcgBenchError, match=message):
        build(tree)
    monkeypatch.undo()
    assert build(tree).kept == 12


def test_folders_that_are_no_dataset(tmp_path: Path, tree: PtbXlTree) -> None:
    with pytest.raises(DataError, match="not a prepared dataset"):
        load_prepared(tmp_path)
    with pytest.raises(DataError, match=r"no folder .*/absent"):
        load_prepared(tmp_path / "absent")
    build(tree)
    (tmp_path / "out" / "data" / "test-00000-of-00001.parquet").write_bytes(b"torn")
    with pytest.raises(DataError, match=r"test-00000-of-00001.parquet is damaged: expected .* bytes, found 4 bytes"):
        load_prepared(tmp_path / "out")
    (tmp_path / "out" / "ecg_bench.json").write_text("{")
    with pytest.raises(DataError, match="is not JSON"):
        load_prepared(tmp_path / "out")

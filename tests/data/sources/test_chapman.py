"""Chapman-Shaoxing: the published benchmark's rows and folds, real recordings in both layouts, damaged files."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import openpyxl
import pytest
import wfdb

from hf_ecg_bench.data.formats.csv_signal import read_lead_table
from hf_ecg_bench.data.formats.xlsx import read_sheet
from hf_ecg_bench.data.ledger import RecordProblem
from hf_ecg_bench.data.prepare import prepare
from hf_ecg_bench.data.registry import get_builder
from hf_ecg_bench.data.sources.chapman.labels import label_of_code, published_label_names
from hf_ecg_bench.data.sources.example.signals import example_ecg
from hf_ecg_bench.data.sources.example.wfdb_files import write_wfdb
from hf_ecg_bench.errors import DataError
from hf_ecg_bench.signals.leads import LEADS
from hf_ecg_bench.signals.resampling import resample
from tests.data.sources.built import build, class_names, rows_in

SPLITS = {"train": "train", "val": "validation", "test": "test"}
COLUMN = {"chapman": "labels_all", "chapman_rhythm": "labels_rhythm"}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = tmp_path / "raw"
    root.mkdir()
    get_builder("chapman").example(str(root), 24)
    return root


def write_table(path: Path, rows: list[tuple[object, ...]]) -> None:
    """A table with the columns that are read."""
    book = openpyxl.Workbook()
    assert book.active is not None
    for row in [("FileName", "Rhythm", "Beat", "PatientAge", "Gender"), *rows]:
        book.active.append(row)
    book.save(path)


def write_challenge(root: Path, codes: dict[str, str], sub: str = "") -> Path:
    """Records with these `Dx` lines in the Challenge's layout."""
    for number, (name, dx) in enumerate(codes.items()):
        comments = ["Age: 59", "Sex: Female", f"Dx: {dx}"]
        write_wfdb(root / sub / name, example_ecg(number), comments=comments, extension=".mat")
    return root


# --- the figshare layout against the reference ---


@pytest.mark.shared
@pytest.mark.parametrize(("min_count", "tasks"), [("10", "tasks"), ("3", "tasks_min_cnt_3")])
@pytest.mark.parametrize("protocol", ["corrected", "published"])
def test_rows_are_the_reference_s(shared: Path, tmp_path: Path, min_count: str, tasks: str, protocol: str) -> None:
    folder = shared / "fixtures" / "chapman"
    expected = json.loads((folder / "expected.json").read_text())
    options = {"min_cnt": min_count, "protocol": protocol, "n_folds": "10", "stratify_seed": "0"}
    ledger, rows = build("chapman", folder / "raw", tmp_path / "out", **options)
    assert not ledger.excluded
    assert {kind: len(entries) for kind, entries in ledger.defects.items()} == {
        "another length (kept)": 34,  # most records of the fixture are cut to save space
        "empty label (ignored)": 1,
    }
    names = class_names(tmp_path / "out")
    if min_count == "10":
        assert names["labels_condition"] == expected["label_names_condition"]
    assert sorted(rows) == sorted(expected["records"])
    for name, record in expected["records"].items():
        row = rows[name]
        assert (row["patient_id"], row["age"], row["sex"]) == (None, record["age"], record["sex"])
        assert row["strat_fold"] == record["strat_fold"]
        assert row["signal"].shape == (record["data_length"], 12)
        for kind in ("condition", "rhythm"):
            kept = set(record[f"label_{kind}"]).intersection(names[f"labels_{kind}"])
            assert set(row[f"labels_{kind}"]) == kept
    for task, column in COLUMN.items():
        assert names[column] == expected[tasks][task]["label_names"]
        for name, own in expected[tasks][task]["records"].items():
            assert (rows[name]["split"], rows[name]["strat_fold"]) == (SPLITS[own["split"]], own["fold"])
            assert rows[name][column] == own["labels"]
    with np.load(folder / "signals.npz") as signals:
        for key in signals.files:
            name, what = key.split("/")
            signal = rows[name]["signal"]
            if what == "signal":
                assert np.abs(signal - signals[key]).max() <= 1e-6
            else:
                window = resample(signal[: int(2.4 * 500)], 500, int(what.split("@")[1]))
                assert np.abs(window - signals[key]).max() <= 1e-5


@pytest.mark.shared
def test_an_empty_label_is_a_class_only_as_published(shared: Path, tmp_path: Path) -> None:
    raw = shared / "fixtures" / "chapman" / "raw"
    for protocol in ("corrected", "published"):
        options = {"min_count": "1", "protocol": protocol}
        prepare("chapman", raw_dir=raw, output_dir=tmp_path / protocol, options=options, metadata_only=True)
    assert "" not in class_names(tmp_path / "corrected")["labels_all"]
    assert class_names(tmp_path / "published")["labels_all"][0] == ""
    assert rows_in(tmp_path / "published")["MUSE_20180106_100222_6000"]["labels_condition"] == ["", "LVHV", "TWC"]


@pytest.mark.shared
def test_the_whole_table_gives_the_published_labels_and_folds(shared: Path, tmp_path: Path) -> None:
    (tmp_path / "raw").mkdir()
    table = tmp_path / "raw" / "Diagnostics_full_10646.xlsx"
    table.symlink_to(shared / "data" / "chapman_labels" / table.name)
    ledger = prepare("chapman", raw_dir=tmp_path / "raw", output_dir=tmp_path / "out", metadata_only=True)
    assert ledger.kept == ledger.found == 10_646
    assert not ledger.defects
    assert ledger.notes[0] == f"no Diagnostics.xlsx: {table.name} is taken for it"
    names = class_names(tmp_path / "out")
    assert [len(classes) for classes in names.values()] == [42, 33, 9]
    with open(shared / "specs" / "labels" / "chapman.csv") as handle:
        expected = {row["label"]: int(row["n"]) for row in csv.DictReader(handle)}
    assert names["labels_all"] == list(expected)
    found = dict.fromkeys(expected, 0)
    for facts in ledger.splits.values():
        for name, count in facts["labels"]["labels_all"].items():
            found[name] += count
    assert found == expected
    with open(shared / "fixtures" / "chapman_real" / "folds.csv") as handle:
        folds = {row["FileName"]: int(row["strat_fold"]) for row in csv.DictReader(handle)}
    rows = rows_in(tmp_path / "out")
    assert {name: row["strat_fold"] for name, row in rows.items()} == folds
    assert {name: facts["records"] for name, facts in ledger.splits.items()} == {
        "train": 8520,
        "validation": 1062,
        "test": 1064,
    }


# --- real recordings ---


@pytest.mark.shared
def test_both_layouts_give_the_same_recordings(shared: Path, tmp_path: Path) -> None:
    data = shared / "data"
    ledger, figshare = build("chapman", data / "chapman", tmp_path / "figshare")
    other, challenge = build("chapman", data / "chapman_challenge2021", tmp_path / "challenge")
    assert ledger.kept == other.kept == ledger.found == other.found == 14
    assert not ledger.defects
    assert not other.defects
    assert class_names(tmp_path / "figshare") == class_names(tmp_path / "challenge")
    with open(data / "chapman" / "record_map.csv") as handle:
        pairs = [(row["FileName"], row["challenge2021_record"]) for row in csv.DictReader(handle)]
    assert len(pairs) == 14
    for name, number in pairs:
        mine, theirs = figshare[name], challenge[number]
        record = wfdb.rdrecord(str(data / "chapman_challenge2021" / number))
        assert tuple(lead.upper() for lead in record.sig_name) == tuple(lead.upper() for lead in LEADS)
        assert np.array_equal(theirs["signal"], record.p_signal.astype(np.float32))
        text = np.loadtxt(data / "chapman" / "ECGData" / f"{name}.csv", delimiter=",", skiprows=1)
        assert np.array_equal(mine["signal"], (text * 0.001).astype(np.float32))
        assert np.abs(mine["signal"] - theirs["signal"]).max() <= 0.001
        assert (mine["age"], mine["sex"]) == (theirs["age"], theirs["sex"])
        single = {label for label in mine["labels_all"] if label in label_of_code().values()}
        # The Challenge's header of this record has one code that the table does not have.
        assert set(theirs["labels_all"]) == single | ({"1AVB"} if number == "JS00011" else set())
    notes = " ".join(other.notes)
    assert "it is NOT the record set of the published task chapman" in notes
    assert "codes that stand for several published labels, and so for none of them (records): IDC/IVB (1)" in notes


@pytest.mark.shared
def test_codes_mean_what_their_counts_say(shared: Path) -> None:
    """Each code of one label has as many records in the Challenge as the label has outside of rhythm SA."""
    tables = shared / "data" / "challenge2021_tables"
    official: dict[str, int] = {}
    for name in ("dx_mapping_scored.csv", "dx_mapping_unscored.csv"):
        with open(tables / name, encoding="utf-8-sig") as handle:
            official |= {row["SNOMEDCTCode"]: int(row["Chapman_Shaoxing"]) for row in csv.DictReader(handle)}
    path = shared / "data" / "chapman_labels" / "Diagnostics_full_10646.xlsx"
    rows = [f"{row['Beat']} {row['Rhythm']}".split() for row in read_sheet(path, ["Beat"], fix="")]
    left = [set(labels) for labels in rows if "SA" not in labels]
    assert len(left) == 10_247
    for code, label in label_of_code().items():
        # A code of several labels has the records that have any of them.
        assert official.get(code, 0) == sum(not labels.isdisjoint(label.split("/")) for labels in left), label
    assert {code for code, count in official.items() if count} <= label_of_code().keys()
    # The records that the Challenge has are exactly the other rows, by number: JS(k) is row k.
    names = {name for source in json.loads((tables / "record_list.json").read_text()).values() for name in source}
    assert {f"JS{k:05d}" for k, labels in enumerate(rows, 1) if "SA" not in labels} == {
        name for name in names if name.startswith("JS") and int(name[2:]) <= 10_646
    }


# --- the figshare layout on made-up files ---


def test_folds_and_labels_of_the_example(tree: Path, tmp_path: Path) -> None:
    ledger, rows = build("chapman", tree, tmp_path / "out")
    assert ledger.kept == ledger.found == 24
    assert not ledger.defects
    assert not ledger.notes
    folds = {int(name.split("_")[2]) - 100_000: row["strat_fold"] for name, row in rows.items()}
    assert [folds[number] for number in range(24)] == [
        7,
        9,
        6,
        1,
        3,
        7,
        5,
        5,
        4,
        6,
        9,
        3,
        3,
        8,
        0,
        8,
        2,
        2,
        0,
        1,
        5,
        4,
        7,
        0,
    ]
    row = rows["MUSE_20180102_100001_1000"]
    assert row["labels_all"] == ["RBBB", "SR", "TWC"]
    assert (row["labels_condition"], row["labels_rhythm"]) == (["RBBB", "TWC"], ["SR"])
    assert (row["age"], row["sex"], row["patient_id"]) == (21.0, "female", None)
    assert json.loads((tmp_path / "out" / "ecg_bench.json").read_text())["options"]["layout"] == "figshare"


def test_a_part_of_the_signals_has_the_folds_of_the_whole(tree: Path, tmp_path: Path) -> None:
    prepare("chapman", raw_dir=tree, output_dir=tmp_path / "whole", metadata_only=True)
    folds = {name: row["strat_fold"] for name, row in rows_in(tmp_path / "whole").items()}
    for path in sorted((tree / "ECGData").iterdir())[:10]:
        path.unlink()
    ledger, rows = build("chapman", tree, tmp_path / "part")
    assert len(ledger.excluded["missing file"]) == 10
    assert {name: row["strat_fold"] for name, row in rows.items()} == {name: folds[name] for name in rows}


def test_a_nested_folder_and_another_table_name_are_understood(tree: Path, tmp_path: Path) -> None:
    (tree / "ECGData").rename(tree / "inner")
    (tree / "ECGData").mkdir()
    (tree / "inner").rename(tree / "ECGData" / "ECGData")
    (tree / "Diagnostics.xlsx").rename(tree / "Diagnostics (1).xlsx")
    ledger = prepare("chapman", raw_dir=tree, output_dir=tmp_path / "out", limit=2)
    assert ledger.kept == 2
    assert ledger.notes[0] == "no Diagnostics.xlsx: Diagnostics (1).xlsx is taken for it"


def test_cells_become_labels_as_published(tmp_path: Path) -> None:
    rows = [
        ("a", "SR", "NONE", "300", "MALE"),
        ("b", "SB", "TWC  LVHV TWC", 59, "FEMALE"),
        ("c", "AFIB", None, None, "X"),
        ("d", None, "none", -1, None),
        ("../e", "SR", "NONE", 1, "MALE"),
        (None, "SR", "NONE", 1, "MALE"),
        ("a", "SB", "NONE", 1, "MALE"),
    ]
    (tmp_path / "raw").mkdir()
    write_table(tmp_path / "raw" / "Diagnostics.xlsx", rows)
    ledger = prepare("chapman", raw_dir=tmp_path / "raw", output_dir=tmp_path / "out", metadata_only=True)
    found = rows_in(tmp_path / "out")
    assert {name: row["labels_all"] for name, row in found.items()} == {
        "a": ["SR"],
        "b": ["LVHV", "SB", "TWC"],
        "c": ["AFIB"],
        "d": [],
    }
    assert [row["age"] for row in found.values()].count(59.0) == 1
    assert [found[name]["age"] for name in "acd"] == [None, None, None]
    assert [found[name]["sex"] for name in "abcd"] == ["male", "female", None, None]
    assert {reason: [name for name, _ in entries] for reason, entries in ledger.excluded.items()} == {
        "unusable FileName": ["../e", "(record 6)"],
        "duplicate FileName": ["a"],
    }
    assert {kind: [name for name, _ in entries] for kind, entries in ledger.defects.items()} == {
        "empty label (ignored)": ["b"],
        "unknown label (no class of the release)": ["d"],
        "no rhythm": ["d"],
        "unknown sex (stored as missing)": ["c"],
    }


# --- text ---


def lead_file(path: Path, head: str, *rows: str) -> str:
    path.write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
    return str(path)


HEAD = ",".join(LEADS)
ROW = ",".join(str(number / 4) for number in range(12))


def test_leads_are_found_by_name(tmp_path: Path) -> None:
    names = [*reversed(LEADS), "time"]
    path = lead_file(tmp_path / "a.csv", ",".join(f'"{name.upper()}"' for name in names), f"{ROW},text")
    values, found = read_lead_table(path)
    assert found == tuple(name.upper() for name in names)
    assert values.tolist() == [[(11 - number) / 4 for number in range(12)]]


def test_text_is_read_as_python_reads_it(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    words = [[f"{value:.{rng.integers(0, 12)}f}" for value in rng.normal(0, 300, 12)] for _ in range(50)]
    path = lead_file(tmp_path / "a.csv", HEAD, *[",".join(row) for row in words])
    assert read_lead_table(path)[0].tolist() == [[float(word) for word in row] for row in words]


def test_empty_and_nan_cells_are_missing(tmp_path: Path) -> None:
    path = lead_file(tmp_path / "a.csv", HEAD, ROW, ROW.replace("0.0", "NaN", 1).replace("0.25", "", 1))
    values, _ = read_lead_table(path)
    assert np.isnan(values).tolist() == [[False] * 12, [True, True] + [False] * 10]


@pytest.mark.parametrize(
    ("head", "rows", "said"),
    [
        (HEAD.replace("V6", "V7"), [ROW], "unexpected leads: a.csv: V6 missing"),
        (HEAD.replace("V6", "v5"), [ROW], r"unexpected leads: a.csv: lead V5 appears twice"),
        (ROW, [ROW], "unexpected leads: a.csv: no standard lead"),
        (HEAD, [], "wrong length: a.csv: a header and no samples"),
        (HEAD, ["", ""], "wrong length: a.csv: a header and no samples"),
        (HEAD, [ROW, ROW.replace("0.5", "x")], "malformed table: a.csv: line 3, column III: .* invalid value 'x'"),
        (HEAD, [ROW, "1,2"], "malformed table: a.csv: .*Row #3: Expected 12 columns, got 2"),
    ],
)
def test_what_is_wrong_with_a_file_is_said(tmp_path: Path, head: str, rows: list[str], said: str) -> None:
    with pytest.raises(RecordProblem, match=said):
        read_lead_table(lead_file(tmp_path / "a.csv", head, *rows))


# --- the Challenge's layout ---


def test_codes_become_the_table_s_abbreviations(tmp_path: Path) -> None:
    codes = {
        "JS00002": "426177001,164934002",
        "JS00001": "164889003,698252002,59118001,59118001",
        "JS00005": "",
        "JS00007": "426783006,1234",
        "JS10647": "426783006",
    }
    raw = write_challenge(tmp_path / "raw", codes, sub="training/chapman_shaoxing/g1")
    ledger, rows = build("chapman", raw, tmp_path / "out")
    assert {name: (row["labels_condition"], row["labels_rhythm"]) for name, row in sorted(rows.items())} == {
        "JS00001": (["RBBB"], ["AFIB"]),
        "JS00002": (["TWC"], ["SB"]),
        "JS00005": ([], []),
        "JS00007": ([], ["SR"]),
    }
    assert rows["JS00005"]["strat_fold"] == -1
    assert {reason: [name for name, _ in entries] for reason, entries in ledger.excluded.items()} == {
        "not a Chapman record": ["JS10647"]
    }
    assert {kind: [name for name, _ in entries] for kind, entries in ledger.defects.items()} == {
        "unknown diagnosis code (ignored)": ["JS00007"],
        "no diagnosis (kept without a label)": ["JS00005"],
    }
    assert json.loads((tmp_path / "out" / "ecg_bench.json").read_text())["options"]["layout"] == "challenge"
    again = prepare("chapman", raw_dir=raw, output_dir=tmp_path / "out")
    assert again.status == "complete"
    options = {"min_count": "1"}
    prepare("chapman", raw_dir=raw, output_dir=tmp_path / "own", options=options, metadata_only=True)
    assert class_names(tmp_path / "own")["labels_condition"] == ["IDC/IVB", "RBBB", "TWC"]


def test_a_folder_of_both_layouts_needs_a_word(tree: Path, tmp_path: Path) -> None:
    write_challenge(tree, {"JS00001": "426783006"})
    with pytest.raises(DataError, match="both a figshare table and records of the Challenge") as error:
        build("chapman", tree, tmp_path / "out")
    assert "layout=figshare" in str(error.value.fix)
    _, rows = build("chapman", tree, tmp_path / "one", layout="challenge")
    assert list(rows) == ["JS00001"]
    ledger = prepare("chapman", raw_dir=tree, output_dir=tmp_path / "two", options={"layout": "figshare"}, limit=1)
    assert ledger.found == 24


def test_an_empty_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no Diagnostics\.xlsx in ") as error:
        build("chapman", tmp_path, tmp_path / "out")
    assert "chapman_shaoxing" in str(error.value.fix)


@pytest.mark.parametrize("option", [{"stratify_seed": "-1"}, {"layout": "physionet"}])
def test_options_are_checked(tree: Path, tmp_path: Path, option: dict[str, str]) -> None:
    with pytest.raises(DataError, match=f"option {next(iter(option))}"):
        build("chapman", tree, tmp_path / "out", **option)


def test_published_names_are_sorted() -> None:
    names = published_label_names()
    assert [len(classes) for classes in names.values()] == [42, 33, 9]
    assert all(list(classes) == sorted(classes) for classes in names.values())

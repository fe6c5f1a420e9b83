"""PTB: the published benchmark's rows, real recordings against wfdb, and the rules for diagnoses and dates."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import wfdb

from hf_ecg_bench.data.demographics import age_in_years
from hf_ecg_bench.data.prepare import prepare
from hf_ecg_bench.data.registry import get_builder
from hf_ecg_bench.data.sources.ptb.clinical import diagnoses, parse_date, parse_summary
from hf_ecg_bench.data.sources.ptb.tables import frequent_labels, published_labels
from hf_ecg_bench.errors import DataError, EcgBenchError
from hf_ecg_bench.signals.resampling import resample
from tests.data.sources.built import build, class_names, rows_in

SPLITS = {"train": "train", "val": "validation", "test": "test"}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = tmp_path / "raw"
    root.mkdir()
    get_builder("ptb").example(str(root), 24)
    return root


@pytest.mark.shared
@pytest.mark.parametrize(("min_count", "tasks"), [("10", "tasks"), ("3", "tasks_min_cnt_3")])
def test_rows_are_the_reference_s(shared: Path, tmp_path: Path, min_count: str, tasks: str) -> None:
    folder = shared / "fixtures" / "ptb"
    expected = json.loads((folder / "expected.json").read_text())
    task = expected[tasks]["ptb"]
    ledger, rows = build("ptb", folder / "raw", tmp_path / "out", min_cnt=min_count, n_folds="5", kfold_seed="42")
    assert not ledger.excluded
    assert not ledger.defects
    assert sorted(rows) == sorted(expected["records"])
    names = class_names(tmp_path / "out")["labels"]
    counts = {name: sum(name in row["labels"] for row in rows.values()) for name in names}
    assert sorted(names) == sorted(task["label_names"])
    assert [counts[name] for name in names] == [counts[name] for name in task["label_names"]]  # ties are free
    for name, record in expected["records"].items():
        row, own = rows[name], task["records"][name]
        assert row["patient_id"] == str(record["patient_id"])
        assert row["sex"] == (record["sex"].strip() or None)
        assert row["age"] == age_in_years(record["age"])
        assert row["strat_fold"] == record["strat_fold"]
        assert row["signal"].shape == (record["data_length"], 12)
        assert (row["split"], row["strat_fold"]) == (SPLITS[own["split"]], own["fold"])
        assert sorted(row["labels"]) == sorted(own["labels"])
    means = np.mean([row["signal"].mean(axis=0, dtype=np.float64) for row in rows.values()], axis=0)
    assert np.allclose(means, expected["stats"]["mean"], atol=1e-7)
    with np.load(folder / "signals.npz") as signals:
        for key in signals.files:
            name, what = key.split("/")
            signal = rows[name]["signal"]
            if what == "signal":
                assert np.abs(signal - signals[key]).max() <= 1e-6
            else:
                window = resample(signal[: int(2.4 * 1000)], 1000, int(what.split("@")[1]))
                assert np.abs(window - signals[key]).max() <= 1e-5


@pytest.mark.shared
def test_real_recordings_equal_an_independent_reading(shared: Path, tmp_path: Path) -> None:
    raw = shared / "data" / "ptb"
    ledger, rows = build("ptb", raw, tmp_path / "out")
    assert ledger.kept == ledger.found == 2
    assert not ledger.defects
    for name, row in rows.items():
        record = wfdb.rdrecord(str(raw / "patient001" / name))
        assert [lead.upper() for lead in record.sig_name[:6]] == ["I", "II", "III", "AVR", "AVL", "AVF"]
        assert np.array_equal(row["signal"], record.p_signal[:, :12].astype(np.float32))
        assert (row["patient_id"], row["age"], row["sex"]) == ("1", 81.0, "female")
    # Both catheterized fifteen days after the infarction, one ECG two days after it, the other long before.
    assert set(rows["s0010_re"]["labels"]) == {"Myocardial infarction acute catheterized", "Diabetes mellitus"}


@pytest.mark.shared
def test_names_are_those_of_the_benchmark(shared: Path) -> None:
    lines = (shared / "specs" / "labels" / "ptb.csv").read_text().splitlines()[1:]
    assert published_labels() == tuple(line.rsplit(",", 1)[0] for line in lines)


def test_folds_and_labels_of_the_example(tree: Path, tmp_path: Path) -> None:
    ledger, rows = build("ptb", tree, tmp_path / "out")
    assert ledger.kept == ledger.found == 24
    assert not ledger.defects
    assert not ledger.notes
    folds = {row["patient_id"]: int(row["strat_fold"]) for row in rows.values()}
    # What scikit-learn gives for StratifiedKFold(5, shuffle=True, random_state=42) on twelve equal labels.
    assert [folds[str(patient)] for patient in range(1, 13)] == [4, 3, 0, 3, 1, 0, 0, 4, 1, 2, 1, 2]
    assert rows["s0007_re"]["labels"] == ["Myocardial infarction acute catheterized", "Diabetes mellitus"]
    assert rows["s0007_re"]["patient_id"] == "4"
    assert rows["s0019_re"]["age"] is None


def test_frank_s_leads_are_not_read(tree: Path, tmp_path: Path) -> None:
    for path in tree.rglob("*.xyz"):
        path.unlink()
    ledger, rows = build("ptb", tree, tmp_path / "out")
    assert ledger.kept == 24
    assert rows["s0001_re"]["signal"].shape == (10_000, 12)


def test_metadata_needs_headers_only(tree: Path, tmp_path: Path) -> None:
    _, rows = build("ptb", tree, tmp_path / "out")
    for path in [*tree.rglob("*.xyz"), *tree.rglob("*.dat")]:
        path.unlink()
    prepare("ptb", raw_dir=tree, output_dir=tmp_path / "bare", metadata_only=True)
    for row in rows.values():
        del row["signal"]
    assert rows_in(tmp_path / "bare") == rows


def test_a_listed_record_that_is_missing_keeps_the_folds(tree: Path, tmp_path: Path) -> None:
    _, rows = build("ptb", tree, tmp_path / "out")
    for path in tree.glob("patient003/*"):
        path.unlink()
    ledger, fewer = build("ptb", tree, tmp_path / "fewer")
    assert [name for name, _ in ledger.excluded["missing file"]] == ["s0005_re", "s0006_re"]
    assert {name: row["strat_fold"] for name, row in fewer.items()} == {
        name: row["strat_fold"] for name, row in rows.items() if row["patient_id"] != "3"
    }


def summary(**changes: str) -> dict[str, str]:
    """An acute, catheterized infarction, changed."""
    return {
        "Reason for admission": "Myocardial infarction",
        "ECG date": "01/10/1990",
        "Infarction date (acute)": "29-Sep-90",
        "Catheterization date": "16-Oct-90",
        **{name.replace("_", " "): value for name, value in changes.items()},
    }


@pytest.mark.parametrize(
    ("infarction", "catheter", "state"),
    [
        ("29-Sep-90", "16-Oct-90", "acute catheterized"),  # fifteen days after the ECG: known only later
        ("29-Sep-90", "29-Sep-90", "acute catheterized"),
        ("29-Sep-90", "28-Sep-90", "acute"),
        ("29-Sep-90", "-", "acute"),
        ("29-Sep-90", "n/a", "acute"),
        ("01-Oct-90", "n/a", "acute"),
        ("28-Sep-90", "n/a", "acute"),
        ("27-Sep-90", "30-Sep-90", "old"),
        ("02-Oct-90", "n/a", "old"),
        ("n/a", "16-Oct-90", "old"),
        ("32-Oct-90", "16-Oct-90", "old"),
    ],
)
def test_an_infarction_s_state_follows_from_dates(infarction: str, catheter: str, state: str) -> None:
    values = {**summary(), "Infarction date (acute)": infarction, "Catheterization date": catheter}
    assert diagnoses(values) == [f"Myocardial infarction {state}"]


def test_without_a_date_of_the_ecg_an_infarction_is_old() -> None:
    assert diagnoses(summary(ECG_date="n/a")) == ["Myocardial infarction old"]


def test_diagnoses_are_cleaned() -> None:
    values = {
        "Reason for admission": "n/a",
        "Additional diagnoses": (
            "Arterial Hypertension, peripheral atherosclerosis , no,, M. Bechterew,Hyperlipemia,Hyperlipidemia"
        ),
    }
    assert diagnoses(values) == [
        "Arterial hypertension",
        "Peripheral atherosclerosis",
        "Hyperlipoproteinemia",
        "Hyperlipoproteinemia",
    ]
    assert diagnoses({}) == []


def test_the_clean_up_that_never_matches_stays_so() -> None:
    name = "Coronary artery disease (PTCA+Stent)"
    assert diagnoses({"Reason for admission": f"{name} "}) == [name]


def test_the_last_of_repeated_keys_counts_and_text_after_a_second_colon_is_named() -> None:
    lines = [
        "Catheterization date: 1: 2",
        "Reason for admission: Healthy control",
        "Additional diagnoses: Obesity: severe, Dysrhythmia",
        "Start lysis therapy (hh.mm): 19:45",
        "Catheterization date: 16-Oct-90",
        "a line without a colon",
    ]
    found = parse_summary(lines)
    assert found.values["Catheterization date"] == "16-Oct-90"
    assert diagnoses(found.values) == ["Healthy control", "Obesity"]
    assert found.problems == (("text after a second colon (ignored)", lines[2]),)


@pytest.mark.parametrize("text", ["30/02/1990", "1990-10-01", "01/10/90", "29-Sep-1990", "29-Okt-90", "01/10/1990 ?"])
def test_a_date_that_is_none_is_named(text: str) -> None:
    with pytest.raises(ValueError, match=text.split()[0].replace("?", ".")):
        parse_date(text)
    problems = parse_summary([f"ECG date: {text}", "Reason for admission: no"]).problems
    assert [kind for kind, _ in problems] == ["unreadable date (counts as missing)"]


def test_labels_come_by_count_and_then_by_name() -> None:
    assert frequent_labels([["b", "a"], ["b", "a"], ["c", "c", "c"], ["d"]], 2) == ("c", "a", "b")


def test_options_are_checked(tree: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="kfold_seed=-1: expected a whole number from 0 to"):
        build("ptb", tree, tmp_path / "out", kfold_seed="-1")
    _, rows = build("ptb", tree, tmp_path / "out", n_folds="3")
    assert {(row["split"], int(row["strat_fold"])) for row in rows.values()} == {
        ("train", 0),
        ("validation", 1),
        ("test", 2),
    }
    with pytest.raises(EcgBenchError, match=r"no record patientNNN/NAME\.hea"):
        build("ptb", tmp_path, tmp_path / "none")

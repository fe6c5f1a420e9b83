"""What a build's ledger counts and names."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from hf_ecg_bench.data import ledger as ledger_module
from hf_ecg_bench.data.ledger import Ledger
from hf_ecg_bench.data.load import load_prepared
from hf_ecg_bench.errors import DataError
from tests.data.tiny import build_tiny
from tests.data.tiny_files import records, signals


def test_counts_per_split(tmp_path: Path) -> None:
    rows = records(40)
    rows[1]["fold"] = rows[0]["fold"] = -1
    ledger = build_tiny(tmp_path / "out", rows)
    train = [row for row in rows if row["fold"] < 9]
    facts = ledger.splits["train"]
    assert facts["records"] == len(train)
    assert facts["patients"] == len({row["patient"] for row in train})
    assert facts["labels"] == {"labels": {name: sum(name in row["labels"] for row in train) for name in "AB"}}
    assert facts["unlabelled"] == {"labels": sum(not row["labels"] for row in train)}
    assert facts["without_fold"] == 2
    assert facts["missing_targets"] == {"number": 0, "flag": sum(row["targets"][1] != 1 for row in train)}
    info = load_prepared(tmp_path / "out").info
    assert info["splits"] == ledger.splits
    card = (tmp_path / "out" / "README.md").read_text()
    assert "- without a fold: 2 train" in card
    assert f"(negative for every class): {facts['unlabelled']['labels']} train" in card
    assert "- missing targets: 0% to" in card


def test_a_record_without_patient_is_its_own(tmp_path: Path) -> None:
    rows = records(40)
    for row in rows[:4]:
        row["patient"] = None
    ledger = build_tiny(tmp_path / "out", rows)
    assert (ledger.splits["train"]["patients"], ledger.splits["train"]["without_patient"]) == (14 + 4, 4)
    assert "18 patients" in ledger.describe()


def test_no_patients_are_claimed_where_the_source_names_none(tmp_path: Path) -> None:
    ledger = build_tiny(tmp_path / "out", [row | {"patient": None} for row in records(40)])
    assert [line.split("records")[1].strip() for line in ledger.describe().splitlines()[1:4]] == [
        "(patients not known)"
    ] * 3
    assert "| not known |" in (tmp_path / "out" / "README.md").read_text()


@pytest.mark.parametrize("release_split", [False, True])
def test_a_patient_in_two_splits_fails(tmp_path: Path, release_split: bool) -> None:
    rows = records(40)
    if release_split:
        for row in rows:
            row |= {"split": "train", "fold": -1}
        rows[1]["split"] = "test"
    else:
        rows[1]["fold"] = 10
    with pytest.raises(DataError, match="patient p0 is in two splits: record r000 in train, record r001 in test"):
        build_tiny(tmp_path / "out", rows)
    assert not (tmp_path / "out").exists()


def test_names_have_an_end_and_counts_have_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger = Ledger("x")
    for number in range(5000):
        ledger.defect(str(number), "odd", "detail")
        ledger.exclude(str(number), "unused", "detail", by_design=True)
    assert (ledger.n_excluded, ledger.defect_counts["odd"]) == (5000, 5000)
    assert [len(names["odd"]) for names in (ledger.defects,)] == [ledger_module.MAX_NAMED]
    assert "kept, but: odd: 5000 (0, 1, 2, 3, 4, ...)" in ledger.describe()

    monkeypatch.setattr(ledger_module, "MAX_NAMED", 3)
    values = signals(40)
    values[[2, 3, 4, 5, 30, 31]] = np.nan
    for time in range(2):
        built = build_tiny(tmp_path / "out", values=values)
        assert built.excluded_counts == {"unreadable": 6}, time
        assert [name for name, _ in built.excluded["unreadable"]] == ["r002", "r003", "r004"]
        assert (built.found, built.kept, built.n_excluded) == (40, 34, 6)
    info = json.loads((tmp_path / "out" / "ecg_bench.json").read_text())
    assert info["ledger"]["excluded_counts"] == {"unreadable": 6}
    assert sum(len(shard["excluded"].get("unreadable", ())) for shard in info["shards"]) == 3
    assert "- left out: unreadable: 6" in (tmp_path / "out" / "README.md").read_text()


def test_folds_are_those_of_the_complete_source(tmp_path: Path) -> None:
    whole, rows = records(40), records(40)
    for row in rows[12:]:
        row["fold"] = min(row["fold"], 7)  # the largest fold of all is then 7, and 6 that of the first ten records
    build_tiny(tmp_path / "whole", rows, splits="largest_folds")
    ledger = build_tiny(tmp_path / "first", rows, splits="largest_folds", limit=10)
    split_of = {}
    for folder in ("whole", "first"):
        for split, data in load_prepared(tmp_path / folder).splits.items():
            for record in data["record_id"]:
                assert split_of.setdefault(record, split) == split
    assert len(split_of) == len(whole)
    assert any("split test is empty" in note for note in ledger.notes)


def test_repeated_recordings(tmp_path: Path) -> None:
    values = signals(40)
    values[39], values[20], values[6] = values[0], values[1], values[5]  # test r039 = train r000; train = train
    values[16] = values[0] + np.float32(0.0005)  # a validation record, but for rounding
    values[[3, 38]] = 0
    ledger = build_tiny(tmp_path / "out", values=values)
    assert ledger.duplicates == {
        "within_a_split": 2,
        "across_splits": 1,
        "groups": [[["r000", "train"], ["r016", "validation"], ["r039", "test"]]],
    }
    assert load_prepared(tmp_path / "out").info["ledger"]["duplicates"] == ledger.duplicates
    said = ledger.describe()
    assert "occur in more than one split: 1; first: r000 in train, r016 in validation, r039 in test" in said
    assert "occur more than once within a split: 2" in said
    with pytest.raises(DataError, match="occur in more than one split") as error:
        build_tiny(tmp_path / "strict", values=values, strict=True)
    assert "ledger.duplicates" in str(error.value.fix)
    values[[16, 39]] = signals(2, seed=9)
    assert build_tiny(tmp_path / "mended", values=values, strict=True).duplicates["within_a_split"] == 2


def test_repeated_recordings_do_not_matter_without_signals(tmp_path: Path) -> None:
    ledger = build_tiny(tmp_path / "out", metadata_only=True)
    assert ledger.duplicates == {"within_a_split": 0, "across_splits": 0, "groups": []}
    assert "known targets" in ledger.describe_labels()
    table = ledger.describe_labels({"labels": {"A": "what A means"}}).splitlines()
    facts = [split["labels"]["labels"]["A"] for split in ledger.splits.values()]
    assert table[0].split() == ["labels", "train", "validation", "test", "all"]
    assert table[1].split() == ["A", *map(str, facts), str(sum(facts)), "what", "A", "means"]
    assert "(no label)" in ledger.describe_labels()

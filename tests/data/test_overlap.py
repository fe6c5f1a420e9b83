"""Recordings that datasets share, and the record of them."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from hf_ecg_bench.cli.main import main
from hf_ecg_bench.data.folder_rows import PreparedFolder
from hf_ecg_bench.data.formats.wfdb_rows import read_row
from hf_ecg_bench.data.ledger import Ledger
from hf_ecg_bench.data.overlap import find_overlaps
from hf_ecg_bench.data.prepare import prepare
from hf_ecg_bench.errors import DataError
from tests.data.tiny import build_tiny
from tests.data.tiny_files import records, signals


def opened(*paths: Path) -> list[PreparedFolder]:
    return [PreparedFolder.open(path) for path in paths]


def test_shared_recordings(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first, second, third = signals(40), signals(20, seed=1), signals(10, seed=2)
    second[3], second[17] = (
        first[0],
        first[39] + np.float32(0.0005),
    )  # train in train, test in validation but for rounding
    second[4] = first[0]  # once more: one recording
    second[5] = third[6] = 0
    third[0] = first[0]
    first[5] = 0
    rows = records(20)
    build_tiny(tmp_path / "a", values=first)
    build_tiny(tmp_path / "b", rows, second)
    build_tiny(tmp_path / "c", records(10), third)
    paths = [str(tmp_path / name) for name in "abc"]
    assert main(["overlap", *paths, "--output", str(tmp_path / "overlaps.json")]) == 0
    table = capsys.readouterr().out.splitlines()
    assert [line.split()[2:] for line in table[2:]] == [
        ["2", "1", "1", "train/train,", "1", "test/validation"],
        ["1", "0", "1", "train/train"],
        ["1", "0", "1", "train/train"],
    ]
    found = json.loads((tmp_path / "overlaps.json").read_text())
    assert found["format_version"] == 1
    assert found["groups"] == [
        [[0, "r000", "train"], [1, "r003", "train"], [1, "r004", "train"], [2, "r000", "train"]],
        [[0, "r039", "test"], [1, "r017", "validation"]],
    ]
    assert found["pairs"][0] == {
        "first": 0,
        "second": 1,
        "recordings": 2,
        "by_rounding": 1,
        "splits": {"train": {"train": 1}, "test": {"validation": 1}},
    }
    digests = [json.loads((tmp_path / name / "ecg_bench.json").read_text())["digest"] for name in "abc"]
    assert [entry["digest"] for entry in found["datasets"]] == digests
    assert find_overlaps(opened(*(tmp_path / name for name in "abc"))) == found
    assert main(["overlap", *paths, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == found


def test_what_cannot_be_compared(tmp_path: Path) -> None:
    build_tiny(tmp_path / "a")
    build_tiny(tmp_path / "b", metadata_only=True)
    with pytest.raises(DataError, match="one dataset cannot overlap"):
        find_overlaps(opened(tmp_path / "a"))
    with pytest.raises(DataError, match="b has no signals to compare"):
        find_overlaps(opened(tmp_path / "a", tmp_path / "b"))
    (tmp_path / "a" / "fingerprints" / "train-00000-of-00001.parquet").unlink()
    with pytest.raises(DataError, match=r"train-00000-of-00001\.parquet cannot be read") as error:
        find_overlaps(opened(tmp_path / "a", tmp_path / "a"))
    assert "start the same prepare again" in str(error.value.fix)


def test_a_lost_file_of_fingerprints_is_written_again(tmp_path: Path) -> None:
    build_tiny(tmp_path / "a")
    lost = tmp_path / "a" / "fingerprints" / "train-00000-of-00001.parquet"
    whole = lost.read_bytes()
    lost.unlink()
    assert build_tiny(tmp_path / "a").status == "built"
    assert lost.read_bytes() == whole


@pytest.mark.shared
def test_real_ptbxl_and_its_copies_of_the_challenge(shared: Path, tmp_path: Path) -> None:
    prepare("ptbxl", raw_dir=shared / "data" / "ptbxl", output_dir=tmp_path / "ptbxl", limit=20)
    copies = sorted((shared / "data" / "ptbxl_challenge2021").rglob("*.hea"))
    values = np.stack([read_row("x", str(path.with_suffix("")), 500, Ledger("x")) for path in copies])
    rows = [{**row, "id": path.stem} for row, path in zip(records(len(copies)), copies, strict=True)]
    # The tiny dataset says 100 Hz, as its made-up signals are; recordings of different rates are never the same.
    build_tiny(tmp_path / "tiny", rows, values)
    assert find_overlaps(opened(tmp_path / "ptbxl", tmp_path / "tiny"))["groups"] == []
    build_tiny(tmp_path / "challenge", rows, values, rate=500)
    found = find_overlaps(opened(tmp_path / "ptbxl", tmp_path / "challenge"))
    assert [[record for _, record, _ in group] for group in found["groups"]] == [
        [str(number), f"HR{number:05d}"] for number in (1, 2, 6, 7, 8, 9)
    ]
    assert found["pairs"][0]["by_rounding"] == 0


@pytest.mark.shared
def test_real_chapman_in_both_layouts(shared: Path, tmp_path: Path) -> None:
    for layout in ("chapman", "chapman_challenge2021"):
        prepare("chapman", raw_dir=shared / "data" / layout, output_dir=tmp_path / layout)
    found = find_overlaps(opened(tmp_path / "chapman", tmp_path / "chapman_challenge2021"))
    with open(shared / "data" / "chapman" / "record_map.csv", newline="", encoding="utf-8") as file:
        pairs = {row["FileName"]: row["challenge2021_record"] for row in csv.DictReader(file)}
    assert {original: copy for (_, original, _), (_, copy, _) in found["groups"]} == pairs

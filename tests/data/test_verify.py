"""`verify`: damage is found and named; two builds are compared to the first value that differs."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hf_ecg_bench.cli.main import main
from hf_ecg_bench.data import parquet, shards
from hf_ecg_bench.data.compare import Comparison, compare_folders
from hf_ecg_bench.data.folder_rows import PreparedFolder
from hf_ecg_bench.data.verify import verify_folder
from hf_ecg_bench.errors import DataError
from tests.data.tiny import build_tiny
from tests.data.tiny_files import records, signals

TRAIN = "data/train-00000-of-00001.parquet"
PRINTS = "fingerprints/train-00000-of-00001.parquet"


@pytest.fixture
def built(tmp_path: Path) -> Path:
    build_tiny(tmp_path / "built")
    return tmp_path / "built"


def problems(folder: Path) -> list[str]:
    return verify_folder(PreparedFolder.open(folder)).problems


def test_a_sound_folder(built: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", str(built)]) == 0
    assert "the rows, ecg_bench.json and the fingerprints agree" in capsys.readouterr().out
    assert main(["verify", str(built), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["sound_and_equal"] is True
    assert found["folders"][0]["records"] == {"train": 32, "validation": 4, "test": 4}


def flip(path: Path, position: int, bit: int = 0) -> None:
    content = bytearray(path.read_bytes())
    content[position] ^= 1 << bit
    path.write_bytes(bytes(content))


def test_every_flipped_bit_of_the_samples_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # Without compression and dictionary, so that a flipped bit is a changed sample and not an unreadable file.
    monkeypatch.setattr(parquet, "COMPRESSION", {"compression": "none", "use_dictionary": False})
    values = signals(40)
    build_tiny(tmp_path / "out", values=values)
    place = (tmp_path / "out" / TRAIN).read_bytes().index(values[3, :1].tobytes())
    for offset, bit in ((0, 0), (3, 6), (4 * 12 * 50 + 1, 3)):
        flip(tmp_path / "out" / TRAIN, place + offset, bit)
        first = problems(tmp_path / "out")[0]
        assert first.startswith(f"{TRAIN}: record r003: signals"), first
        flip(tmp_path / "out" / TRAIN, place + offset, bit)
    assert problems(tmp_path / "out") == []
    flip(tmp_path / "out" / TRAIN, place)
    assert main(["verify", str(tmp_path / "out")]) == 2
    said = capsys.readouterr().out
    assert "record r003: signals" in said
    assert "ecg_bench.json: the digests of dataset, signals are not those of the rows" in said
    assert "fix: remove the files that are named" in said


def test_random_flips_anywhere_are_found_or_harmless(built: Path) -> None:
    generator = np.random.default_rng(0)
    whole = {name: (built / name).read_bytes() for name in (TRAIN, PRINTS, "ecg_bench.json")}
    rows, prints = (repr(pq.read_table(built / name).to_pylist()) for name in (TRAIN, PRINTS))
    found = 0
    for name in (TRAIN, TRAIN, PRINTS):
        for _ in range(6):
            flip(built / name, int(generator.integers(len(whole[name]))), int(generator.integers(8)))
            named = problems(built)
            if named:
                found += 1
                assert any(name in problem for problem in named), named
            else:  # padding, statistics: what is read is the same
                assert repr(pq.read_table(built / TRAIN).to_pylist()) == rows
                assert repr(pq.read_table(built / PRINTS).to_pylist()) == prints
            (built / name).write_bytes(whole[name])
    assert found > 11


def test_edits_are_named(built: Path) -> None:
    info = json.loads((built / "ecg_bench.json").read_text())
    edited = json.loads(json.dumps(info))
    edited["splits"]["train"]["labels"]["labels"]["A"] += 1
    edited["digests"]["folds"] = "0" * 64
    (built / "ecg_bench.json").write_text(json.dumps(edited))
    assert problems(built) == [
        "ecg_bench.json: the digests of folds are not those of the rows",
        "ecg_bench.json: split train: labels are not those of the rows",
    ]
    (built / "ecg_bench.json").write_text(json.dumps(info | {"label_columns": {"labels": ["B", "A"]}}))
    assert "class names of labels are not those of ecg_bench.json" in problems(built)[0]
    (built / "ecg_bench.json").write_text(json.dumps(info))
    table = pq.read_table(built / TRAIN)
    pq.write_table(table.slice(1), built / TRAIN)
    assert "has 31 rows, ecg_bench.json says 32" in problems(built)[0]
    columns = {name: table[name] for name in table.column_names}
    columns["labels"] = pa.chunked_array([pa.array([[7]] * 32, table.schema.field("labels").type)])
    pq.write_table(pa.table(columns, schema=table.schema), built / TRAIN)
    assert "record r000: labels has class 7 of 2" in problems(built)[0]
    (built / TRAIN).unlink()
    (built / PRINTS).unlink()
    assert [problem.split(" cannot be read")[0] for problem in problems(built)] == [TRAIN]
    pq.write_table(table, built / TRAIN)
    assert [PRINTS in problem for problem in problems(built)] == [True]
    pq.write_table(table, built / "data" / "train-00000-of-00007.parquet")
    assert "belongs to no shard" in problems(built)[-1]


def test_what_is_no_folder(tmp_path: Path, built: Path) -> None:
    with pytest.raises(DataError, match="no folder"):
        PreparedFolder.open(tmp_path / "absent")
    with pytest.raises(DataError, match="not a prepared dataset"):
        PreparedFolder.open(tmp_path)
    info = json.loads((built / "ecg_bench.json").read_text())
    (built / "ecg_bench.json").write_text(json.dumps({**info, "shards": []}))
    with pytest.raises(DataError, match="prepared by an older version"):
        PreparedFolder.open(built)
    assert main(["verify", str(built), "--quick"]) == 2


def test_a_fix_that_can_be_pasted(tmp_path: Path, built: Path) -> None:
    with pytest.raises(DataError, match=f"fix: give the folder above it: {built}"):
        PreparedFolder.open(built / "data")
    (tmp_path / "raw").mkdir()
    with pytest.raises(DataError, match=f"--output-dir {tmp_path / 'raw'}"):
        PreparedFolder.open(tmp_path / "raw")
    (tmp_path / "raw" / "table.csv").touch()  # prepare would refuse to write there
    with pytest.raises(DataError, match="--output-dir ANOTHER_FOLDER"):
        PreparedFolder.open(tmp_path / "raw")


def test_rows_that_were_not_compared_are_not_called_the_same(
    tmp_path: Path, built: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(built, tmp_path / "copy")
    assert main(["verify", str(built), str(tmp_path / "copy")]) == 0
    assert capsys.readouterr().out.endswith(": the same records\n")
    damage = tmp_path / "copy" / TRAIN
    damage.write_bytes(damage.read_bytes()[:-20])
    for arguments, code in (([], 2), (["--quick"], 0)):
        assert main(["verify", str(built), str(tmp_path / "copy"), *arguments]) == code
        assert "the same records, when they were written" in capsys.readouterr().out


def compared(tmp_path: Path, built: Path, rows: Any = None, values: Any = None, **options: Any) -> Comparison:
    build_tiny(tmp_path / "other", rows, values, **options)
    folders = PreparedFolder.open(built), PreparedFolder.open(tmp_path / "other")
    result = compare_folders(*folders)
    checks = [verify_folder(folder, keep_fingerprints=True).fingerprints for folder in folders]
    assert compare_folders(*folders, (checks[0], checks[1])).describe() == result.describe()
    return result


CHANGES: dict[str, tuple[dict[str, Any], str, list[str]]] = {
    "patient": ({"patient": "p99"}, "ids", ["patient_id: p3 and p99"]),
    "age": ({"age": None, "sex": "male"}, "demographics", ["age: 26 and None", "sex: female and male"]),
    "labels": ({"labels": ["B"]}, "labels", ["labels: ['A'] and ['B']"]),
    "targets": ({"targets": [6.5, 0.0]}, "targets", ["target number: 6 and 6.5 (2 of 2 targets differ)"]),
    "missing": ({"targets": [6.0, 1.0]}, "targets", ["target flag: nan and 1 (1 of 2 targets differ)"]),
    "extra": ({"words": []}, "extra", ["words: ['w6'] and []"]),
    "fold": ({"fold": 5}, "folds", ["strat_fold: 4 and 5"]),
    "split": ({"fold": 9, "patient": "p3"}, "folds", ["strat_fold: 4 and 9", "split: train and validation"]),
}


@pytest.mark.parametrize("name", CHANGES)
def test_first_difference_of_metadata(tmp_path: Path, built: Path, name: str) -> None:
    change, part, said = CHANGES[name]
    rows = records(40)
    rows[6] |= change
    if name == "split":
        rows[7] |= change
    result = compared(tmp_path, built, rows)
    assert not result.equal
    assert {key: number for key, number in result.differing.items() if number} == {part: 1 + (name == "split")}
    assert result.record == "r006"
    assert [item.describe() for item in result.differences] == said
    assert "first differing record: r006" in result.describe()


def test_first_difference_of_signals(tmp_path: Path, built: Path) -> None:
    values = signals(40)
    values[5, 40, 6] += np.float32(0.25)
    values[5, 41:43, 0] = 0
    result = compared(tmp_path, built, values=values)
    assert result.differing["signals"] == 1
    (difference,) = result.differences
    assert difference.what == "signal, sample 40 of V1"
    assert difference.second == pytest.approx(difference.first + 0.25)
    assert "3 of 1200 samples differ, by at most" in difference.remark
    values = signals(40)
    values[5] += np.float32(0.0005)
    result = compared(tmp_path / "again", built, values=values)
    assert result.differences[0].remark.endswith(": rounding")


def test_other_records(tmp_path: Path, built: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows, values = records(42), signals(42)
    kept = [0, 1, 2, *range(4, 42)]
    result = compared(tmp_path, built, [rows[n] for n in kept], values[kept])
    assert result.only_in == (["r003"], ["r040", "r041"])
    assert (result.record, result.differences[0].describe()) == ("r003", "record: present and absent")
    assert main(["verify", str(built), str(tmp_path / "other"), "--quick"]) == 2
    assert "only in" in capsys.readouterr().out
    longer = compared(tmp_path / "more", built, rows, values)
    assert (longer.record, longer.differences[0].describe()) == ("r040", "record: absent and present")


def test_equal_builds_of_other_form(
    tmp_path: Path, built: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(shards, "SHARD_RECORDS", 3)
    order = np.arange(40)[::-1]
    rows, values = records(40), signals(40)
    result = compared(tmp_path, built, [rows[n] for n in order], values[order])
    assert result.equal
    assert result.in_another_order
    assert compared(tmp_path / "same", built, num_proc=1).in_another_order is False
    without = compared(tmp_path / "without", built, metadata_only=True)
    assert without.equal
    assert "signals" not in without.differing
    assert [note.replace(str(tmp_path), "") for note in without.notes] == [
        "option metadata_only: False and True",
        "/without/other has no signals (--metadata-only); signals are not compared",
    ]
    capsys.readouterr()
    assert main(["verify", str(built), str(tmp_path / "other"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["comparison"]["equal"] is True


def test_other_classes(tmp_path: Path, built: Path) -> None:
    info = json.loads((built / "ecg_bench.json").read_text())
    build_tiny(tmp_path / "other")
    for classes, said in ((["B", "A"], "the same, in another order"), (["A", "C"], "only in the second: C")):
        changed = info | {"label_columns": {"labels": classes}}
        (tmp_path / "other" / "ecg_bench.json").write_text(json.dumps(changed))
        result = compare_folders(PreparedFolder.open(built), PreparedFolder.open(tmp_path / "other"))
        assert not result.equal
        assert said in result.notes[0]

"""Whose an output folder is while it is written."""

from __future__ import annotations

from pathlib import Path

import pytest

from hf_ecg_bench.data import shards
from hf_ecg_bench.data.output_folder import OutputFolder
from hf_ecg_bench.errors import DataError, EcgBenchError
from tests.data.tiny import build_tiny
from tests.data.tiny_files import records


def folder(path: Path) -> OutputFolder:
    return OutputFolder(path, "ptbxl", {})


def test_one_process_at_a_time(tmp_path: Path) -> None:
    with (
        folder(tmp_path / "out").claim(),
        pytest.raises(DataError, match="another process is preparing"),
        folder(tmp_path / "out").claim(),
    ):
        raise AssertionError("taken twice")


def test_work_is_removed_before_another_can_take_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refused = []
    remove = OutputFolder._remove_work

    def removing(self: OutputFolder) -> None:
        with pytest.raises(DataError, match="another process is preparing"), folder(tmp_path / "out").claim():
            pass
        refused.append(True)
        remove(self)

    monkeypatch.setattr(OutputFolder, "_remove_work", removing)
    output = folder(tmp_path / "out")
    with output.claim():
        output.begin({})
        output.finish(output.identity)
    assert refused == [True]
    assert [path.name for path in output.path.iterdir()] == ["ecg_bench.json"]
    with output.claim():
        output.begin({})
        assert (output.work / "plan.json").is_file()


def test_only_writing_is_reported_as_writing(tmp_path: Path) -> None:
    with pytest.raises(PermissionError, match="source"), folder(tmp_path / "out").claim():
        raise PermissionError(13, "Permission denied", "source")
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(EcgBenchError, match="a file stands where a folder is needed"),
        folder(tmp_path / "file" / "out").claim(),
    ):
        pass


def test_files_of_another_number_of_shards_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shards, "SHARD_RECORDS", 10)
    build_tiny(tmp_path / "out")
    leftovers = [tmp_path / "out" / name for name in ("data/.x.1.part", "fingerprints/.y.2.part", ".README.md.3.part")]
    build_tiny(tmp_path / "new", records(20))
    for path in leftovers:
        path.touch()
    build_tiny(tmp_path / "out", records(20))
    files = [
        sorted(str(path.relative_to(tmp_path / name)) for path in (tmp_path / name).rglob("*"))
        for name in ("out", "new")
    ]
    assert files[0] == files[1]
    assert len([name for name in files[0] if name.startswith("fingerprints/")]) == 4


def test_another_dataset_is_not_overwritten(tmp_path: Path) -> None:
    build_tiny(tmp_path / "out", records(12))
    with pytest.raises(DataError, match=r"out holds \w+; asked for 'ptbxl'\n  fix: choose another --output-dir"):
        folder(tmp_path / "out").check()

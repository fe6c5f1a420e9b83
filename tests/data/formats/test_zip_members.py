"""Zip archives by position: equal to Python's own reader, small and zip64."""

from __future__ import annotations

import struct
import zipfile
import zlib
from pathlib import Path

import pytest

from hf_ecg_bench.data.formats import zip_members
from hf_ecg_bench.data.formats.zip_members import list_members, read_member
from hf_ecg_bench.data.ledger import RecordProblem
from hf_ecg_bench.errors import DataError


def contents(path: Path) -> dict[str, bytes]:
    with open(path, "rb") as handle:
        return {name: read_member(handle, member, name) for name, member in list_members(path, fix="-")}


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_members_equal_pythons_reader(tmp_path: Path, method: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zip_members, "_CHUNK", 1000)
    path = tmp_path / "a.zip"
    expected = {f"files/p{number}/r{number}.dat": bytes([number % 251]) * (number * 7) for number in range(200)}
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.comment = b"a comment with PK in it"
        for name, content in expected.items():
            archive.writestr(name, content)
    assert contents(path) == expected


def test_zip64_sizes_and_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Python writes zip64 fields beyond these limits; lowered, a small archive has them all."""
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 300)
    monkeypatch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", 3)
    path = tmp_path / "a.zip"
    expected = {f"{number}.dat": bytes(range(256)) * 2 for number in range(6)}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in expected.items():
            archive.writestr(name, content)
    assert b"PK\x06\x06" in path.read_bytes()
    assert contents(path) == expected


def test_streamed_archives_with_sizes_after_the_data(tmp_path: Path) -> None:
    """Tools that write to a pipe leave the sizes in the local header empty; the directory has them."""

    class Pipe:
        def __init__(self, path: Path) -> None:
            self.handle = open(path, "wb")  # noqa: SIM115

        def write(self, data: bytes) -> int:
            return self.handle.write(data)

        def flush(self) -> None:
            self.handle.flush()

    path = tmp_path / "a.zip"
    pipe = Pipe(path)
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as archive:  # type: ignore[call-overload]
        archive.writestr("a", b"text" * 100)
    pipe.handle.close()
    assert contents(path) == {"a": b"text" * 100}


@pytest.mark.parametrize("keep", [0, 10, 0.5, -1])
def test_cut_off_archives(tmp_path: Path, keep: float) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a", b"text" * 1000)
    raw = path.read_bytes()
    path.write_bytes(raw[: int(keep * len(raw)) if isinstance(keep, float) else keep])
    with pytest.raises(DataError, match="cannot be read as a zip archive"):
        contents(path)


def test_a_member_longer_than_announced_is_not_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a", b"\0" * 10_000_000)
    raw = bytearray(path.read_bytes())
    at = raw.rfind(b"PK\x01\x02")
    struct.pack_into("<L", raw, at + 24, 100)
    struct.pack_into("<L", raw, at + 16, zlib.crc32(b"\0" * 100))
    path.write_bytes(raw)
    with pytest.raises(RecordProblem, match="damaged archive"):
        contents(path)


def test_encrypted_and_unknown_methods_are_named(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_BZIP2) as archive:
        archive.writestr("a", b"text" * 1000)
    with pytest.raises(RecordProblem, match="method 12"):
        contents(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a", b"text")
    raw = bytearray(path.read_bytes())
    raw[6] |= 1
    path.write_bytes(raw)
    with pytest.raises(RecordProblem, match="encrypted"):
        contents(path)

"""Zip archives in parts (`NAME.z01`, `NAME.z02`, ..., `NAME.zip`), which Python's own reader does not join."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any

from hf_ecg_bench.errors import DownloadError

_END = struct.Struct("<4s4H2LH")
_END_SIGNATURE, _ENTRY_SIGNATURE = b"PK\x05\x06", b"PK\x01\x02"
_ENTRY_SIZE = 46
_BEYOND = 0xFFFFFFFF  # what 32 bits cannot say stands elsewhere, in ZIP64


def parts_of(archive: Path) -> list[Path]:
    """The parts of an archive in their order, the archive itself, which is the last one, included."""
    last = _end_of(archive)[1]
    return [*(archive.with_suffix(f".z{number + 1:02d}") for number in range(last)), archive]


@contextmanager
def open_zip(archive: Path) -> Iterator[zipfile.ZipFile]:
    """A zip archive, its parts joined where it has several.

    Raises:
        DownloadError: a part is missing, or 4 GiB are exceeded by an archive in parts.
        zipfile.BadZipFile: it is damaged.
    """
    parts = parts_of(archive)
    if len(parts) == 1:
        with zipfile.ZipFile(archive) as opened:
            yield opened
        return
    missing = [part.name for part in parts if not part.is_file()]
    if missing:
        raise DownloadError(
            f"{archive} is the last of {len(parts)} parts; {', '.join(missing)} is not beside it",
            fix=f"get all parts into {archive.parent}",
        )
    with ExitStack() as stack:
        files = [stack.enter_context(open(part, "rb")) for part in parts]
        joined = stack.enter_context(io.BufferedReader(_join(files, _end_of(archive))))
        yield stack.enter_context(zipfile.ZipFile(joined))


def _end_of(archive: Path) -> tuple[Any, ...]:
    """The record at an archive's end: it says which part this is, and where the list of members begins."""
    with open(archive, "rb") as file:
        size = file.seek(0, io.SEEK_END)
        file.seek(max(0, size - _END.size - 65_535))
        tail = file.read()
    position = tail.rfind(_END_SIGNATURE)
    if position < 0 or len(tail) - position < _END.size:
        raise zipfile.BadZipFile("it has no end, so it is cut off or no zip file")
    return _END.unpack_from(tail, position)


def _join(files: Sequence[IO[bytes]], end: tuple[Any, ...]) -> _Joined:
    """One archive: all parts, then the list of members anew, as places in the whole instead of in a part."""
    starts = [0]
    for file in files:
        starts.append(starts[-1] + file.seek(0, io.SEEK_END))
    _, _, part, _, entries, size, offset, _ = end
    if part >= len(files) or _BEYOND in (size, offset) or starts[-1] >= _BEYOND:
        raise NotImplementedError("parts with more than 4 GiB together")
    whole = _Joined(files, starts, starts[part] + offset, b"")
    members = bytearray(_Joined(files, starts, starts[-1], b"").at(starts[part] + offset, size))
    position = 0
    for _ in range(entries):
        if members[position : position + 4] != _ENTRY_SIGNATURE or position + _ENTRY_SIZE > len(members):
            raise zipfile.BadZipFile("its list of members is damaged")
        name, extra, comment, part = struct.unpack_from("<4H", members, position + 28)
        (place,) = struct.unpack_from("<L", members, position + 42)
        if part >= len(files) or place == _BEYOND:
            raise zipfile.BadZipFile("its list of members names a part that does not exist")
        struct.pack_into("<H", members, position + 34, 0)
        struct.pack_into("<L", members, position + 42, starts[part] + place)
        position += _ENTRY_SIZE + name + extra + comment
    whole.tail = bytes(members) + _END.pack(_END_SIGNATURE, 0, 0, entries, entries, size, whole.length, 0)
    return whole


class _Joined(io.RawIOBase):
    """The first `length` bytes of several files, and then `tail`."""

    def __init__(self, files: Sequence[IO[bytes]], starts: Sequence[int], length: int, tail: bytes) -> None:
        self.files, self.starts, self.length, self.tail = files, starts, length, tail
        self.position = 0

    def at(self, position: int, size: int) -> bytes:
        """Bytes from a place in the whole; fewer at its end."""
        if position >= self.length:
            return self.tail[position - self.length :][:size]
        number = max(index for index, start in enumerate(self.starts[:-1]) if start <= position)
        piece = min(size, self.starts[number + 1] - position, self.length - position)
        self.files[number].seek(position - self.starts[number])
        found = self.files[number].read(piece)
        return found + self.at(position + piece, size - piece) if found and size > piece else found

    def readinto(self, buffer: Any) -> int:
        found = self.at(self.position, len(buffer))
        buffer[: len(found)] = found
        self.position += len(found)
        return len(found)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self.position, io.SEEK_END: self.length + len(self.tail)}[whence]
        self.position = base + offset
        return self.position

    def tell(self) -> int:
        return self.position

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

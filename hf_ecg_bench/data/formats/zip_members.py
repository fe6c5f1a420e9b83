"""Members of huge zip archives (zip64), found in one pass over the archive's directory and read by their position.

Python's own reader keeps an object for every member: a gigabyte for the 1.6 million files of MIMIC-IV-ECG.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from hf_ecg_bench.data.formats.inflate import InflateError, inflate
from hf_ecg_bench.data.ledger import RecordProblem
from hf_ecg_bench.errors import DataError

STORED, DEFLATED = 0, 8
# Larger members are no records; a damaged directory or a bomb must not exhaust the memory.
LARGEST = 1 << 28

_END = struct.Struct("<4s4H2LH")
_END64_LOCATOR = struct.Struct("<4sLQL")
_END64 = struct.Struct("<4sQ2H2L4Q")
_ENTRY = struct.Struct("<4s6H3L5H2L")
_LOCAL = struct.Struct("<4s5H3L2H")
_LONGEST_COMMENT = 1 << 16
_CHUNK = 1 << 22
_MAX16, _MAX32 = 0xFFFF, 0xFFFFFFFF


class Member(NamedTuple):
    """Where a file is in an archive: enough to read it without the directory.

    Attributes:
        offset: of its local header. `size`, `packed`: bytes unpacked and packed. `method`: 0 stored, 8 deflate.
        crc: CRC-32 of the unpacked bytes.
    """

    offset: int
    packed: int
    size: int
    method: int
    crc: int


def list_members(path: Path, *, fix: str) -> Iterator[tuple[str, Member]]:
    """Name and place of every member, in the order of the directory; memory does not depend on their number.

    Raises:
        DataError: no zip archive, cut off, or with a damaged directory.
    """
    try:
        with open(path, "rb") as handle:
            count, start, size = _directory(handle)
            handle.seek(start)
            yield from _entries(handle, count, size)
    except (struct.error, ValueError, OSError) as error:
        raise DataError(f"{path} cannot be read as a zip archive: {error}", fix=fix) from error


def read_member(handle: BinaryIO, member: Member, name: str) -> bytes:
    """A member's content, unpacked, its checksum verified.

    Args:
        handle: the archive, opened for reading.
        name: for messages.

    Raises:
        RecordProblem: cut off, damaged, encrypted, or packed by another method than deflate.
    """
    if member.size > LARGEST:
        raise RecordProblem("damaged archive", f"{name}: {member.size} bytes")
    handle.seek(member.offset)
    head = handle.read(_LOCAL.size)
    if len(head) < _LOCAL.size or head[:4] != b"PK\x03\x04":
        raise RecordProblem("damaged archive", f"{name}: no file at byte {member.offset}")
    _, _, flags, *_, name_length, extra_length = _LOCAL.unpack(head)
    if flags & 1:
        raise RecordProblem("damaged archive", f"{name}: encrypted")
    handle.seek(name_length + extra_length, os.SEEK_CUR)
    packed = handle.read(member.packed)
    if len(packed) < member.packed:
        raise RecordProblem(
            "damaged archive", f"{name}: {len(packed)} bytes of {member.packed}, the archive is cut off"
        )
    content = _unpack(packed, member, name)
    if len(content) != member.size or zlib.crc32(content) != member.crc:
        raise RecordProblem("damaged archive", f"{name}: wrong checksum (CRC-32)")
    return content


def _unpack(packed: bytes, member: Member, name: str) -> bytes:
    if member.method == STORED:
        return packed
    if member.method != DEFLATED:
        raise RecordProblem("damaged archive", f"{name}: packed by method {member.method}, expected stored or deflate")
    try:
        # One byte more than announced shows a member that is too long without unpacking all of it.
        return inflate(packed, member.size + 1, raw=True)
    except InflateError as error:
        raise RecordProblem("damaged archive", f"{name}: {error}") from error


def _directory(handle: BinaryIO) -> tuple[int, int, int]:
    """Number of entries, position and bytes of the archive's directory."""
    length = handle.seek(0, os.SEEK_END)
    tail_start = max(0, length - _END.size - _LONGEST_COMMENT - _END64_LOCATOR.size)
    handle.seek(tail_start)
    tail = handle.read()
    at = tail.rfind(b"PK\x05\x06")
    if at < 0:
        raise ValueError("it has no directory at its end (cut off, or no zip archive)")
    _, _, _, _, count, size, start, _ = _END.unpack_from(tail, at)
    locator = at - _END64_LOCATOR.size
    if locator >= 0 and tail[locator : locator + 4] == b"PK\x06\x07":
        handle.seek(_END64_LOCATOR.unpack_from(tail, locator)[2])
        record = _END64.unpack(handle.read(_END64.size))
        if record[0] != b"PK\x06\x06":
            raise ValueError("its zip64 directory is not where it should be")
        count, size, start = record[7:]
    elif _MAX16 in (count,) and _MAX32 in (size, start):
        raise ValueError("its zip64 directory is missing")
    if start + size > tail_start + at:
        raise ValueError("its directory is not where it should be (parts missing?)")
    return count, start, size


def _entries(handle: BinaryIO, count: int, size: int) -> Iterator[tuple[str, Member]]:
    buffer, at, left = b"", 0, size
    for number in range(count):
        if len(buffer) - at < _ENTRY.size + 3 * _MAX16 and left:
            chunk = handle.read(min(_CHUNK, left))
            if not chunk:
                raise ValueError(f"its directory is cut off after {number} of {count} files")
            buffer, at, left = buffer[at:] + chunk, 0, left - len(chunk)
        fields = _ENTRY.unpack_from(buffer, at)
        if fields[0] != b"PK\x01\x02":
            raise ValueError(f"its directory is damaged after {number} of {count} files")
        method, crc, packed, unpacked = fields[4], *fields[7:10]
        name_length, extra_length, comment_length, offset = fields[10], fields[11], fields[12], fields[16]
        name_at = at + _ENTRY.size
        extra_at = name_at + name_length
        name = buffer[name_at:extra_at].decode("utf-8", errors="replace")
        if _MAX32 in (unpacked, packed, offset):
            extra = buffer[extra_at : extra_at + extra_length]
            unpacked, packed, offset = _large(extra, unpacked, packed, offset)
        at = extra_at + extra_length + comment_length
        yield name, Member(offset, packed, unpacked, method, crc)


def _large(extra: bytes, unpacked: int, packed: int, offset: int) -> tuple[int, int, int]:
    """The zip64 field holds, in this order, those of the three numbers that do not fit 32 bits."""
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<2H", extra, at)
        if kind == 1:
            numbers = iter(struct.unpack_from(f"<{length // 8}Q", extra, at + 4))
            try:
                return (
                    next(numbers) if unpacked == _MAX32 else unpacked,
                    next(numbers) if packed == _MAX32 else packed,
                    next(numbers) if offset == _MAX32 else offset,
                )
            except StopIteration:
                break
        at += 4 + length
    raise ValueError("its directory has a large file without its size")

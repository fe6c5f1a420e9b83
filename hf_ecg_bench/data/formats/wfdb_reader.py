"""Reads WFDB records stored in format 16 (PTB-XL, PTB, the Challenge sets), checksums verified.

Values equal those of `wfdb.rdrecord(...).p_signal` rounded to float32; -32768 is the format's missing sample
and becomes NaN. Other storage formats are refused by name.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from hf_ecg_bench.data.formats.wfdb_header import Header, SignalLine, parse_header
from hf_ecg_bench.data.ledger import RecordProblem
from hf_ecg_bench.files import size_and_time

MISSING = -32768
_INT24 = 2**24


@dataclass(frozen=True)
class WfdbRecord:
    """A record in physical units.

    Attributes:
        signal: (time, n) float32, NaN where a sample is missing.
        names, units: per signal, as written in the header.
        rate: Hz.
        comments: comment lines without their `#`.
    """

    signal: np.ndarray
    names: tuple[str, ...]
    units: tuple[str, ...]
    rate: float
    comments: tuple[str, ...]


def read_header(path: str) -> Header:
    """Parse `<path>.hea`.

    Raises:
        RecordProblem: missing or not a header.
    """
    try:
        with open(path + ".hea", "rb") as handle:
            raw = handle.read()
    except FileNotFoundError as error:
        raise RecordProblem("missing file", f"no {os.path.basename(path)}.hea") from error
    except OSError as error:
        raise RecordProblem("unreadable file", f"{os.path.basename(path)}.hea: {error.strerror}") from error
    return parse_header(raw.decode("utf-8", errors="replace"))


def read_record(path: str, *, verify: bool = True, leads: Collection[str] = ()) -> WfdbRecord:
    """Read `<path>.hea` and its signal files.

    Args:
        path: the record's path without an extension.
        verify: compare each signal's checksum with the header's.
        leads: names in lower case; signal files without any of them are not read (all are, if no file has one).

    Raises:
        RecordProblem: missing, truncated or foreign files, another storage format, a wrong checksum; the
            detail names the file, what was expected and what was found.
    """
    header = read_header(path)
    if not header.signals:
        raise RecordProblem("unreadable header", "no signals")
    header = _with_files_of(header, leads)
    folder = os.path.dirname(path)
    groups = _by_file(header)
    if len(groups) == 1:
        digital = _read_file(folder, header.signals, header.samples, verify)
        signal = _physical(digital, header.signals)
    else:
        parts = {}
        for numbers in groups.values():
            lines = tuple(header.signals[number] for number in numbers)
            part = _physical(_read_file(folder, lines, header.samples, verify), lines)
            parts.update({number: part[:, column] for column, number in enumerate(numbers)})
        _same_length(map(len, parts.values()))
        signal = np.stack([parts[number] for number in range(len(parts))], axis=1)
    return WfdbRecord(
        signal=signal,
        names=tuple(line.name for line in header.signals),
        units=tuple(line.units for line in header.signals),
        rate=header.rate,
        comments=header.comments,
    )


def decode_record(header: bytes, content: bytes, *, verify: bool = True) -> WfdbRecord:
    """What `read_record` makes of files at hand (members of an archive).

    Args:
        header: content of the `.hea` file.
        content: content of the record's only signal file.

    Raises:
        RecordProblem: as `read_record`; also a record of several signal files.
    """
    parsed = parse_header(header.decode("utf-8", errors="replace"))
    if len(_by_file(parsed)) != 1:
        raise RecordProblem("unreadable header", f"{len(_by_file(parsed))} signal files, expected 1")
    _check_storage(parsed.signals)
    return WfdbRecord(
        signal=_physical(_digital(content, parsed.signals, parsed.samples, verify), parsed.signals),
        names=tuple(line.name for line in parsed.signals),
        units=tuple(line.units for line in parsed.signals),
        rate=parsed.rate,
        comments=parsed.comments,
    )


def look_at_signals(path: str, header: Header) -> tuple[int, bool]:
    """The number of samples of a record, and whether any is missing: without checksums or physical units.

    Args:
        path: the record's path without an extension.
        header: its header.

    Raises:
        RecordProblem: as `read_record`, except for checksums.
    """
    if not header.signals:
        raise RecordProblem("unreadable header", "no signals")
    lengths, missing = [], False
    for numbers in _by_file(header).values():
        lines = tuple(header.signals[number] for number in numbers)
        digital = _read_file(os.path.dirname(path), lines, header.samples, verify=False)
        lengths.append(len(digital))
        missing = missing or bool(digital.size and digital.min() == MISSING)
    _same_length(lengths)
    return lengths[0], missing


def file_stamp(path: str) -> str:
    """Size and modification time of a record's header and signal file: changes when either does."""
    parts = []
    for extension in (".hea", ".dat", ".mat"):
        try:
            stat = os.stat(path + extension)
        except OSError:
            continue
        parts.append(f"{extension}:{size_and_time(stat)}")
    return " ".join(parts)


def _by_file(header: Header) -> dict[str, list[int]]:
    """Signal file -> positions of its signals."""
    groups: dict[str, list[int]] = {}
    for number, line in enumerate(header.signals):
        groups.setdefault(line.file, []).append(number)
    return groups


def _with_files_of(header: Header, leads: Collection[str]) -> Header:
    """The header without the signals of files that hold none of `leads`."""
    files = {line.file for line in header.signals}
    needed = {line.file for line in header.signals if line.name.strip().casefold() in leads}
    if not needed or needed == files:
        return header
    return replace(header, signals=tuple(line for line in header.signals if line.file in needed))


def _same_length(lengths: Iterable[int]) -> None:
    if len(set(lengths)) > 1:
        raise RecordProblem("unreadable signals", "its signal files differ in length")


def _read_file(folder: str, lines: tuple[SignalLine, ...], samples: int | None, verify: bool) -> np.ndarray:
    """The digital samples of all signals in one file: (time, signals) int16."""
    first = lines[0]
    _check_storage(lines)
    path = os.path.join(folder, first.file)
    try:
        with open(path, "rb") as handle:
            raw = handle.read()
    except FileNotFoundError as error:
        raise RecordProblem("missing file", f"no {first.file}") from error
    except OSError as error:
        raise RecordProblem("unreadable file", f"{first.file}: {error.strerror}") from error
    return _digital(raw, lines, samples, verify)


def _digital(raw: bytes, lines: tuple[SignalLine, ...], samples: int | None, verify: bool) -> np.ndarray:
    """The digital samples in a signal file's content: (time, signals) int16."""
    first = lines[0]
    frame = 2 * len(lines)
    if samples is None:
        samples = max(0, len(raw) - first.offset) // frame
    expected = first.offset + samples * frame
    if len(raw) < expected:
        raise RecordProblem("truncated file", f"{first.file}: {len(raw)} bytes, the header asks for {expected}")
    digital = np.frombuffer(raw, "<i2", samples * len(lines), first.offset).reshape(samples, len(lines))
    if verify:
        _verify(digital, lines)
    return digital


def _check_storage(lines: tuple[SignalLine, ...]) -> None:
    first = lines[0]
    if first.file in ("~", "-") or Path(first.file).name != first.file:
        raise RecordProblem("unreadable header", f"signal file {first.file!r}: expected a name in the record's folder")
    for line in lines:
        if line.fmt != 16 or line.samples_per_frame != 1:
            found = f"{line.fmt}" + (f"x{line.samples_per_frame}" if line.samples_per_frame != 1 else "")
            raise RecordProblem("unsupported storage format", f"{line.file}: format {found}, expected 16")
        if line.offset != first.offset:
            raise RecordProblem("unreadable header", f"{line.file}: signals with different byte offsets")


def _verify(digital: np.ndarray, lines: tuple[SignalLine, ...]) -> None:
    sums = _checksums(digital)
    for line, found in zip(lines, sums.tolist(), strict=True):
        if line.checksum is not None and line.checksum % 65536 != found:
            raise RecordProblem(
                "wrong checksum",
                f"{line.file}, signal {line.name or '?'}: samples add up to {found}, "
                f"the header says {line.checksum % 65536}",
            )


def _checksums(digital: np.ndarray) -> np.ndarray:
    """Sum of each column modulo 2**16: (signals,) uint16."""
    samples, n = digital.shape
    wrapped = digital.view(np.uint16)
    # Adding long rows of many frames at a time is several times faster than adding short ones.
    block = 50
    whole = samples // block * block
    sums = np.add.reduce(wrapped[:whole].reshape(-1, block * n), axis=0, dtype=np.uint16)
    sums = np.add.reduce(sums.reshape(block, n), axis=0, dtype=np.uint16)
    return sums + np.add.reduce(wrapped[whole:], axis=0, dtype=np.uint16)


def _physical(digital: np.ndarray, lines: tuple[SignalLine, ...]) -> np.ndarray:
    """(digital - baseline) / gain, float32. One correctly rounded division, as float64 rounded to float32
    would give.
    """
    gain = np.array([line.gain for line in lines])
    baseline = np.array([line.baseline for line in lines])
    exact = np.all(gain.astype(np.float32) == gain) and np.all(np.abs(baseline) < _INT24 - 2**15)
    dtype: type[np.float32] | type[np.float64] = np.float32 if exact else np.float64
    values: np.ndarray[tuple[int, ...], np.dtype[np.floating]] = digital.astype(dtype)
    if baseline.any():
        values -= baseline.astype(dtype)
    # One number for all signals, the usual case, divides faster than a row of them.
    values /= dtype(gain[0]) if np.all(gain == gain[0]) else gain.astype(dtype)
    if digital.size and digital.min() == MISSING:
        values[digital == MISSING] = np.nan
    return values.astype(np.float32, copy=False)

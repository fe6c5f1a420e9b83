"""WFDB header files, parsed from the format's specification (https://physionet.org/physiotools/wag/header-5.htm)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from hf_ecg_bench.data.ledger import RecordProblem

DEFAULT_RATE = 250.0
DEFAULT_GAIN = 200.0

# FORMAT[xSAMPLES][:SKEW][+OFFSET]
_FORMAT = re.compile(r"(\d+)(?:x(\d+))?(?::(\d+))?(?:\+(\d+))?")
# GAIN[(BASELINE)][/UNITS]
_GAIN = re.compile(r"([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)(?:\((-?\d+)\))?(?:/(\S+))?")


class SignalLine(NamedTuple):
    """One signal of a header: where its samples are and what they mean.

    Attributes:
        file: name of the signal file, relative to the header's folder.
        fmt: storage format; `offset`: bytes before the first sample; `samples_per_frame`: samples per frame.
        gain: digital units per physical unit; `baseline`: the digital value of 0.
        units: physical unit as written (`mV`, `mv`).
        initial_value, checksum: as written (None where the line ends before them); the checksum is the sum
            of all samples modulo 2**16, written signed or unsigned.
        name: the lead's name as written (empty where the line has none).
    """

    file: str
    fmt: int
    offset: int
    samples_per_frame: int
    gain: float
    baseline: int
    units: str
    initial_value: int | None
    checksum: int | None
    name: str


@dataclass(frozen=True)
class Header:
    """A single-segment header. `samples` is None where the header does not say how many there are."""

    rate: float
    samples: int | None
    signals: tuple[SignalLine, ...]
    comments: tuple[str, ...]


def parse_header(text: str) -> Header:
    """Parse a header's text: both flavours in use (`16+24 1000/mV`, `16x1+24 1000.0(0)/mv`), LF or CRLF.

    Raises:
        RecordProblem: naming the line that cannot be understood.
    """
    lines: list[str] = []
    comments: list[str] = []
    for line in text.splitlines():
        line = line.strip()
        if line.startswith("#"):
            comments.append(line[1:].strip())
        elif line:
            lines.append(line)
    if not lines:
        raise RecordProblem("unreadable header", "the file is empty")
    rate, samples, n_signals = _record_line(lines[0])
    if len(lines) - 1 < n_signals:
        raise RecordProblem("unreadable header", f"{n_signals} signals announced, {len(lines) - 1} described")
    signals = tuple(_signal_line(line) for line in lines[1 : n_signals + 1])
    return Header(rate, samples, signals, tuple(comments))


def _record_line(line: str) -> tuple[float, int | None, int]:
    fields = line.split()
    try:
        if "/" in fields[0]:
            raise RecordProblem("unreadable header", f"multi-segment record {fields[0]!r} is not supported")
        n_signals = int(fields[1])
        # RATE[/COUNTER[(BASE)]]
        rate = float(fields[2].split("/")[0]) if len(fields) > 2 else DEFAULT_RATE
        samples = int(fields[3]) if len(fields) > 3 else None
    except (IndexError, ValueError) as error:
        raise RecordProblem("unreadable header", f"record line {line!r}") from error
    # 0 samples means "not known"; so does leaving the number out.
    return rate, samples or None, n_signals


def _signal_line(line: str) -> SignalLine:
    fields = line.split(maxsplit=8)
    storage = _storage(fields[1]) if len(fields) > 1 else None
    calibration = _calibration(fields[2] if len(fields) > 2 else "0")
    if storage is None or calibration is None:
        raise RecordProblem("unreadable header", f"signal line {line!r}")
    gain, baseline, units = calibration
    try:
        adc_zero = int(fields[4]) if len(fields) > 4 else 0
        initial_value = int(fields[5]) if len(fields) > 5 else None
        checksum = int(fields[6]) if len(fields) > 6 else None
    except ValueError as error:
        raise RecordProblem("unreadable header", f"signal line {line!r}") from error
    return SignalLine(
        file=fields[0],
        fmt=storage[0],
        offset=storage[2],
        samples_per_frame=storage[1],
        gain=gain,
        baseline=adc_zero if baseline is None else baseline,
        units=units,
        initial_value=initial_value,
        checksum=checksum,
        name=fields[8] if len(fields) > 8 else "",
    )


# The same few texts stand in every header of a dataset.
@lru_cache(maxsize=256)
def _storage(field: str) -> tuple[int, int, int] | None:
    """Format, samples per frame, byte offset."""
    match = _FORMAT.fullmatch(field)
    return (int(match[1]), int(match[2] or 1), int(match[4] or 0)) if match else None


@lru_cache(maxsize=256)
def _calibration(field: str) -> tuple[float, int | None, str] | None:
    """Gain, baseline (None where not written), units."""
    match = _GAIN.fullmatch(field)
    if match is None:
        return None
    # A gain of 0 means "not calibrated", for which the format prescribes the default.
    gain = float(match[1]) or DEFAULT_GAIN
    return gain, None if match[2] is None else int(match[2]), match[3] or "mV"

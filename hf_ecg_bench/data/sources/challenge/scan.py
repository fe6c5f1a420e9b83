"""A look at each record before anything is decided: its header, its length, whether samples are missing.

The published benchmark leaves out unreadable records and records with missing samples before it counts labels and
draws folds, so they must be known before signals are converted. A scan checks no checksums and makes no millivolts.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from hf_ecg_bench.data.formats.wfdb_reader import file_stamp, look_at_signals, read_header
from hf_ecg_bench.data.ledger import RecordProblem
from hf_ecg_bench.data.sources.challenge.headers import Comments, parse_comments
from hf_ecg_bench.files import size_and_time

# Files that are not in memory come twice as fast through a few threads; chunks keep the threads from waiting for
# each other where they are.
THREADS = 4
_CHUNK = 50


@dataclass(frozen=True)
class Scanned:
    """What is known of a record without reading its signal.

    Attributes:
        samples: length as stored, at `rate` Hz.
        comments: age, sex and codes.
        stamp: changes when the record's files change.
    """

    samples: int
    rate: float
    comments: Comments
    stamp: str


def scan_records(paths: Sequence[str], *, signals: bool) -> Iterator[Scanned | RecordProblem]:
    """One result per path (without extension), in order; a record that cannot be used gives its problem.

    Args:
        signals: False looks at headers only; signal files may then be absent.
    """
    chunks = [paths[start : start + _CHUNK] for start in range(0, len(paths), _CHUNK)]
    with ThreadPoolExecutor(THREADS) as pool:
        for results in pool.map(lambda chunk: [_try(path, signals) for path in chunk], chunks):
            yield from results


def scan_record(path: str, *, signals: bool) -> Scanned:
    """Look at one record.

    Raises:
        RecordProblem: unreadable header or signal file, a truncated one, missing samples, no samples.
    """
    header = read_header(path)
    if signals:
        samples, missing = look_at_signals(path, header)
        if missing:
            raise RecordProblem("missing samples", "the signal file marks samples as missing (-32768)")
        stamp = file_stamp(path)
    else:
        if header.samples is None:
            raise RecordProblem("unreadable header", "it does not say how many samples there are")
        samples = header.samples
        stamp = f".hea:{size_and_time(os.stat(path + '.hea'))}"
    if not samples:
        raise RecordProblem("wrong length", "no samples")
    if header.rate <= 0:
        raise RecordProblem("wrong sampling rate", f"{header.rate:g} Hz")
    return Scanned(samples, header.rate, parse_comments(header.comments), stamp)


def _try(path: str, signals: bool) -> Scanned | RecordProblem:
    try:
        return scan_record(path, signals=signals)
    except RecordProblem as problem:
        return problem

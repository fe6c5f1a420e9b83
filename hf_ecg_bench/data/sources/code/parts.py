"""CODE-15%'s signal files `exams_part0.hdf5`, `exams_part1.hdf5`, ...: which exam lies where."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

import numpy as np

from hf_ecg_bench.data.access import WITHOUT_SIGNALS
from hf_ecg_bench.data.formats.hdf5 import UNEXPECTED, Hdf5Dataset, read_dataset
from hf_ecg_bench.data.ledger import Ledger, RecordProblem
from hf_ecg_bench.data.sources.code.exams import FIX
from hf_ecg_bench.data.sources.code.tracings import EMPTY, Tracing, is_empty, open_tracings, signal_bounds
from hf_ecg_bench.errors import DataError
from hf_ecg_bench.files import inside, size_and_time

EXAM_ID = "exam_id"
# The last row of every part has this id and no signal.
FILLER = 0
_NAME = re.compile(r"exams_part(\d+)\.hdf5")


@dataclass(frozen=True)
class StoredExams:
    """The exams that have a signal, parts in numeric order, rows of a part in stored order.

    Attributes:
        tracings: exam id -> where its signal is.
        stamps: path of a part -> text that changes when the file does.
        without: ids of exams whose tracing is empty; excluded by name.
        damaged: ids of exams whose tracing cannot be read; excluded by name.
        parts: names of all parts that are there, readable or not.
        unreadable: name of a part -> what is wrong with it.
    """

    tracings: dict[int, Tracing] = field(default_factory=dict)
    stamps: dict[str, str] = field(default_factory=dict)
    without: set[int] = field(default_factory=set)
    damaged: set[int] = field(default_factory=set)
    parts: set[str] = field(default_factory=set)
    unreadable: dict[str, str] = field(default_factory=dict)


def part_number(name: str) -> tuple[int, str]:
    """Sorts parts by number; names that are none come last."""
    match = _NAME.fullmatch(name)
    return (int(match[1]), name) if match else (1 << 62, name)


def find_exams(folder: Path, ledger: Ledger) -> StoredExams:
    """Look through all parts: ids, and whether a tracing is empty.

    That takes one small read per exam from an uncompressed file, in place of all 68 GB, and none from a compressed one
    whose chunks hold one exam each. It cannot wait until the signals are read: folds depend on which exams there are.

    Raises:
        DataError: no part at all.
    """
    names = sorted((name for name in os.listdir(folder) if _NAME.fullmatch(name)), key=part_number)
    if not names:
        raise DataError(
            f"no exams_part0.hdf5, exams_part1.hdf5, ... in {folder}: the signals are missing",
            fix=f"{FIX}; {WITHOUT_SIGNALS}",
        )
    stored = StoredExams()
    fillers = 0
    for name in names:
        stored.parts.add(name)
        path = inside(folder, name)
        try:
            with open_tracings(path) as data:
                ids = _exam_ids(path, data)
                sure = data.records_not_zero()
                states = [row not in sure and _state(data, row) for row in range(len(ids))]
        except RecordProblem as problem:
            stored.unreadable[name] = str(problem)
            continue
        stored.stamps[str(path)] = f"{name}:{size_and_time(path.stat())}"
        for row, exam_id in enumerate(ids):
            if exam_id == FILLER and states[row] is True:
                fillers += 1
            else:
                _add(stored, exam_id, str(path), row, states[row], ledger)
    if fillers:
        ledger.note(f"{fillers} all-zero rows with exam_id {FILLER} (one ends each part of the release) are no records")
    return stored


def _exam_ids(path: Path, data: Hdf5Dataset) -> list[int]:
    ids = read_dataset(path, EXAM_ID, (None,), ("int32", "int64", "uint32", "uint64"))
    if len(ids) != data.shape[0]:
        raise RecordProblem(UNEXPECTED, f"{path.name}: {len(ids)} entries of {EXAM_ID} for {data.shape[0]} tracings")
    return np.asarray(ids).tolist()


def _state(data: Hdf5Dataset, row: int) -> bool | RecordProblem:
    """Whether a tracing is empty, or what is wrong with it."""
    try:
        return is_empty(data, row)
    except RecordProblem as problem:
        return problem


def _add(stored: StoredExams, exam_id: int, path: str, row: int, state: bool | RecordProblem, ledger: Ledger) -> None:
    ledger.found += 1
    where = f"{os.path.basename(path)} row {row}"
    if exam_id == FILLER:
        ledger.exclude(f"0 ({where})", "exam_id 0 with a signal", f"{where}: this id marks rows without an exam")
    elif exam_id in stored.tracings or exam_id in stored.without or exam_id in stored.damaged:
        ledger.exclude(f"{exam_id} ({where})", "duplicate exam_id", f"{where}; the first tracing with this id is used")
    elif isinstance(state, RecordProblem):
        stored.damaged.add(exam_id)
        ledger.exclude(str(exam_id), state.reason, state.detail)
    elif state:
        stored.without.add(exam_id)
        ledger.exclude(str(exam_id), EMPTY, f"{where}: all samples are zero")
    else:
        stored.tracings[exam_id] = Tracing(str(exam_id), path, row)


def lengths(tracings: Sequence[Tracing], protocol: str) -> list[int]:
    """Samples of each signal without padding; reads all of it. 0 where it cannot be read, which is named later."""
    found = []
    for path, own in groupby(tracings, key=lambda tracing: tracing.path):
        with open_tracings(path) as data:
            found += [_length(data, tracing.row, protocol) for tracing in own]
    return found


def _length(data: Hdf5Dataset, row: int, protocol: str) -> int:
    try:
        start, stop = signal_bounds(data.row(row), protocol)
    except RecordProblem:
        return 0
    return stop - start

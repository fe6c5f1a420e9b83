"""What the `embed` verb is given: WFDB records, folders of them, prepared datasets; one recording at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from hf_ecg_bench.data.ecg_record import read_record
from hf_ecg_bench.data.load import load_prepared, require_signals
from hf_ecg_bench.data.registry import list_datasets
from hf_ecg_bench.data.signal_view import SignalView
from hf_ecg_bench.errors import DataError
from hf_ecg_bench.names import INFO_FILE, NAMESPACE


@dataclass(frozen=True)
class Recording:
    """A recording that is read when it is its turn.

    Attributes:
        record_id: its name: the file's, relative to the folder that was given, or the dataset's own.
        file: where it is: the record's path without an extension, or the dataset.
        split: of a prepared dataset, else None.
        read: returns (signal (time, 12) in the canonical order, Hz, unit); raises EcgBenchError.
    """

    record_id: str
    file: str
    split: str | None
    read: Callable[[], tuple[np.ndarray, float, str]]


@dataclass(frozen=True)
class Recordings:
    """How many there are, and an iterator over them."""

    number: int
    each: Iterator[Recording]


def recordings(inputs: Sequence[str], *, check_leads: bool = True) -> list[Recordings]:
    """Find the recordings of files, folders, and prepared datasets (folders, ids or `ecg-bench/<id>`).

    A file that does not exist is a recording too: reading it says so, and the others go on.

    Args:
        check_leads: whether WFDB records whose limb leads contradict each other are refused.

    Raises:
        DataError: a folder without records, or a dataset that cannot be opened.
    """
    return [_one_input(text, check_leads) for text in inputs]


def _one_input(text: str, check_leads: bool) -> Recordings:
    path = Path(text)
    if path.is_dir():
        return _dataset(text) if (path / INFO_FILE).is_file() else _folder(path, check_leads)
    is_file = path.exists() or Path(text + ".hea").exists()
    if not is_file and text.removeprefix(f"{NAMESPACE}/") in list_datasets():
        return _dataset(text)
    base = path.with_suffix("") if path.suffix in (".hea", ".dat", ".mat") else path
    return Recordings(1, iter([_wfdb(base, base.name, check_leads)]))


def _folder(folder: Path, check_leads: bool) -> Recordings:
    bases = sorted(header.with_suffix("") for header in folder.rglob("*.hea"))
    if not bases:
        raise DataError(
            f"{folder} holds neither WFDB records (*.hea) nor a prepared dataset ({INFO_FILE})",
            fix="give a folder of records, or the output of hf-ecg-bench prepare",
        )
    each = (_wfdb(base, base.relative_to(folder).as_posix(), check_leads) for base in bases)
    return Recordings(len(bases), each)


def _wfdb(base: Path, record_id: str, check_leads: bool) -> Recording:
    def read() -> tuple[np.ndarray, float, str]:
        signal, rate = read_record(base, check_leads=check_leads)
        return signal, rate, "mV"

    return Recording(record_id, str(base), None, read)


def _dataset(name: str) -> Recordings:
    prepared = load_prepared(name)
    require_signals(prepared)
    unit = str(prepared.info.get("unit", "mV"))

    def each() -> Iterator[Recording]:
        for split, rows in prepared.splits.items():
            if len(rows):
                view, rates = SignalView(rows), rows["sampling_rate"][:]
                for number, record_id in enumerate(rows["record_id"][:]):
                    read = partial(_row, view, number, float(rates[number]), unit)
                    yield Recording(record_id, prepared.source, str(split), read)

    return Recordings(sum(map(len, prepared.splits.values())), each())


def _row(view: SignalView, number: int, rate: float, unit: str) -> tuple[np.ndarray, float, str]:
    return view[number], rate, unit

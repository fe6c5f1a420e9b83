"""Made-up CODE-15% and CODE-test trees in the official layout."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from hf_ecg_bench.data.sources.code.exams import EXAMS
from hf_ecg_bench.data.sources.code.labels import label_columns
from hf_ecg_bench.data.sources.code.parts import EXAM_ID, FILLER
from hf_ecg_bench.data.sources.code.test_set import ANNOTATORS, ATTRIBUTES, ORDERS, SIGNALS
from hf_ecg_bench.data.sources.code.tracings import RATE, TRACINGS
from hf_ecg_bench.data.sources.example.signals import example_ecg
from hf_ecg_bench.signals.leads import LEADS

WINDOW = 4096
# The real lengths, in the middle of the window; small trees have long ones in the two last folds.
LENGTHS = (4096, 2934, 4000)
_PART = 500
# With 100 folds, units reach the two last ones only when there are so many of them.
_PATIENTS = 36
_DIFFERENT = 12


def write_code15(root: str, n: int) -> None:
    """`exams.csv` and parts of 500 exams, each with the all-zero row at its end; at least 40 exams if `n` >= 24."""
    folder = Path(root)
    n = max(n, 40) if n >= 24 else n
    patients = max(_PATIENTS, n * 2 // 3)
    rows = []
    for number in range(n):
        flags = {column: str(number % 13 == place) for place, column in enumerate(label_columns().values())}
        rows.append(
            {
                "exam_id": 1_000 + 3 * number,
                "age": 20 + number * 7 % 70,
                "is_male": str(number % 2 == 0),
                "nn_predicted_age": "50.0",
                **flags,
                "patient_id": 500 + number % patients,
                "death": "",
                "timey": "",
                "normal_ecg": str("True" not in flags.values()),
                "trace_file": f"exams_part{number // _PART}.hdf5",
            }
        )
    for part, start in enumerate(range(0, n, _PART)):
        own = range(start, min(n, start + _PART))
        ids = [rows[number]["exam_id"] for number in own]
        with h5py.File(folder / f"exams_part{part}.hdf5", "w") as file:
            file[EXAM_ID] = np.array([*ids, FILLER], np.int64)
            _write_tracings(file, [_padded(number) for number in own], filler=1)
    # The real table is not in the order of the signals either.
    _write_table(folder / EXAMS, rows[::-1])


def write_code_test(root: str, n: int) -> None:
    """Signals in the order that the real file has, people, gold standard and all annotators."""
    folder = Path(root)
    # It says where a canonical lead is in the file; turned round, what goes where.
    stored = np.argsort(np.array(ORDERS["I II III aVL aVF aVR"]))
    columns = list(label_columns().values())
    with h5py.File(folder / SIGNALS, "w") as file:
        _write_tracings(file, [_padded(number)[:, stored] for number in range(n)])
    _write_table(folder / ATTRIBUTES, [{"age": 20 + number * 7 % 70, "sex": "FM"[number % 2]} for number in range(n)])
    for shift, name in enumerate(("gold_standard", *ANNOTATORS)):
        votes = [
            {column: int((number + shift // 3) % 9 == place) for place, column in enumerate(columns)}
            for number in range(n)
        ]
        _write_table(folder / "annotations" / f"{name}.csv", votes)


@lru_cache(maxsize=_DIFFERENT)
def _signal(number: int) -> np.ndarray:
    signal: np.ndarray = example_ecg(number, LENGTHS[number % len(LENGTHS)], RATE) / np.float32(1000)
    return signal


def _padded(number: int) -> np.ndarray:
    """(4096, 12) float32 in mV, no two alike: one of a few signals, each time shifted a little further."""
    signal = np.roll(_signal(number % _DIFFERENT), number // _DIFFERENT, axis=0)
    window = np.zeros((WINDOW, len(LEADS)), np.float32)
    start = (WINDOW - len(signal)) // 2
    window[start : start + len(signal)] = signal
    return window


def _write_tracings(file: h5py.File, signals: Sequence[np.ndarray], filler: int = 0) -> None:
    data = file.create_dataset(TRACINGS, (len(signals) + filler, WINDOW, len(LEADS)), np.float32)
    for row, signal in enumerate(signals):
        data[row] = signal
    for row in range(len(signals), len(signals) + filler):
        data[row] = 0


def _write_table(path: Path, rows: Iterable[dict[str, Any]]) -> None:
    rows = list(rows)
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", newline="", encoding="utf-8") as handle:
        writer = csv.DictWriter(handle, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)

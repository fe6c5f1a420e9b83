"""A made-up Chapman tree in the layout of the figshare release, for examples, tests and benchmarks."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import openpyxl

from hf_ecg_bench.data.sources.chapman.layouts import SIGNALS, TABLE
from hf_ecg_bench.data.sources.chapman.signals import SAMPLES
from hf_ecg_bench.data.sources.example.signals import example_ecg
from hf_ecg_bench.signals.leads import LEADS

_SIGNALS = 8
# Microvolts per step of the recorder: why the release's text has decimals.
_STEP = 4.88
_LABELS = (
    ("SB", "NONE"),
    ("SR", "RBBB TWC"),
    ("AFIB", "TWC"),
    ("SB", "STTC"),
    ("ST", "LVHV STDD"),
    ("SR", "NONE"),
)


def write_example(root: str, n: int) -> None:
    """`n` records: the table, with the columns that are read, and a CSV file of microvolts for each."""
    folder = Path(root) / SIGNALS
    folder.mkdir(parents=True)
    head = (",".join(LEADS) + "\n").encode()
    texts = [_text(seed) for seed in range(_SIGNALS)]
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("Sheet1")
    sheet.append(["FileName", "Rhythm", "Beat", "PatientAge", "Gender", "VentricularRate"])
    for number in range(n):
        name = f"MUSE_2018{1 + number // 28 % 12:02d}{1 + number % 28:02d}_{100_000 + number}_{number}000"
        rhythm, beat = _LABELS[number % len(_LABELS)]
        sheet.append([name, rhythm, beat, str(20 + number % 70), "FEMALE" if number % 2 else "MALE", 60])
        lines = texts[number % _SIGNALS]
        turn = number % SAMPLES
        (folder / f"{name}.csv").write_bytes(head + b"".join(lines[turn:]) + b"".join(lines[:turn]))
    book.save(Path(root) / TABLE)


@cache
def _text(seed: int) -> list[bytes]:
    """The lines of a recording."""
    steps = np.round(example_ecg(seed, SAMPLES) / _STEP)
    words = {step: f"{step * _STEP:.2f}".rstrip("0").rstrip(".") for step in np.unique(steps).tolist()}
    return [(",".join([words[step] for step in row]) + "\n").encode() for row in steps.tolist()]

"""A made-up SPH tree in the official layout."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

import h5py
import numpy as np

from hf_ecg_bench.data.sources.example.signals import example_ecg, shifted
from hf_ecg_bench.data.sources.sph.signals import DATASET
from hf_ecg_bench.data.sources.sph.tables import METADATA, RECORDS, published_codes
from hf_ecg_bench.data.vocabulary import read_label_table

# Signals repeat after so many records; lengths cycle with them.
SIGNALS = 8
LENGTHS = (5000, 5000, 5000, 6000, 5000, 5500, 5000, 6500)


def write_example(root: str, n: int) -> None:
    """`metadata.csv`, `code.csv` and `records/` of `n` records; every tenth patient has two.

    Files are deflated as those of the release. Statements run through the published codes, some with a modifier.
    """
    folder = Path(root)
    (folder / RECORDS).mkdir(parents=True)
    codes = published_codes()
    ecgs = [example_ecg(kind, LENGTHS[kind]) for kind in range(SIGNALS)]
    rows = []
    for number in range(n):
        record_id = f"A{number + 1:05d}"
        path = folder / RECORDS / f"{record_id}.h5"
        kind = number % SIGNALS
        write_record(path, shifted(ecgs[kind], number).astype(np.float32) / 1000)
        statements = [codes[number % len(codes)]]
        if number % 3 == 0:
            statements.append("60+310")
        patient = number - (number % 10 == 9)
        rows.append(
            {
                "ECG_ID": record_id,
                "AHA_Code": ";".join(statements),
                "Patient_ID": f"S{patient + 1:05d}",
                "Age": 18 + 7 * number % 78,
                "Sex": "MF"[number % 2],
                "N": LENGTHS[kind],
                "Date": "2020-01-01",
            }
        )
    _write_table(folder / METADATA, rows)
    primary = [
        {"Category": "", "Code": row["code"], "Description": row["description"]} for row in read_label_table("sph")
    ]
    modifiers = [
        {"Category": "Modifier", "Code": row["code"], "Description": row["description"]}
        for row in read_label_table("sph_modifiers")
    ]
    _write_table(folder / "code.csv", primary + modifiers)


def write_record(path: Path, signal: np.ndarray) -> None:
    """`<path>` as the release stores a record: dataset `ecg`, (12, time) float16, deflated.

    Args:
        signal: (time, 12) in mV.
    """
    with h5py.File(path, "w") as file:
        file.create_dataset(DATASET, data=signal.T.astype(np.float16), compression="gzip")


def _write_table(path: Path, rows: Sequence[Mapping[str, object]]) -> None:
    with open(path, "w", encoding="utf-8", newline="") as handle:
        writer = csv.DictWriter(handle, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)

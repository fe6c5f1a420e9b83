"""A made-up PTB-XL tree in the official layout."""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path

import numpy as np

from hf_ecg_bench.data.vocabulary import read_label_table
from hf_ecg_bench.signals.leads import LEADS

NAMES = [lead.upper() if lead.startswith("a") else lead for lead in LEADS]


@cache
def digital_ecg(seed: int, samples: int = 5000) -> np.ndarray:
    """(time, 12) int16 in microvolts whose limb leads obey Einthoven and Goldberger; read-only, as it is made once."""
    rng = np.random.default_rng(seed)
    i, ii = rng.integers(-500, 500, (2, samples)) * 2
    chest = rng.integers(-1000, 1000, (6, samples))
    signal = np.stack([i, ii, ii - i, -(i + ii) // 2, i - ii // 2, ii - i // 2, *chest], axis=1).astype("<i2")
    signal.flags.writeable = False
    return signal


def write_record(path: Path, digital: np.ndarray, *, rate: int = 500, names: list[str] | None = None) -> None:
    """`<path>.hea` and `<path>.dat` in format 16 with right checksums."""
    path.parent.mkdir(parents=True, exist_ok=True)
    digital.astype("<i2").tofile(path.with_suffix(".dat"))
    lines = [f"{path.name} {digital.shape[1]} {rate} {len(digital)}"]
    for column, name in enumerate(names or NAMES):
        values = digital[:, column]
        checksum = int(values.astype(np.int64).sum()) % 65536
        lines.append(f"{path.name}.dat 16 1000.0(0)/mV 16 0 {values[0]} {checksum} 0 {name}")
    path.with_suffix(".hea").write_text("\n".join(lines) + "\n")


class PtbXlTree:
    """The folder `root`; `rows` is its table, written by `save` (which every change of it needs)."""

    def __init__(self, root: Path, n: int = 12) -> None:
        self.root = root
        self.rows = [
            {
                "ecg_id": str(number),
                "patient_id": f"{100 + number}.0",
                "age": "56.0",
                "sex": str(number % 2),
                "scp_codes": "{'NORM': 100.0, 'SR': 0.0}" if number % 2 else "{'IMI': 35.0, 'AFIB': nan}",
                "strat_fold": str((number - 1) % 10 + 1),
                "filename_lr": f"records100/00000/{number:05d}_lr",
                "filename_hr": f"records500/00000/{number:05d}_hr",
            }
            for number in range(1, n + 1)
        ]
        for number in range(1, n + 1):
            write_record(self.record(number), digital_ecg(number))
        self.save()
        self.save_statements()

    def record(self, number: int) -> Path:
        """Path of a record without extension."""
        return self.root / "records500" / "00000" / f"{number:05d}_hr"

    def save(self, *, drop: str | None = None) -> None:
        """Write ptbxl_database.csv, without the column `drop`."""
        names = [name for name in self.rows[0] if name != drop]
        with open(self.root / "ptbxl_database.csv", "w", newline="", encoding="utf-8") as handle:
            writer = csv.DictWriter(handle, names, extrasaction="ignore")
            writer.writeheader()
            writer.writerows(self.rows)

    def save_statements(self) -> None:
        """Write scp_statements.csv as the release has it (the columns that are used)."""
        with open(self.root / "scp_statements.csv", "w", newline="", encoding="utf-8") as handle:
            writer = csv.writer(handle)
            writer.writerow(
                ["", "description", "diagnostic", "form", "rhythm", "diagnostic_class", "diagnostic_subclass"]
            )
            for row in read_label_table("ptbxl"):
                flags = ["1.0" if row[name] == "1" else "" for name in ("diagnostic", "form", "rhythm")]
                writer.writerow([row["code"], row["description"], *flags, row["superclass"], row["subclass"]])

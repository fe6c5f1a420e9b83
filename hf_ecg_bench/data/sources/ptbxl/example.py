"""A made-up PTB-XL tree in the layout of the release, for examples, tests and benchmarks."""

from __future__ import annotations

import csv
from pathlib import Path

from hf_ecg_bench.data.sources.example.signals import example_ecg, shifted
from hf_ecg_bench.data.sources.example.wfdb_files import write_wfdb
from hf_ecg_bench.data.sources.ptbxl.tables import DATABASE, RECORDS, STATEMENTS
from hf_ecg_bench.data.vocabulary import read_label_table
from hf_ecg_bench.signals.leads import LEADS

_SIGNALS = 16
_NAMES = [lead.upper() if lead.startswith("a") else lead for lead in LEADS]
# A diagnosis (likelihood 100) with a rhythm (0, as the release writes it); the last record of each round has a form.
_CODES = (
    "{'NORM': 100.0, 'SR': 0.0}",
    "{'IMI': 100.0, 'LAFB': 50.0, 'SR': 0.0}",
    "{'LVH': 100.0, 'ISC_': 80.0, 'AFIB': 0.0}",
    "{'NDT': 100.0, 'CRBBB': 100.0, 'SBRAD': 0.0}",
    "{'ABQRS': 0.0, 'NORM': 80.0, 'PVC': 100.0, 'STACH': 0.0}",
)


def write_example(root: str, n: int) -> None:
    """`n` records of `(n + 1) // 2` patients in all ten folds, statements of all six label sets."""
    folder = Path(root)
    ecgs = [example_ecg(seed) for seed in range(_SIGNALS)]
    rows = []
    for number in range(1, n + 1):
        patient = (number - 1) // 2
        name = f"{RECORDS}/{number // 1000:02d}000/{number:05d}_hr"
        signal = shifted(ecgs[number % _SIGNALS], number)
        write_wfdb(folder / name, signal, names=_NAMES, gain="1000.0(0)/mV", extension=".dat")
        rows.append(
            {
                "ecg_id": number,
                "patient_id": f"{10_000 + patient}.0",
                "age": f"{300 if patient % 10 == 9 else 20 + patient % 65}.0",
                "sex": patient % 2,
                "scp_codes": _CODES[number % len(_CODES)],
                "strat_fold": patient % 10 + 1,
                "filename_lr": name.replace("500", "100", 1).replace("_hr", "_lr"),
                "filename_hr": name,
            }
        )
    _write_table(folder / DATABASE, rows)
    _write_table(folder / STATEMENTS, [_statement(row) for row in read_label_table("ptbxl")])


def _statement(row: dict[str, str]) -> dict[str, object]:
    flags = {name: "1.0" if row[name] == "1" else "" for name in ("diagnostic", "form", "rhythm")}
    classes = {"diagnostic_class": row["superclass"], "diagnostic_subclass": row["subclass"]}
    return {"": row["code"], "description": row["description"], **flags, **classes}


def _write_table(path: Path, rows: list[dict[str, object]]) -> None:
    with open(path, "w", newline="", encoding="utf-8") as handle:
        writer = csv.DictWriter(handle, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)

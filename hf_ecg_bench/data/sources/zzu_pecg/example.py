"""A made-up ZZU pECG tree in the official layout."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from hf_ecg_bench.data.sources.example.signals import example_ecg, shifted
from hf_ecg_bench.data.sources.example.wfdb_files import write_wfdb
from hf_ecg_bench.data.sources.zzu_pecg import codes
from hf_ecg_bench.data.sources.zzu_pecg.signals import RATE
from hf_ecg_bench.data.sources.zzu_pecg.tables import ATTRIBUTES, RECORDS, published_label_names

# Signals repeat after so many records; lengths cycle with them.
SIGNALS = 8
LENGTHS = (5000, 5000, 7500, 5000, 5000, 6000, 5000, 10000)
_ATTRIBUTES = (
    "Filename",
    "ECG_ID",
    "Patient_ID",
    "Age",
    "Gender",
    "Acquisition_date",
    "Sampling_point",
    "Lead",
    "AHA_code",
    "CHN_code",
    "ICD-10 code",
    "pSQI",
    "basSQI",
    "bSQI",
)


def write_example(root: str, n: int) -> None:
    """The three tables and `Child_ecg/` of `n` records; every tenth child has two.

    Codes are numbered through the published classes, which is not what the release's codes look like.
    """
    folder = Path(root)
    folder.mkdir(parents=True, exist_ok=True)
    names = published_label_names()
    findings = sorted({*names["labels_aha"], *names["labels_chn"]})
    code_of = {name: f"A{number}" for number, name in enumerate(findings)}
    _write(
        folder / codes.FINDINGS,
        (codes.DESCRIPTION, codes.AHA, codes.CHN),
        [
            (name, code if name in names["labels_aha"] else "N/A", code if name in names["labels_chn"] else "N/A")
            for name, code in code_of.items()
        ],
    )
    diseases = {name: f"Q{number}.0" for number, name in enumerate(names["labels_icd10"])}
    _write(
        folder / codes.DISEASES,
        ("Disease Type", codes.CATEGORY, codes.ICD10, "ICD-10 Description"),
        [("Congenital \nheart disease", name, code, name) for name, code in diseases.items()],
    )
    signals = [example_ecg(kind, LENGTHS[kind], RATE) for kind in range(min(n, SIGNALS))]
    rows = []
    for number in range(n):
        patient = f"P{number - (number % 10 == 9) + 1:05d}"
        record_id = f"{patient}_E{1 + (number % 10 == 9):02d}"
        name = f"{patient[:3]}/{patient}/{record_id}"
        signal = shifted(signals[number % SIGNALS], number)
        write_wfdb(folder / RECORDS / name, signal, rate=RATE)
        aha, chn = (names[column][number % len(names[column])] for column in ("labels_aha", "labels_chn"))
        finding = f"'{code_of[aha]}'" + (";'Left ventricular high voltage'" if number % 5 == 0 else "")
        icd10 = f"'{diseases[names['labels_icd10'][number % 19]]}';'J18.9'" if number % 2 else "Null"
        gender = "'Male'" if number % 2 else "'Female'"
        days = f"{1 + 97 * number % 5474}d"
        when = "2020-01-01 09:00:00"
        quality = ("'I':0.500", "'I':0.980", "'I':1.000")
        coded = (finding, f"'{code_of[chn]}'", icd10)
        rows.append((name, record_id, patient, days, gender, when, len(signal), 12, *coded, *quality))
    _write(folder / ATTRIBUTES, _ATTRIBUTES, rows)


def _write(path: Path, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    with open(path, "w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)

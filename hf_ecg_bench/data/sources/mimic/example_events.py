"""Made-up tables of measurements, of any size: laboratory, charts, emergency department, outpatient records."""

from __future__ import annotations

import gzip
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from hf_ecg_bench.data.sources.mimic.charted import CHARTED
from hf_ecg_bench.data.sources.mimic.example_studies import ExampleStudies, timestamps, write_table
from hf_ecg_bench.data.sources.mimic.names import laboratory_items, regression_names

Columns = dict[str, Any]
_DAY = 86400
_VITALS = {"temperature": 98.0, "heartrate": 80.0, "resprate": 16.0, "o2sat": 97.0, "sbp": 130.0, "dbp": 75.0}
_BODY = {"Height (Inches)": 67.0, "Weight (Lbs)": 180.0, "BMI (kg/m2)": 28.0, "Blood Pressure": 120.0}
_FIRST_CHART_ITEM = 220_000
# Rows about items that no target needs.
_OTHER_LABORATORY, _OTHER_CHARTED = 53_000, 230_000


def write_events(folder: Path, studies: ExampleStudies, per_ecg: int, seed: int) -> None:
    """`hosp/`, `icu/` and `ed/` with their tables, gzip. The first events of an ECG cover all names within its hour,
    the others are any item within some hours.
    """
    laboratory = dict(zip(laboratory_items(), regression_names("mimic_lab_values"), strict=False))
    charted = {_FIRST_CHART_ITEM + number: item.label for number, item in enumerate(CHARTED)}
    _write(folder / "hosp" / "d_labitems.csv.gz", [_items(laboratory)])
    _write(folder / "icu" / "d_items.csv.gz", [_items(charted)])
    tables = (
        ("hosp/labevents", lambda part, rng: _laboratory(part, rng, per_ecg, list(laboratory))),
        ("icu/chartevents", lambda part, rng: _charted(part, rng, per_ecg, list(charted))),
        ("ed/vitalsign", _vitals),
        ("hosp/omr", _outpatient),
    )
    for number, (name, make) in enumerate(tables):
        parts = enumerate(studies.parts())
        _write(
            folder / f"{name}.csv.gz", (make(part, np.random.default_rng([seed, 3, number, at])) for at, part in parts)
        )


def _write(path: Path, parts: Iterable[Columns]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    # Level 1: this is about rows, not about bytes. Without a time in it the file is the same every time.
    with gzip.GzipFile(path, "wb", compresslevel=1, mtime=0) as sink:
        for at, columns in enumerate(parts):
            if at == 0:
                sink.write((",".join(columns) + "\n").encode())
            write_table(path, columns, sink=sink)


def _items(labels: dict[int, str]) -> Columns:
    return {"itemid": list(labels), "label": list(labels.values())}


def _laboratory(studies: ExampleStudies, rng: np.random.Generator, per_ecg: int, items: list[int]) -> Columns:
    ecg, item, seconds = _around(studies, rng, per_ecg, items, _OTHER_LABORATORY)
    value = np.round(10 + item % 7 + rng.normal(0, 1, len(item)), 1)
    value[rng.random(len(item)) < 0.02] = np.nan
    empty = np.full(len(item), "")
    return {
        "labevent_id": np.arange(len(item)),
        "subject_id": studies.subject[ecg],
        "hadm_id": empty,
        "specimen_id": 1 + rng.integers(0, 10**7, len(item)),
        "itemid": item,
        "order_provider_id": empty,
        "charttime": timestamps(seconds - 1800),
        "storetime": timestamps(seconds),
        "value": value,
        "valuenum": value,
        "valueuom": np.where(rng.random(len(item)) < 0.03, "g/L", "mg/dL"),
        "ref_range_lower": np.full(len(item), 8.0),
        "ref_range_upper": np.full(len(item), 12.0),
        "flag": empty,
        "priority": np.where(item % 2 == 0, "STAT", "ROUTINE"),
        "comments": np.where(item % 5 == 0, "___, see note", ""),
    }


def _charted(studies: ExampleStudies, rng: np.random.Generator, per_ecg: int, items: list[int]) -> Columns:
    ecg, item, seconds = _around(studies, rng, per_ecg, items, _OTHER_CHARTED)
    value = np.round(60 + item % 11 + rng.normal(0, 5, len(item)), 1)
    return {
        "subject_id": studies.subject[ecg],
        "hadm_id": 20_000_000 + ecg,
        "stay_id": 30_000_000 + ecg,
        "caregiver_id": ecg % 997,
        "charttime": timestamps(seconds - 300),
        "storetime": timestamps(seconds),
        "itemid": item,
        "value": value,
        "valuenum": value,
        "valueuom": np.where(rng.random(len(item)) < 0.1, "", "unit"),
        "warning": np.zeros(len(item), int),
    }


def _around(
    studies: ExampleStudies, rng: np.random.Generator, per_ecg: int, items: list[int], other: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """ECG, item and time of events: each item once within 50 minutes, then any item within four hours."""
    n = len(studies.study)
    within = np.arange(max(per_ecg, len(items)))
    ecg = np.repeat(np.arange(n), len(within))
    known = np.array([*items, *(other + number for number in range(len(items)))])
    item = np.where(
        np.tile(within, n) < len(items),
        known[np.tile(within, n) % len(known)],
        known[rng.integers(0, len(known), len(ecg))],
    )
    reach = np.where(np.tile(within, n) < len(items), 50 * 60, 4 * 3600)
    minutes = (rng.uniform(-1, 1, len(ecg)) * reach).astype(np.int64) // 60 * 60
    return ecg, item, studies.time[ecg] // 60 * 60 + minutes


def _vitals(studies: ExampleStudies, rng: np.random.Generator) -> Columns:
    ecg = np.repeat(np.arange(len(studies.study)), 2)
    seconds = studies.time[ecg] + rng.integers(-3000, 3000, len(ecg))
    values = {name: np.round(mean * (1 + rng.normal(0, 0.03, len(ecg))), 1) for name, mean in _VITALS.items()}
    return {
        "subject_id": studies.subject[ecg],
        "stay_id": 30_000_000 + ecg,
        "charttime": timestamps(seconds),
        **values,
        "rhythm": np.full(len(ecg), ""),
        "pain": np.full(len(ecg), "0"),
    }


def _outpatient(studies: ExampleStudies, rng: np.random.Generator) -> Columns:
    n = len(studies.study)
    ecg = np.repeat(np.arange(n), len(_BODY))
    names = np.tile(np.array(list(_BODY)), n)
    value = np.round(np.tile(np.array(list(_BODY.values())), n) * (1 + rng.normal(0, 0.1, len(ecg))), 1)
    days = studies.time[ecg] // _DAY + rng.integers(-20, 21, len(ecg))
    return {
        "subject_id": studies.subject[ecg],
        "chartdate": (days * _DAY).astype("datetime64[s]").astype("datetime64[D]"),
        "seq_num": np.ones(len(ecg), int),
        "result_name": names,
        "result_value": np.where(names == "Blood Pressure", "120/80", value.astype(str)),
    }

"""Every dataset against the developers' fixtures and real recordings, in one table; compared anew, not by its tests.

python -m tests.data.fixture_table [ID ...]        # HF_ECG_BENCH_SHARED points at the folder

A row of a fixture is equal if split and labels of every task (after its filters, at both label thresholds) are those of
the reference, and the signal is within 1e-6. Folds are compared with the reference's records; windows are resampled by
us and by the reference (1e-5). A real row is equal if it is within 1e-6 of what wfdb, h5py or numpy read. Builds of the
fixtures use protocol=published; the real ones are the default builds, without signals where only tables are there.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import wfdb

from hf_ecg_bench.data.prepare import prepare
from hf_ecg_bench.data.registry import get_builder, get_dataset_spec, list_datasets
from hf_ecg_bench.names import INFO_FILE
from hf_ecg_bench.signals.leads import LEADS
from hf_ecg_bench.signals.resampling import resample
from hf_ecg_bench.tasks import CATALOGUE, get_task
from tests.data.sources.built import rows_in

SHARED = Path(os.environ.get("HF_ECG_BENCH_SHARED", Path(__file__).resolve().parents[3] / "shared"))
FIXTURES = {"mimic_iv_ecg": "mimic"}
SPLITS = {"val": "validation"}
# Of these the shared folder has complete tables and no signals.
TABLES_ONLY = {"sph", "code_test"}
EXACT = 1e-6
WINDOW = 1e-5
Rows = dict[str, dict[str, Any]]


def fixture_numbers(dataset: str, folder: Path) -> dict[str, str]:
    """The fixture's columns of the table."""
    source = SHARED / "fixtures" / FIXTURES.get(dataset, dataset)
    if not source.is_dir():
        return {}
    expected = json.loads((source / "expected.json").read_text())
    wrong: set[str] = set()
    folds = tasks = 0
    for threshold, key in ((10, "tasks"), (3, "tasks_min_cnt_3")):
        if key not in expected and (threshold == 3 or dataset == "ptb"):
            continue
        out = folder / key
        rows = _build(dataset, source / "raw", out, expected.get("params") or {}, threshold)
        for name, task in expected.get(key, {}).items():
            used = _used(rows, dataset)
            tasks += 1
            wrong |= used.keys() ^ task["records"].keys()
            column = get_task(name).labels
            for record, row in task["records"].items():
                ours = used.get(record)
                same = (
                    ours is not None
                    and ours["split"] == SPLITS.get(row["split"], row["split"])
                    and sorted(ours[column]) == sorted(row["labels"])
                )
                wrong |= set() if same else {record}
        if threshold == 10:
            wrong |= {record for record, row in rows.items() if not _row_equals(dataset, row, expected, record, out)}
            signals, windows = _signals(source / "signals.npz", rows, get_dataset_spec(dataset).sampling_rate)
            wrong |= signals
            folds = sum(row["strat_fold"] == _fold(expected["records"][record], row) for record, row in rows.items())
            total = len(rows)
    return {
        "fixture rows equal": f"{total - len(wrong & rows.keys())}/{total}"
        + (f" {sorted(wrong)[:4]}" if wrong else ""),
        "windows": windows,
        "folds equal": f"{folds}/{total}" if any("strat_fold" in row for row in expected["records"].values()) else "-",
        "task lists": str(tasks),
    }


def _build(dataset: str, raw: Path, out: Path, params: dict[str, Any], threshold: int) -> Rows:
    known = {item.name for item in fields(get_builder(dataset).BUILDER_CONFIG_CLASS)}
    options = {name: str(value) for name, value in params.items() if name in known}
    if "min_cnt" in params:
        options["min_cnt"] = str(threshold)
    if "test" in get_dataset_spec(dataset).splits and len(get_dataset_spec(dataset).splits) == 3:
        options["splits"] = "largest_folds"
    prepare(dataset, raw_dir=raw, output_dir=out, options=options | {"protocol": "published"})
    return rows_in(out)


def _used(rows: Rows, dataset: str) -> Rows:
    spec = get_dataset_spec(dataset)
    least = (spec.min_seconds or 0) * spec.sampling_rate
    return {
        record: row
        for record, row in rows.items()
        if len(row["signal"]) >= least and (row["strat_fold"] >= 0 or not spec.needs_fold)
    }


def _fold(record: dict[str, Any], row: dict[str, Any]) -> int:
    return record.get("strat_fold", row["strat_fold"])


def _row_equals(dataset: str, row: dict[str, Any], expected: dict[str, Any], record: str, out: Path) -> bool:
    """What is not in the task lists: the length of the signal, and the targets of MIMIC."""
    reference = expected["records"].get(record)
    if reference is None:
        return False
    if dataset != "mimic_iv_ecg":
        same = "labels" not in reference or sorted(row["labels"]) == sorted(reference["labels"])
        return same and len(row["signal"]) == reference["data_length"]
    names = [target["name"] for target in json.loads((out / INFO_FILE).read_text())["targets"]]
    value = dict(zip(names, row["targets"], strict=True))
    scaler = expected["scalers"]
    n = expected["n_icd10"]
    icd10 = {name for name in names[:n] if value[name] == 1}
    acute = np.array([value[name] for name in names[n : n + 15]], float)
    regression = np.array([value[name] for name in names[n + 16 :]], float)
    z = (regression - np.array(_numbers(scaler, "mean"))) / np.array(_numbers(scaler, "std"))
    same = icd10 == set(reference["icd10"]) & set(names[:n])
    same &= np.array_equal(acute, _array(reference["deterioration"]), equal_nan=True)
    same &= np.array_equal([value["sex"]], _array([reference["sex"]]), equal_nan=True)
    return bool(same and np.allclose(z, _array(reference["regression_z"]), rtol=1e-5, atol=1e-5, equal_nan=True))


def _numbers(scalers: Any, key: str) -> list[float]:
    if isinstance(scalers, dict) and key in scalers:
        return list(scalers[key])
    return [entry[key] for entry in (scalers.values() if isinstance(scalers, dict) else scalers)]


def _array(values: list[Any]) -> np.ndarray:
    return np.array([np.nan if value is None else value for value in values], float)


def _signals(path: Path, rows: Rows, rate: int) -> tuple[set[str], str]:
    """Records whose signal differs, and how many resampled windows agree."""
    wrong, equal, total = set(), 0, 0
    with np.load(path) as stored:
        for name in stored:
            record, what = name.split("/")
            if record not in rows:
                continue
            signal = rows[record]["signal"]
            if what == "signal":
                same = signal.shape == stored[name].shape and np.allclose(
                    signal, stored[name], rtol=0, atol=EXACT, equal_nan=True
                )
                wrong |= set() if same else {record}
            elif what.startswith("first2.4s@"):
                if np.isnan(signal[: int(2.4 * rate)]).any():
                    continue  # the reference lets a missing sample spread
                total += 1
                ours = resample(signal[: int(2.4 * rate)], rate, int(what.split("@")[1]))
                equal += np.allclose(ours, stored[name], rtol=0, atol=WINDOW, equal_nan=True)
    return wrong, f"{equal}/{total}"


def real_numbers(dataset: str, folder: Path) -> dict[str, str]:
    """The columns about real recordings."""
    source = SHARED / "data" / dataset
    if not source.is_dir():
        return {}
    spec = get_dataset_spec(dataset)
    tables_only = dataset in TABLES_ONLY
    ledger = prepare(dataset, raw_dir=source, output_dir=folder / "real", metadata_only=tables_only)
    equal = compared = 0
    rows = {} if tables_only else rows_in(folder / "real")
    for record, signal in _independent(dataset, source, rows):
        compared += 1
        ours = rows[record]["signal"]
        equal += ours.shape == signal.shape and np.allclose(ours, signal, rtol=0, atol=EXACT, equal_nan=True)
    seen = sum(any(f["labels"][column][name] for f in ledger.splits.values())
               for column, names in spec.label_columns.items() for name in names)  # fmt: skip
    return {
        "real rows": f"{ledger.kept:,} of {ledger.found:,}" + (" (tables)" if tables_only else ""),
        "real rows equal": f"{equal}/{compared}" if compared else "-",
        "classes seen": f"{seen}/{sum(map(len, spec.label_columns.values()))}",
    }


def _independent(dataset: str, source: Path, rows: Rows) -> Iterator[tuple[str, np.ndarray]]:
    """Signals as other libraries read them; records whose stored rate is another are left out."""
    if dataset == "sph":
        for record in rows:
            with h5py.File(source / "records" / f"{record}.h5") as file:
                yield record, file["ecg"][:].T.astype(np.float32)
    elif dataset == "chapman":
        for record in rows:
            yield record, np.loadtxt(source / "ECGData" / f"{record}.csv", delimiter=",", skiprows=1) / 1000
    elif dataset == "code15":
        for part in sorted(source.glob("*.hdf5")):
            with h5py.File(part) as file:
                for number, record in enumerate(file["exam_id"][:].astype(str)):
                    if record in rows:
                        filled = np.flatnonzero((signal := file["tracings"][number]).any(axis=1))
                        yield record, signal[filled[0] : filled[-1] + 1]
    else:
        rate = get_dataset_spec(dataset).sampling_rate
        headers = {path.stem.removesuffix("_hr").lstrip("0") or "0": path for path in sorted(source.rglob("*.hea"))}
        for record in rows:
            if (path := headers.get(record.lstrip("0"))) is None:
                continue
            read = wfdb.rdrecord(str(path.with_suffix("")))
            names = [name.lower() for name in read.sig_name]
            if read.fs == rate:
                yield record, np.stack([read.p_signal[:, names.index(lead.lower())] for lead in LEADS], axis=1)


def main() -> None:
    columns = ["fixture rows equal", "folds equal", "task lists", "windows", "real rows", "real rows equal",
               "classes seen"]  # fmt: skip
    print("| dataset | tasks | " + " | ".join(columns) + " |\n|" + " --- |" * (len(columns) + 2))
    for dataset in sys.argv[1:] or list_datasets():
        with tempfile.TemporaryDirectory() as folder:
            numbers = fixture_numbers(dataset, Path(folder)) | real_numbers(dataset, Path(folder))
        tasks = sum(task.dataset == dataset for task in CATALOGUE.values())
        print(
            f"| {dataset} | {tasks} | " + " | ".join(numbers.get(column, "-") for column in columns) + " |", flush=True
        )


if __name__ == "__main__":
    main()

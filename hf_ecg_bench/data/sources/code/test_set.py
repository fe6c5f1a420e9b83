"""CODE-test: 827 exams, their gold standard and annotators, in tables without ids: row by row as the signals."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from hf_ecg_bench.data.access import WITHOUT_SIGNALS
from hf_ecg_bench.data.builder import EcgBuilderConfig
from hf_ecg_bench.data.demographics import age_in_years, sex_of
from hf_ecg_bench.data.formats.csv_table import read_table
from hf_ecg_bench.data.formats.hdf5 import Hdf5Dataset
from hf_ecg_bench.data.ledger import Ledger, RecordProblem
from hf_ecg_bench.data.records import RecordIndex
from hf_ecg_bench.data.sources.code.labels import label_columns, label_names
from hf_ecg_bench.data.sources.code.tracings import Tracing, open_tracings
from hf_ecg_bench.data.vocabulary import choose_in_order
from hf_ecg_bench.errors import DataError
from hf_ecg_bench.files import size_and_time
from hf_ecg_bench.signals.leads import LEADS, limb_lead_residual

SIGNALS = "ecg_tracings.hdf5"
ATTRIBUTES = "attributes.csv"
GOLD = "annotations/gold_standard.csv"
# The release is one archive, which holds this folder.
ARCHIVE_FOLDER = "data"
ANNOTATORS = (
    "cardiologist1",
    "cardiologist2",
    "cardiology_residents",
    "emergency_residents",
    "medical_students",
    "dnn",
)
FIX = (
    "download CODE-test from https://zenodo.org/records/3765780 and pass the folder that holds "
    f"{ATTRIBUTES}, {SIGNALS} and annotations/"
)

# The providers' texts disagree about the order; the leads themselves do not.
CANONICAL = tuple(range(len(LEADS)))
ORDERS = {"I II III aVR aVL aVF": CANONICAL, "I II III aVL aVF aVR": (0, 1, 2, 5, 3, 4, *CANONICAL[6:])}
# A right order leaves rounding, a wrong one as much as the leads themselves.
_FITS = 0.1
_PROBES, _STRIDE = 64, 20


def index_code_test(root: str, config: EcgBuilderConfig, ledger: Ledger) -> RecordIndex:
    """All exams, in split `test`; the record id is the row number, from 0.

    Raises:
        DataError: missing or unusable tables, tables and signals of different length, leads in no known order.
    """
    folder = Path(root)
    if not (folder / ATTRIBUTES).exists() and (folder / ARCHIVE_FOLDER).is_dir():
        folder /= ARCHIVE_FOLDER
    columns = tuple(label_columns().values())
    people = read_table(folder / ATTRIBUTES, ("age", "sex"), fix=FIX)
    gold = _labels(folder / GOLD, len(people), columns, ledger)
    extra = {annotation_column(name): _annotator(folder, name, len(people), columns, ledger) for name in ANNOTATORS}
    ledger.found = n = len(people)
    ids = [str(row) for row in range(n)]
    references: list[Tracing | None] = [None] * n
    stamps: list[str] = []
    if not config.metadata_only:
        path = folder / SIGNALS
        if not path.is_file():
            raise DataError(f"no {SIGNALS} in {folder}: the signals are missing", fix=f"{FIX}; {WITHOUT_SIGNALS}")
        try:
            with open_tracings(path) as data:
                if data.shape[0] != n:
                    raise DataError(f"{path} has {data.shape[0]} tracings for {n} rows of {ATTRIBUTES}", fix=FIX)
                order = ORDERS[lead_order(data, ledger)]
        except RecordProblem as problem:
            raise DataError(f"{problem} (in {folder})", fix=FIX) from problem
        columns_of = None if order == CANONICAL else order
        references = [Tracing(record_id, str(path), row, columns_of) for row, record_id in enumerate(ids)]
        stamps = [f"{SIGNALS}:{size_and_time(path.stat())}"] * n
    names, lists = choose_in_order(gold, label_names(), config.min_count)
    return RecordIndex(
        record_id=ids,
        patient_id=[None] * n,
        age=[age_in_years(row["age"]) for row in people],
        sex=[sex_of(row["sex"], record_id, ledger) for record_id, row in zip(ids, people, strict=True)],
        strat_fold=[-1] * n,
        labels={"labels": lists},
        label_names={"labels": names},
        references=references,
        stamps=stamps,
        split=["test"] * n,
        extra=extra,
    )


def annotation_column(annotator: str) -> str:
    """The extra column of an annotator's labels."""
    return f"annotations_{annotator}"


def lead_order(data: Hdf5Dataset, ledger: Ledger) -> str:
    """The order of the stored limb leads, from aVR = -(I + II) / 2 and the like in records all over the file.

    Raises:
        DataError: no order fits most of them, or there is nothing to tell by.
    """
    residuals: dict[str, list[float]] = {name: [] for name in ORDERS}
    for row in np.unique(np.linspace(0, data.shape[0] - 1, _PROBES, dtype=int)).tolist():
        try:
            signal = np.nan_to_num(data.row(row)[::_STRIDE])
        except RecordProblem:
            continue  # it is named when its own row is made
        size = float(np.sqrt(np.mean(signal[:, :6].astype(np.float64) ** 2)))
        if size > 0:
            for name, order in ORDERS.items():
                residuals[name].append(limb_lead_residual(signal[:, order]) / size)
    medians = {name: float(np.median(values)) for name, values in residuals.items() if values}
    found = min(medians, key=medians.__getitem__, default="")
    if not medians or medians[found] > _FITS:
        said = ", ".join(f"{name}: {value:.2f}" for name, value in medians.items()) or "all tracings are zero"
        raise DataError(
            f"{data.where}: the limb leads are in no known order; expected aVR = -(I + II) / 2, aVL = I - II / 2, "
            f"aVF = II - I / 2 in one of the orders {' or '.join(ORDERS)}; off by (as share of the signal) {said}",
            fix=FIX,
        )
    ledger.note(f"{SIGNALS} stores the limb leads in the order {found} (found from the signals)")
    return found


def _annotator(folder: Path, name: str, n: int, columns: tuple[str, ...], ledger: Ledger) -> list[list[str] | None]:
    path = folder / "annotations" / f"{name}.csv"
    if path.exists():
        return list(_labels(path, n, columns, ledger))
    ledger.note(f"no annotations/{name}.csv: {annotation_column(name)} is empty")
    return [None] * n


def _labels(path: Path, n: int, columns: tuple[str, ...], ledger: Ledger) -> list[list[str]]:
    """Labels of each row; columns are found by name, as their order differs from CODE-15%'s."""
    rows = read_table(path, columns, fix=FIX)
    if len(rows) != n:
        raise DataError(f"{path} has {len(rows)} rows for {n} of {ATTRIBUTES}: they belong together by row", fix=FIX)
    lists = []
    for number, row in enumerate(rows):
        for column in columns:
            if row[column] not in ("0", "1"):
                detail = f"{path.name} {column} {row[column]!r}, expected 0 or 1"
                ledger.defect(str(number), "unusable annotation (counted as 0)", detail)
        lists.append([label for label, column in label_columns().items() if row[column] == "1"])
    return lists

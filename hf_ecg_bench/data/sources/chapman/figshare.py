"""The figshare release of Chapman-Shaoxing: one table of all records, one CSV file of samples per record."""

from __future__ import annotations

import os
import re
from pathlib import Path

from hf_ecg_bench.data.access import WITHOUT_SIGNALS
from hf_ecg_bench.data.demographics import age_in_years, sex_of
from hf_ecg_bench.data.folds.stratify import stratify
from hf_ecg_bench.data.formats.xlsx import Cell, read_sheet
from hf_ecg_bench.data.ledger import Ledger, RecordProblem
from hf_ecg_bench.data.records import RecordIndex
from hf_ecg_bench.data.sources.chapman.labels import conditions_of, label_columns, report_labels, split_cell
from hf_ecg_bench.data.sources.chapman.layouts import DENOISED, FIX, SIGNALS, TABLE, ChapmanOptions, only_table
from hf_ecg_bench.data.sources.chapman.signals import Reference
from hf_ecg_bench.errors import DataError, some
from hf_ecg_bench.files import size_and_time

COLUMNS = ("FileName", "Rhythm", "Beat", "PatientAge", "Gender")
_NAME = re.compile(r"\w[\w .-]*")


def index_figshare(root: str, options: ChapmanOptions, ledger: Ledger) -> RecordIndex:
    """All rows of the table, in its order.

    Folds are drawn over all rows with a name, also those whose signals are missing, so that a part of the signals
    gets the folds of the whole.

    Raises:
        DataError: no usable table, or no folder of signals.
    """
    folder = Path(root)
    table = only_table(folder)
    if table.name != TABLE:
        ledger.note(f"no {TABLE}: {table.name} is taken for it")
    rows = _named_rows(read_sheet(table, COLUMNS, fix=FIX), ledger)
    conditions = [conditions_of(row["Beat"]) for row in rows.values()]
    rhythms = [split_cell(row["Rhythm"]) for row in rows.values()]
    folds = _folds(conditions, rhythms, options)
    files = None if options.metadata_only else _files(folder, rows, ledger)

    kept = []
    for number, name in enumerate(rows):
        if files is not None and name not in files:
            ledger.exclude(name, "missing file", f"{table.name} has the record, {SIGNALS} has no {name}.csv")
            continue
        report_labels(name, conditions[number], rhythms[number], ledger)
        kept.append(number)
    ids = list(rows)
    cells = list(rows.values())
    names, labels = label_columns(
        [conditions[number] for number in kept],
        [rhythms[number] for number in kept],
        options.min_count,
        keep_empty=options.published,
    )
    return RecordIndex(
        record_id=[ids[number] for number in kept],
        patient_id=[None] * len(kept),
        age=[age_in_years(cells[number]["PatientAge"]) for number in kept],
        sex=[sex_of(cells[number]["Gender"], ids[number], ledger) for number in kept],
        strat_fold=[folds[number] for number in kept],
        labels=labels,
        label_names=names,
        references=[
            Reference(ids[number], "" if files is None else files[ids[number]].path, "figshare") for number in kept
        ],
        stamps=[] if files is None else [size_and_time(files[ids[number]].stat()) for number in kept],
    )


def _named_rows(rows: list[dict[str, Cell]], ledger: Ledger) -> dict[str, dict[str, Cell]]:
    """FileName -> row, in the order of the table; rows without a usable or with a known name are left out."""
    ledger.found = len(rows)
    named: dict[str, dict[str, Cell]] = {}
    for number, row in enumerate(rows, start=1):
        name = str(row["FileName"] or "").strip()
        try:
            if not _NAME.fullmatch(name):
                raise RecordProblem(
                    "unusable FileName", f"record {number} of the table: {name!r}, expected a file's name"
                )
            if name in named:
                raise RecordProblem("duplicate FileName", f"record {number} of the table; the first one is used")
        except RecordProblem as problem:
            ledger.exclude(name or f"(record {number})", problem.reason, problem.detail)
            continue
        named[name] = row
    return named


def _folds(conditions: list[list[str]], rhythms: list[list[str]], options: ChapmanOptions) -> list[int]:
    """Stratified on all labels of the table, rare and empty ones included."""
    lists = [[*condition, *rhythm] for condition, rhythm in zip(conditions, rhythms, strict=True)]
    classes = sorted({label for labels in lists for label in labels})
    return stratify(lists, classes, [1 / options.n_folds] * options.n_folds, seed=options.seed)


def _files(folder: Path, rows: dict[str, dict[str, Cell]], ledger: Ledger) -> dict[str, os.DirEntry[str]]:
    """Record -> its file. Files without a row are counted."""
    signals = next((path for path in (folder / SIGNALS / SIGNALS, folder / SIGNALS) if path.is_dir()), None)
    if signals is None:
        denoised = f" ({DENOISED} is another version of them and is not used)" if (folder / DENOISED).is_dir() else ""
        raise DataError(
            f"no folder {SIGNALS} in {folder}: the signals are missing{denoised}", fix=f"{FIX}; {WITHOUT_SIGNALS}"
        )
    with os.scandir(signals) as entries:
        files = {os.path.splitext(entry.name)[0]: entry for entry in entries if entry.name.endswith(".csv")}
    others = sorted(files.keys() - rows.keys())
    if others:
        ledger.problem(
            f"{len(others)} files of {SIGNALS} have no row in the table and are left out: {some(others, 3)}",
            fix=f"get {TABLE} of the same release, or remove the files",
        )
    return files

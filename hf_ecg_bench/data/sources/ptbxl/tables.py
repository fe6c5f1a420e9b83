"""PTB-XL's tables: statements, label sets, folds, patients. Signals are read by `signals`."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath

from hf_ecg_bench.data.access import WITHOUT_SIGNALS
from hf_ecg_bench.data.demographics import age_in_years, patient_of
from hf_ecg_bench.data.formats.csv_table import number, read_table, whole_number
from hf_ecg_bench.data.formats.wfdb_reader import file_stamp
from hf_ecg_bench.data.ledger import Ledger, RecordProblem
from hf_ecg_bench.data.records import RecordIndex
from hf_ecg_bench.data.vocabulary import count_vocabulary, keep_known, read_label_table
from hf_ecg_bench.errors import DataError

DATABASE = "ptbxl_database.csv"
STATEMENTS = "scp_statements.csv"
RECORDS = "records500"
COLUMNS = ("ecg_id", "patient_id", "age", "sex", "scp_codes", "strat_fold", "filename_hr")
FOLDS = range(1, 11)
FIX = (
    "download the complete PTB-XL 1.0.3 from https://physionet.org/content/ptb-xl/1.0.3/ "
    "and pass the folder that holds ptbxl_database.csv"
)

# Ages above 89 are written as 300; 90 keeps them the oldest without moving every mean.
OVER_89, AGE_OVER_89 = 300, 90.0
SEX = {0: "male", 1: "female"}
# Longest cell in the release: under 200 characters. The bound keeps a hostile cell from exhausting the
# parser.
_MAX_CODES = 10_000


@dataclass(frozen=True)
class Statement:
    """One SCP-ECG statement: which label sets it belongs to, and the classes a diagnostic one maps to."""

    diagnostic: bool
    form: bool
    rhythm: bool
    superclass: str
    subclass: str


@lru_cache(maxsize=1)
def published_statements() -> dict[str, Statement]:
    """The 71 statements of release 1.0.3, by code."""
    return {
        row["code"]: Statement(
            row["diagnostic"] == "1",
            row["form"] == "1",
            row["rhythm"] == "1",
            row["superclass"],
            row["subclass"],
        )
        for row in read_label_table("ptbxl")
    }


def published_label_names() -> dict[str, tuple[str, ...]]:
    """Label column -> class names of the complete release, in published order."""
    statements = published_statements()
    every = [label_sets([code], statements) for code in statements]
    return {
        column: tuple(sorted({label for sets in every for label in sets[column]}))
        for column in (
            "labels_all",
            "labels_diag",
            "labels_form",
            "labels_rhythm",
            "labels_sub",
            "labels_super",
        )
    }


def label_sets(codes: list[str], statements: dict[str, Statement]) -> dict[str, list[str]]:
    """The six label lists of one record, in the order of its statements, repeats kept."""
    diagnostic = [statements[code] for code in codes if statements[code].diagnostic]
    return {
        "labels_all": list(codes),
        "labels_diag": [code for code in codes if statements[code].diagnostic],
        "labels_form": [code for code in codes if statements[code].form],
        "labels_rhythm": [code for code in codes if statements[code].rhythm],
        "labels_sub": [statement.subclass for statement in diagnostic if statement.subclass],
        "labels_super": [statement.superclass for statement in diagnostic if statement.superclass],
    }


def parse_codes(cell: str) -> list[str]:
    """Statement codes of a `scp_codes` cell, `{'NORM': 100.0, 'SR': nan}`; likelihoods do not matter,
    nothing is evaluated.

    Raises:
        RecordProblem: anything but a literal dictionary from text to numbers (the bare word `nan` is one).
    """
    if not cell or cell.lower() == "nan":
        return []
    if len(cell) > _MAX_CODES:
        raise RecordProblem("malformed scp_codes", f"{len(cell)} characters, starts with {cell[:40]!r}")
    try:
        tree = ast.parse(cell, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise RecordProblem("malformed scp_codes", f"{cell[:80]!r} is not a dictionary") from error
    if not isinstance(tree, ast.Dict):
        raise RecordProblem("malformed scp_codes", f"{cell[:80]!r} is not a dictionary")
    codes = []
    for key, value in zip(tree.keys, tree.values, strict=True):
        if not (isinstance(key, ast.Constant) and isinstance(key.value, str) and _is_likelihood(value)):
            raise RecordProblem("malformed scp_codes", f"{cell[:80]!r} is not statement codes with numbers")
        codes.append(key.value)
    return list(dict.fromkeys(codes))


def index_ptbxl(root: str, min_count: int | None, ledger: Ledger, *, signals: bool = True) -> RecordIndex:
    """All usable rows of `ptbxl_database.csv`.

    Args:
        root: the folder of the release.
        min_count: None for the published label lists; otherwise lists of the labels that occur at least so
            often here, with the sets that this tree's own `scp_statements.csv` assigns.
        ledger: rows left out, and codes that are not statements, are named here.
        signals: False where the tables alone are there.

    Raises:
        DataError: missing or unusable tables, no `records500` folder where signals are wanted.
    """
    folder = Path(root)
    rows = read_table(folder / DATABASE, COLUMNS, fix=FIX)
    if signals and not (folder / RECORDS).is_dir():
        raise DataError(
            f"no folder {RECORDS} in {folder}: the 500 Hz signals are missing", fix=f"{FIX}; {WITHOUT_SIGNALS}"
        )
    statements = _statements(folder, ledger, own=min_count is not None)
    ledger.found = len(rows)

    seen: set[str] = set()
    ids: list[str] = []
    patients: list[str | None] = []
    ages: list[float | None] = []
    sexes: list[str | None] = []
    folds: list[int] = []
    references: list[tuple[str, str]] = []
    labels: dict[str, list[list[str]]] = {column: [] for column in published_label_names()}
    for line, row in enumerate(rows, start=2):
        record_id = _identifier(row["ecg_id"]) or f"(line {line})"
        try:
            if record_id in seen:
                raise RecordProblem("duplicate ecg_id", f"{DATABASE} line {line}; the first row with this id is used")
            seen.add(record_id)
            fold, path, codes = _fold(row["strat_fold"]), _signal_path(row), parse_codes(row["scp_codes"])
            if _identifier(row["ecg_id"]) is None:
                raise RecordProblem("no ecg_id", f"{DATABASE} line {line}: {row['ecg_id']!r}")
        except RecordProblem as problem:
            ledger.exclude(record_id, problem.reason, problem.detail)
            continue
        for code in codes:
            if code not in statements:
                ledger.defect(record_id, "unknown statement code (ignored)", f"{code!r} is not in {STATEMENTS}")
        sets = label_sets([code for code in codes if code in statements], statements)
        for column, values in sets.items():
            labels[column].append(values)
        ids.append(record_id)
        patient = _identifier(row["patient_id"]) or row["patient_id"]
        patients.append(patient_of(patient, record_id, ledger, column="patient_id"))
        ages.append(clean_age(row["age"]))
        sexes.append(_sex(row["sex"], record_id, ledger))
        folds.append(fold)
        references.append((record_id, str(folder / path)))

    names = published_label_names()
    if min_count is not None:
        names = {column: count_vocabulary(values, min_count) for column, values in labels.items()}
        labels = {column: keep_known(values, names[column]) for column, values in labels.items()}
    stamps = [file_stamp(path) for _, path in references] if signals else []
    return RecordIndex(ids, patients, ages, sexes, folds, labels, names, references, stamps)


def clean_age(cell: str) -> float | None:
    """Years; 300 (above 89) becomes 90; missing, text and what is no age are None."""
    return AGE_OVER_89 if number(cell) == OVER_89 else age_in_years(cell)


def _statements(folder: Path, ledger: Ledger, *, own: bool) -> dict[str, Statement]:
    """The statement table: this tree's own, or the published one, which the tree's must then agree with."""
    published = published_statements()
    if not (folder / STATEMENTS).exists() and not own:
        ledger.problem(f"no {STATEMENTS} in {folder}; the published table of release 1.0.3 is used", fix=FIX)
        return published
    rows = read_table(
        folder / STATEMENTS,
        ("", "diagnostic", "form", "rhythm", "diagnostic_class", "diagnostic_subclass"),
        fix=FIX,
    )
    found = {
        row[""]: Statement(
            diagnostic=bool(number(row["diagnostic"])),
            form=bool(number(row["form"])),
            rhythm=bool(number(row["rhythm"])),
            superclass=row["diagnostic_class"] if number(row["diagnostic"]) else "",
            subclass=row["diagnostic_subclass"] if number(row["diagnostic"]) else "",
        )
        for row in rows
    }
    if own:
        return found
    differing = sorted(code for code in published if code in found and found[code] != published[code])
    if differing:
        ledger.problem(
            f"{STATEMENTS} differs from release 1.0.3 in {', '.join(differing[:5])}; the published table is used",
            fix=FIX,
        )
    return published


def _is_likelihood(node: ast.expr) -> bool:
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
        node = node.operand
    if isinstance(node, ast.Name):
        return node.id in ("nan", "inf")
    return isinstance(node, ast.Constant) and (node.value is None or isinstance(node.value, int | float))


def _identifier(cell: str) -> str | None:
    value = whole_number(cell)
    return None if value is None else str(value)


def _fold(cell: str) -> int:
    fold = whole_number(cell)
    if fold is None or fold not in FOLDS:
        raise RecordProblem("unusable strat_fold", f"{cell!r}, expected 1 to 10")
    return fold


def _signal_path(row: dict[str, str]) -> str:
    name = row["filename_hr"]
    path = PurePosixPath(name)
    if not name or path.is_absolute() or ".." in path.parts or "\\" in name or "\0" in name:
        raise RecordProblem("unusable filename_hr", f"{name!r}, expected a path below the folder, {RECORDS}/...")
    return name


def _sex(cell: str, record_id: str, ledger: Ledger) -> str | None:
    value = whole_number(cell)
    if value in SEX:
        return SEX[value]
    if cell and cell.lower() != "nan":
        ledger.defect(record_id, "unknown sex (stored as missing)", f"{cell!r}, expected 0 or 1")
    return None

"""From SNOMED CT codes to a set's label names: the published table, or the organisers' workbook beside the records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from hf_ecg_bench.data.formats.xlsx import Cell, read_sheet
from hf_ecg_bench.data.ledger import Ledger
from hf_ecg_bench.data.sources.challenge.sets import ChallengeSet
from hf_ecg_bench.data.vocabulary import read_label_table
from hf_ecg_bench.errors import some

WORKBOOK = "Label mappings 2021.xlsx"
_LABEL, _CODE = "Diagnosis in the dataset", "SNOMED code"


def label_of_code(source: ChallengeSet, folders: Iterable[Path], ledger: Ledger) -> dict[str, str]:
    """Code -> label, for every code that the set's table lists, rare ones included.

    Args:
        source: the set.
        folders: where the organisers' workbook may lie; the first one found is used and compared with the
            published table.
        ledger: differences are noted.

    Raises:
        DataError: a workbook that cannot be read or lacks the set's sheet; in strict mode one that differs.
    """
    published = {row["snomed"]: row["label"] for row in read_label_table(f"{source.id}_mapping")}
    path = next((folder / WORKBOOK for folder in folders if (folder / WORKBOOK).is_file()), None)
    if path is None:
        return published
    fix = f"get the organisers' {WORKBOOK} anew, or remove it: the same table comes with this package"
    rows = read_sheet(path, (_LABEL, _CODE), sheet=source.sheet, fix=fix)
    own = _first_rows(rows) | dict(source.extra_codes)
    differing = sorted(code for code in own.keys() | published.keys() if own.get(code) != published.get(code))
    if differing:
        shown = [f"{code}: {own.get(code)!r} instead of {published.get(code)!r}" for code in differing]
        ledger.problem(
            f"{WORKBOOK} (used), sheet {source.sheet}, differs from the published table in {len(differing)} codes: "
            f"{some(shown, 3)}",
            fix=fix,
        )
    return own


def _first_rows(rows: Iterable[Mapping[str, Cell]]) -> dict[str, str]:
    """A code that stands in several rows means the first one's label; rows without a code mean nothing.

    Labels keep their outer blanks: they are part of published names.
    """
    table: dict[str, str] = {}
    for row in rows:
        code, label = _code(row[_CODE]), row[_LABEL]
        if code and label is not None:
            table.setdefault(code, str(label))
    return table


def _code(cell: Cell) -> str:
    """Codes are whole numbers, which spreadsheets keep as floats."""
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell or "").strip()

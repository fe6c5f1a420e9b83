"""Age and sex as every dataset stores them: years or null, `female`, `male` or null. Nothing is guessed."""

from __future__ import annotations

from collections.abc import Mapping

from hf_ecg_bench.data.formats.csv_table import number
from hf_ecg_bench.data.ledger import Ledger

_MISSING = frozenset({"", "nan", "none", "null", "n/a", "na", "unknown", "u", "missing", "-1"})
_SEXES = {"f": "female", "female": "female", "m": "male", "male": "male"}
OLDEST = 150


def age_in_years(cell: object) -> float | None:
    """A finite age from 0 to 150, or None where the source has a placeholder (negative, text, NaN, 999)."""
    age = number(str(cell).strip())
    return age if age is not None and 0 <= age <= OLDEST else None


def patient_of(cell: str, record_id: str, ledger: Ledger, *, column: str) -> str | None:
    """The patient's id, or None where the cell has none, which is counted as a defect.

    Args:
        column: the cell's column, for the message.
    """
    if cell.casefold() in ("", "nan", "null"):
        ledger.defect(record_id, f"no {column} (the record counts as a patient of its own)", repr(cell))
        return None
    return cell


def sex_of(cell: object, record_id: str, ledger: Ledger, *, codes: Mapping[str, str] = _SEXES) -> str | None:
    """`female`, `male` or None; a text that is neither a code nor a placeholder is counted as a defect.

    Args:
        codes: lower-case text -> `female` or `male`.
    """
    text = "" if cell is None else str(cell).strip().casefold()
    if text in codes:
        return codes[text]
    if text not in _MISSING:
        ledger.defect(record_id, "unknown sex (stored as missing)", repr(cell))
    return None

"""What a row's values must be: types, ranges, texts. Rows come from strangers."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any, Literal, get_args, get_origin, get_type_hints

from hf_ecg_bench.errors import PredictionsError
from hf_ecg_bench.results.row import Row

#: Characters of one text.
MAX_TEXT = 10_000

_HINTS = get_type_hints(Row)
#: Column name -> type, in the order of `Row`.
COLUMNS: dict[str, type] = {name: str if get_origin(hint) is Literal else hint for name, hint in _HINTS.items()}
_ALLOWED = {name: frozenset(get_args(hint)) for name, hint in _HINTS.items() if get_origin(hint) is Literal}
FIX = "write it again with this program: hf_ecg_bench.results.row_files.write_rows"
_SAID = {str: "a text", float: "a number", int: "a whole number", bool: "true or false"}
_EXACT = 2**53  # whole numbers up to here are floats as well
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_DRIVE = re.compile(r"[A-Za-z]:")


def check_row(row: Row) -> None:
    """Refuse a row that could not be written and read again.

    Raises:
        PredictionsError: names the column.
    """
    for name in COLUMNS:
        checked(name, [getattr(row, name)], _column)


def _column(index: int, name: str) -> str:
    return name


def checked(name: str, values: list[Any], where: Callable[[int, str], str]) -> list[Any]:
    """The column's values, all of its type. A whole number in a column of numbers becomes one.

    Args:
        where: index and column -> what a message calls the place.

    Raises:
        PredictionsError: a value of another type, out of its range, or a text that no program wrote.
    """
    type_ = COLUMNS[name]
    if type_ is float and int in set(map(type, values)):
        values = [float(value) if type(value) is int and abs(value) < _EXACT else value for value in values]
    if set(map(type, values)) - {type_}:
        index = next(index for index, value in enumerate(values) if type(value) is not type_)
        raise PredictionsError(f"{where(index, name)}: expected {_SAID[type_]}, found {values[index]!r:.60}", fix=FIX)
    # Of a value that occurs often one is looked at; NaN are never equal, so they are taken out first.
    different = dict.fromkeys(value for value in values if value == value) if type_ is float else dict.fromkeys(values)
    wrong = _WRONG.get(name, _wrong_number if type_ is float else _wrong_text if type_ is str else None)
    allowed = _ALLOWED.get(name)
    if name in _NEVER_NAN and any(map(math.isnan, values)):
        different[math.nan] = None
    for value in different:
        reason = wrong(value) if wrong else None
        if allowed is not None and value not in allowed:
            reason = f"expected one of {', '.join(sorted(allowed))}"
        if reason:
            same = math.isnan if value != value else value.__eq__
            index = next(index for index, other in enumerate(values) if same(other))
            raise PredictionsError(f"{where(index, name)}: {reason}, found {value!r:.60}", fix=FIX)
    return values


def _wrong_number(value: float) -> str | None:
    return "expected a finite number or nan" if math.isinf(value) else None


def _wrong_text(value: str) -> str | None:
    if len(value) > MAX_TEXT:
        return f"expected at most {MAX_TEXT} characters"
    return "expected a text without control characters" if _CONTROL.search(value) else None


def _wrong_folder(value: str) -> str | None:
    """Predictions are read from there: it must not lead out of the folder of results."""
    leads_out = value.startswith("/") or ".." in value.split("/") or "\\" in value or _DRIVE.match(value) is not None
    return "expected a folder below the folder of results" if leads_out else _wrong_text(value)


def _wrong_fraction(value: float) -> str | None:
    return None if 0 < value <= 1 else "expected a share of the records, above 0 and up to 1"


_WRONG: dict[str, Callable[[Any], str | None]] = {"folder": _wrong_folder, "fraction": _wrong_fraction}
_NEVER_NAN = frozenset({"fraction"})

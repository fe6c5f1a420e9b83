"""The clinical summary in a PTB header's comments, and the diagnoses that it gives.

Diagnoses are the reason for admission and the additional diagnoses, spelling variants joined. A myocardial infarction
is told apart by dates: acute up to three days before the ECG, old otherwise, also where a date is missing; an acute
one is `catheterized` if the catheter came on the day of the infarction or later, which may be after the ECG.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache

from hf_ecg_bench.data.vocabulary import read_label_table

AGE, SEX = "age", "sex"
REASON, ADDITIONAL = "Reason for admission", "Additional diagnoses"
ECG_DATE, INFARCTION_DATE, CATHETER_DATE = "ECG date", "Infarction date (acute)", "Catheterization date"
USED = (AGE, SEX, ECG_DATE, REASON, ADDITIONAL, INFARCTION_DATE, CATHETER_DATE)

INFARCTION = "Myocardial infarction"
ACUTE_DAYS = 3

_NO_DATE = frozenset({"", "n/a", "-", "no", "unknown"})
_NUMERIC = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})")
_WORDED = re.compile(r"(\d{1,2})-([A-Za-z]{3})-(\d{2})")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


@dataclass(frozen=True)
class Summary:
    """A record's clinical summary.

    Attributes:
        values: key -> text, outer blanks removed; of a repeated key the last.
        problems: `(kind, detail)` of what was ignored, for the ledger.
    """

    values: Mapping[str, str]
    problems: tuple[tuple[str, str], ...]


def parse_summary(comments: Sequence[str]) -> Summary:
    """Read `key: value` lines.

    Text after a second colon does not count and of a repeated key the last line does, as in the published benchmark.

    Args:
        comments: comment lines without their `#`, as `formats.wfdb_header.parse_header` gives them.
    """
    values: dict[str, str] = {}
    cut: dict[str, str] = {}
    for line in comments:
        key, *parts = (part.strip() for part in line.split(":"))
        if not parts:
            continue
        values[key] = parts[0]
        cut.pop(key, None)
        if len(parts) > 1:
            cut[key] = line
    problems = [("text after a second colon (ignored)", line) for key, line in cut.items() if key in USED]
    if REASON not in values:
        problems.append(("no diagnoses in the header (kept without a label)", f"no line {REASON!r}"))
    for key in (ECG_DATE, INFARCTION_DATE, CATHETER_DATE):
        try:
            parse_date(values.get(key, ""))
        except ValueError as error:
            problems.append(("unreadable date (counts as missing)", f"{key}: {error}"))
    return Summary(values, tuple(problems))


def diagnoses(values: Mapping[str, str]) -> list[str]:
    """The diagnoses of a summary, reason for admission first; repeats are kept."""
    written = [values.get(REASON, ""), *values.get(ADDITIONAL, "").split(",")]
    names = [_clean_names().get(name, name) for name in map(str.strip, written)]
    return [f"{name} {infarction_state(values)}" if name == INFARCTION else name for name in names if name]


def infarction_state(values: Mapping[str, str]) -> str:
    """`acute`, `acute catheterized` or `old`, from the dates of ECG, infarction and catheter."""
    days = _days_before_ecg(values, INFARCTION_DATE)
    if days is None or not 0 <= days <= ACUTE_DAYS:
        return "old"
    since_catheter = _days_before_ecg(values, CATHETER_DATE)
    return "acute catheterized" if since_catheter is not None and since_catheter <= days else "acute"


def parse_date(text: str) -> date | None:
    """`01/10/1990` (day first) or `29-Sep-90`; None where the header says that there is none.

    Raises:
        ValueError: anything else, or no day of the calendar.
    """
    if text.casefold() in _NO_DATE:
        return None
    if match := _NUMERIC.fullmatch(text):
        day, month, year = map(int, match.groups())
    elif (match := _WORDED.fullmatch(text)) and match[2].casefold() in _MONTHS:
        # All recordings are of the years around 1990.
        day, month, year = int(match[1]), _MONTHS.index(match[2].casefold()) + 1, 1900 + int(match[3])
    else:
        raise ValueError(f"{text!r}, expected 01/10/1990 or 29-Sep-90")
    try:
        return date(year, month, day)
    except ValueError as error:
        raise ValueError(f"{text!r}: {error}") from error


def _days_before_ecg(values: Mapping[str, str], key: str) -> int | None:
    recorded, event = _date(values, ECG_DATE), _date(values, key)
    return None if recorded is None or event is None else (recorded - event).days


def _date(values: Mapping[str, str], key: str) -> date | None:
    try:
        return parse_date(values.get(key, ""))
    except ValueError:
        return None


@cache
def _clean_names() -> dict[str, str]:
    """Spelling -> name; an empty name drops the entry (`no`, `n/a`, `unknown` and two that are no diagnosis here)."""
    return {row["raw"]: row["label"] for row in read_label_table("ptb_cleanup")}

"""What the audit of the published rows says: findings, and the rows that they are about."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from hf_ecg_bench.results.row import Row

#: Model, mode and task: what tells a published row from the others.
Key = tuple[str, str, str]
#: `do_not_use`: no target for a reproduction, no opponent in a comparison; `caution`: to be read with the evidence;
#: `note`: what a reader should know.
Severity = Literal["do_not_use", "caution", "note"]
SEVERITIES: tuple[Severity, ...] = ("do_not_use", "caution", "note")


@dataclass(frozen=True)
class Finding:
    """Something that the evidence says about published rows.

    Attributes:
        id: what `Row.audit` names it by: letters, digits, `-` and `_`.
        title: what is the matter, in one line.
        severity: what follows for a reader.
        about: whether it is the rows' values that are in doubt, or only their intervals.
        evidence: with the numbers that were computed.
        source: who else says so; empty where the numbers alone do.
        rows: whom it concerns.
    """

    id: str
    title: str
    severity: Severity
    about: Literal["value", "interval"]
    evidence: str
    source: str
    rows: tuple[Key, ...]


def key(row: Row) -> Key:
    """What a finding calls the row by."""
    return (row.model, row.mode, row.task)


def keys(rows: Iterable[Row]) -> tuple[Key, ...]:
    """The rows' keys, in their order."""
    return tuple(map(key, rows))


def by_key(rows: Iterable[Row]) -> dict[Key, Row]:
    """The rows by model, mode and task."""
    return {key(row): row for row in rows}


def together(rows: Sequence[Row], *names: str) -> dict[tuple[str, ...], list[Row]]:
    """The rows that have the same values in these fields, in order of first occurrence."""
    groups: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        groups.setdefault(tuple(str(getattr(row, name)) for name in names), []).append(row)
    return groups


def better(row: Row, other: Row) -> bool:
    """Whether the first has the better value."""
    return row.value > other.value if row.higher_is_better else row.value < other.value


def clearly_better(row: Row, other: Row) -> bool:
    """Better, and the two intervals do not touch."""
    return row.low > other.high if row.higher_is_better else row.high < other.low

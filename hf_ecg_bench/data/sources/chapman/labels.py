"""Labels of Chapman-Shaoxing: abbreviations in two cells of the table, or SNOMED CT codes in a Challenge header."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from hf_ecg_bench.data.ledger import Ledger
from hf_ecg_bench.data.vocabulary import choose_labels, read_label_table

CONDITION, RHYTHM = "condition", "rhythm"
COLUMNS = ("labels_all", "labels_condition", "labels_rhythm")
MIN_RECORDS = 10
# What a cell `Beat` says where there is no condition.
_NO_CONDITION = "NONE"


@cache
def known_labels() -> dict[str, str]:
    """All abbreviations of the complete release -> `condition` or `rhythm`."""
    return {row["label"]: row["kind"] for row in read_label_table("chapman")}


@cache
def published_label_names() -> dict[str, tuple[str, ...]]:
    """Label column -> the abbreviations with at least ten records in the complete release, sorted (42, 33, 9)."""
    rows = [row for row in read_label_table("chapman") if int(row["records"]) >= MIN_RECORDS]
    return {
        "labels_all": tuple(row["label"] for row in rows),
        "labels_condition": tuple(row["label"] for row in rows if row["kind"] == CONDITION),
        "labels_rhythm": tuple(row["label"] for row in rows if row["kind"] == RHYTHM),
    }


@cache
def label_of_code() -> dict[str, str]:
    """SNOMED CT code -> abbreviation; a code that stands for several has them all, `IDC/IVB`."""
    return {row["snomed"]: row["label"] for row in read_label_table("chapman_snomed")}


def conditions_of(beat: object) -> list[str]:
    """The labels of a cell `Beat`."""
    return [] if beat == _NO_CONDITION else split_cell(beat)


def split_cell(cell: object) -> list[str]:
    """The labels of a cell, split at single spaces as the published benchmark does.

    Two spaces give an empty label: it counts when folds are drawn, and is dropped later.
    """
    text = "" if cell is None else str(cell)
    return text.split(" ") if text else []


def report_labels(record_id: str, condition: Sequence[str], rhythm: Sequence[str], ledger: Ledger) -> None:
    """Count empty and unknown labels of a record, and a missing rhythm."""
    if "" in condition or "" in rhythm:
        ledger.defect(record_id, "empty label (ignored)", f"two spaces in {' '.join([*condition, *rhythm])!r}")
    unknown = [label for label in [*condition, *rhythm] if label and label not in known_labels()]
    if unknown:
        ledger.defect(record_id, "unknown label (no class of the release)", ", ".join(unknown))
    if not any(rhythm):
        ledger.defect(record_id, "no rhythm", "the cell is empty")


def label_columns(
    conditions: Sequence[list[str]], rhythms: Sequence[list[str]], min_count: int | None, *, keep_empty: bool
) -> tuple[dict[str, tuple[str, ...]], dict[str, list[list[str]]]]:
    """Class names and labels of the three columns.

    Args:
        conditions, rhythms: labels of each record.
        min_count: None for the published names; otherwise counted for each column by itself.
        keep_empty: let the empty label become a class if it is frequent enough, as the published benchmark does.
    """
    lists = {
        "labels_all": [[*condition, *rhythm] for condition, rhythm in zip(conditions, rhythms, strict=True)],
        "labels_condition": conditions,
        "labels_rhythm": rhythms,
    }
    names, labels = {}, {}
    for column in COLUMNS:
        own = [[label for label in record if label or keep_empty] for record in lists[column]]
        names[column], labels[column] = choose_labels(own, published_label_names()[column], min_count)
    return names, labels

"""Two builds of a dataset: whether they hold the same rows, and if not, where they first differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from hf_ecg_bench.data.digest import PARTS
from hf_ecg_bench.data.folder_rows import PreparedFolder
from hf_ecg_bench.data.matching import hash_words
from hf_ecg_bench.data.row_differences import Difference, row_differences
from hf_ecg_bench.errors import some

_COLUMNS = ["record_id", "split", *PARTS]


@dataclass
class Comparison:
    """What differs between two folders.

    Attributes:
        folders: the two.
        notes: what else differs or was not compared (options, class names, no signals in one of them).
        only_in: ids of records that only the first, only the second folder has.
        differing: part -> number of records in both folders in which it differs.
        in_another_order: the records of both have different orders.
        from_rows: whether the rows as they are now were compared, not what was noted when they were written.
        record: the first differing record in row order, or None.
        differences: what differs in it.
    """

    folders: tuple[PreparedFolder, PreparedFolder]
    notes: list[str] = field(default_factory=list)
    only_in: tuple[list[str], list[str]] = ([], [])
    differing: dict[str, int] = field(default_factory=dict)
    in_another_order: bool = False
    class_names_differ: bool = False
    from_rows: bool = True
    record: str | None = None
    differences: list[Difference] = field(default_factory=list)

    @property
    def equal(self) -> bool:
        """Whether both hold the same records, with the same classes, in any order."""
        return not (any(self.only_in) or any(self.differing.values()) or self.class_names_differ)

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "equal": self.equal,
            "folders": [
                {"folder": folder.path, "dataset": folder.name, "digest": folder.info["digest"]}
                for folder in self.folders
            ],
            "from_rows": self.from_rows,
            "notes": self.notes,
            "only_in_first": len(self.only_in[0]),
            "only_in_second": len(self.only_in[1]),
            "in_another_order": self.in_another_order,
            "differing_records": self.differing,
            "first": {"record": self.record, "differences": [item.to_dict() for item in self.differences]},
        }

    def describe(self) -> str:
        """A few lines for the terminal."""
        a, b = (str(folder.path) for folder in self.folders)
        same = "the same records"
        if not self.from_rows:
            same += ", when they were written (the rows as they are now were not compared)"
        lines = [f"{a} and {b}: " + (same if self.equal else "NOT the same")]
        lines += [f"  {note}" for note in self.notes]
        for path, ids in zip((a, b), self.only_in, strict=True):
            if ids:
                lines.append(f"  only in {path}: {_records(len(ids))} ({some(ids, 5)})")
        lines += [f"  {part}: differ in {_records(number)}" for part, number in self.differing.items() if number]
        if self.in_another_order:
            lines.append("  the records come in another order")
        if self.record is not None:
            lines.append(f"  first differing record: {self.record}")
            lines += [f"    {item.describe()}" for item in self.differences]
        return "\n".join(lines)


def _records(number: int) -> str:
    return f"{number} record" + ("s" if number != 1 else "")


def compare_folders(
    a: PreparedFolder, b: PreparedFolder, tables: tuple[Sequence[pa.Table], Sequence[pa.Table]] | None = None
) -> Comparison:
    """Compare two builds by their fingerprints; the first record that differs is looked up in the rows.

    Parts that one of the folders does not have (signals, after `--metadata-only`) are not compared.

    Args:
        tables: fingerprints made again from the rows, shard by shard; default: those that were kept.
    """
    result = Comparison((a, b), _notes(a, b))
    result.class_names_differ = a.label_names != b.label_names or a.target_names != b.target_names
    if tables is None:
        tables = tuple([f.fingerprints(shard["name"], _COLUMNS) for shard in f.shards] for f in (a, b))  # type: ignore[assignment]
        assert tables is not None
    joined = [pa.concat_tables([table.select(_COLUMNS) for table in part]).combine_chunks() for part in tables]
    ids = [table["record_id"].to_numpy(zero_copy_only=False) for table in joined]
    row_of = {record_id: row for row, record_id in enumerate(ids[1])}
    partner = np.array([row_of.get(record_id, -1) for record_id in ids[0]], np.int64)
    both = np.flatnonzero(partner >= 0)
    known = set(ids[0])
    result.only_in = (ids[0][partner < 0].tolist(), [record_id for record_id in ids[1] if record_id not in known])
    result.in_another_order = bool((np.diff(partner[both]) < 0).any())
    first_rows = [int(np.flatnonzero(partner < 0)[0])] if result.only_in[0] else []
    for part in PARTS:
        if part == "signals" and not (a.has_signals and b.has_signals):
            continue
        words = [hash_words(table[part].combine_chunks()) for table in joined]
        rows = both[(words[0][both] != words[1][partner[both]]).any(axis=1)]
        result.differing[part] = len(rows)
        first_rows += rows[:1].tolist()
    _look_up_first(result, ids, partner, first_rows)
    return result


def _look_up_first(result: Comparison, ids: list[np.ndarray], partner: np.ndarray, first_rows: list[int]) -> None:
    a, b = result.folders
    if first_rows:
        row = min(first_rows)
        result.record = str(ids[0][row])
        if partner[row] < 0:
            result.differences = [Difference("record", "present", "absent")]
        else:
            result.differences = row_differences(a, a.row(row), b, b.row(int(partner[row])))
    elif result.only_in[1]:
        result.record = result.only_in[1][0]
        result.differences = [Difference("record", "absent", "present")]


def _notes(a: PreparedFolder, b: PreparedFolder) -> list[str]:
    notes = []
    if a.name != b.name:
        notes.append(f"they are different datasets: {a.name} and {b.name}")
    options = [dict(folder.info["options"]) for folder in (a, b)]
    for name in sorted({*options[0], *options[1]}):
        values = [values.get(name) for values in options]
        if values[0] != values[1]:
            notes.append(f"option {name}: {values[0]} and {values[1]}")
    if a.has_signals != b.has_signals:
        without = b if a.has_signals else a
        notes.append(f"{without.path} has no signals (--metadata-only); signals are not compared")
    for column in sorted({*a.label_names, *b.label_names}):
        names = [folder.label_names.get(column, []) for folder in (a, b)]
        if names[0] != names[1]:
            notes.append(f"classes of {column}: {_list_difference(*names)}")
    if a.target_names != b.target_names:
        notes.append(f"targets: {_list_difference(a.target_names, b.target_names)}")
    return notes


def _list_difference(a: list[str], b: list[str]) -> str:
    if sorted(a) == sorted(b):
        return "the same, in another order"
    only = [[name for name in own if name not in other] for own, other in ((a, b), (b, a))]
    return f"only in the first: {some(only[0], 5)}; only in the second: {some(only[1], 5)}"

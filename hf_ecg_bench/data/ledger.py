"""The ledger of a build: what was found, kept, left out (by name and reason), and what a user should know."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from hf_ecg_bench.errors import DataError


class RecordProblem(Exception):
    """A record that cannot become a row. `reason` is a short fixed phrase to count by, `detail` says what
    was found.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


@dataclass
class Ledger:
    """Counts and names of one build. With `strict`, the first defect stops the build as a DataError.

    Attributes:
        dataset: dataset id.
        strict: stop at the first exclusion or defect.
        found: records that the source lists.
        excluded: reason -> list of `[record id, detail]`: no row was made.
        defects: kind -> list of `[record id, detail]`: a row was made, but something in the source was
            ignored.
        notes: what else a user should know.
        splits: split -> {records, patients, labels: {column: {name: count}}}.
        digests: what was built, part by part (see `data.digest`).
    """

    dataset: str
    strict: bool = False
    found: int = 0
    excluded: dict[str, list[list[str]]] = field(default_factory=dict)
    defects: dict[str, list[list[str]]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    splits: dict[str, dict[str, Any]] = field(default_factory=dict)
    digests: dict[str, str] = field(default_factory=dict)
    status: str = "built"

    @property
    def kept(self) -> int:
        """Rows in all splits."""
        return sum(int(split["records"]) for split in self.splits.values())

    @property
    def n_excluded(self) -> int:
        """Records without a row."""
        return sum(map(len, self.excluded.values()))

    def exclude(self, record_id: str, reason: str, detail: str, *, by_design: bool = False) -> None:
        """Leave a record out, by name.

        Args:
            by_design: the benchmark does not use the record (it belongs to no split): nothing is wrong with it.

        Raises:
            DataError: in strict mode, unless by design.
        """
        if not by_design:
            self._stop_if_strict(record_id, reason, detail)
        self.excluded.setdefault(reason, []).append([record_id, detail])

    def defect(self, record_id: str, kind: str, detail: str) -> None:
        """Count something wrong in a record that is kept.

        Raises:
            DataError: in strict mode.
        """
        self._stop_if_strict(record_id, kind, detail)
        self.defects.setdefault(kind, []).append([record_id, detail])

    def note(self, text: str) -> None:
        """Remember something that concerns the whole dataset."""
        if text not in self.notes:
            self.notes.append(text)

    def problem(self, text: str, *, fix: str | None = None) -> None:
        """A note about the whole dataset that stops a strict build."""
        if self.strict:
            raise DataError(f"{self.dataset}: {text}", fix=fix)
        self.note(text)

    def merge(self, excluded: dict[str, list[list[str]]], defects: dict[str, list[list[str]]]) -> None:
        """Add what a part of the build found.

        Raises:
            DataError: in strict mode, if it found anything (a shard finished by an earlier build without
                `strict`).
        """
        for reason, entries in [*excluded.items(), *defects.items()]:
            for record_id, detail in entries:
                self._stop_if_strict(record_id, reason, detail)
        for mine, theirs in ((self.excluded, excluded), (self.defects, defects)):
            for reason, entries in theirs.items():
                mine.setdefault(reason, []).extend(entries)

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready: counts first, then names."""
        return {
            "found": self.found,
            "kept": self.kept,
            "excluded": dict(sorted(self.excluded.items())),
            "defects": dict(sorted(self.defects.items())),
            "notes": self.notes,
        }

    def describe(self) -> str:
        """A few lines for the terminal."""
        lines = [f"{self.dataset}: {self.found} records found, {self.kept} kept, {self.n_excluded} left out"]
        for split, facts in self.splits.items():
            lines.append(f"  {split:<12}{facts['records']:>8} records {facts['patients']:>8} patients")
        for title, groups in (("left out", self.excluded), ("kept, but", self.defects)):
            for reason, entries in sorted(groups.items()):
                ids = ", ".join(record_id for record_id, _ in entries[:5]) + (", ..." if len(entries) > 5 else "")
                lines.append(f"  {title}: {reason}: {len(entries)} ({ids}); first: {entries[0][1]}")
        lines += [f"  note: {note}" for note in self.notes]
        if self.digests:
            lines.append(f"  digest {self.digests['dataset']}")
        return "\n".join(lines)

    def describe_labels(self) -> str:
        """A table per label column: records of each class in each split."""
        lines = []
        for column in next(iter(self.splits.values()), {}).get("labels", {}):
            tables = [facts["labels"][column] for facts in self.splits.values()]
            width = max(map(len, [column, *tables[0]]))
            lines += ["", f"{column:<{width}}" + "".join(f"{split:>12}" for split in self.splits)]
            lines += [f"{name:<{width}}" + "".join(f"{table[name]:>12}" for table in tables) for name in tables[0]]
        return "\n".join(lines).lstrip("\n")

    def to_json(self) -> dict[str, Any]:
        """What `prepare --json` prints: `to_dict`, the counts per split, and the digests."""
        return {
            "dataset": self.dataset,
            "status": self.status,
            **self.to_dict(),
            "splits": self.splits,
            "digest": self.digests.get("dataset"),
            "digests": {part: value for part, value in self.digests.items() if part != "dataset"},
        }

    def _stop_if_strict(self, record_id: str, reason: str, detail: str) -> None:
        if self.strict:
            raise DataError(
                f"{self.dataset} record {record_id}: {reason}: {detail}",
                fix="mend the source, or leave out --strict to have such records counted and named",
            )


def split_facts(rows: list[dict[str, Any]], label_names: dict[str, tuple[str, ...]]) -> dict[str, Any]:
    """Records, patients and label counts of a list of metadata rows (labels as class indices)."""
    labels = {}
    for column, names in label_names.items():
        counts = Counter(index for row in rows for index in row[column])
        labels[column] = {name: counts[index] for index, name in enumerate(names)}
    # A record without a patient id is its own patient.
    patients = {row["patient_id"] or f"record {row['record_id']}" for row in rows}
    return {"records": len(rows), "patients": len(patients), "labels": labels}

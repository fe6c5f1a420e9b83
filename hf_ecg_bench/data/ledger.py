"""The ledger of a build: what was found, kept, left out (by name and reason), and what a user should know."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hf_ecg_bench.errors import DataError

# Records named per reason. All are counted; a source may have the same defect in each of its 345,779 records.
MAX_NAMED = 1000
Names = dict[str, list[list[str]]]


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
        excluded: reason -> the first 1,000 `[record id, detail]`: no row was made.
        defects: kind -> the first 1,000 `[record id, detail]`: a row was made, but something in the source was
            ignored.
        excluded_counts, defect_counts: reason -> number of entries, all of them.
        notes: what else a user should know.
        splits: split -> what `data.split_facts` says about it.
        duplicates: recordings that occur more than once (see `data.duplicates`).
        digests: what was built, part by part (see `data.digest`).
    """

    dataset: str
    strict: bool = False
    found: int = 0
    excluded: Names = field(default_factory=dict)
    defects: Names = field(default_factory=dict)
    excluded_counts: Counter[str] = field(default_factory=Counter)
    defect_counts: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)
    splits: dict[str, dict[str, Any]] = field(default_factory=dict)
    duplicates: dict[str, Any] = field(default_factory=dict)
    digests: dict[str, str] = field(default_factory=dict)
    status: str = "built"

    @property
    def kept(self) -> int:
        """Rows in all splits."""
        return sum(int(split["records"]) for split in self.splits.values())

    @property
    def n_excluded(self) -> int:
        """Records without a row."""
        return sum(self.excluded_counts.values())

    def exclude(self, record_id: str, reason: str, detail: str, *, by_design: bool = False) -> None:
        """Leave a record out, by name.

        Args:
            by_design: the benchmark does not use the record (it belongs to no split): nothing is wrong with it.

        Raises:
            DataError: in strict mode, unless by design.
        """
        if not by_design:
            self._stop_if_strict(record_id, reason, detail)
        _name(self.excluded, self.excluded_counts, record_id, reason, detail)

    def defect(self, record_id: str, kind: str, detail: str) -> None:
        """Count something wrong in a record that is kept.

        Raises:
            DataError: in strict mode.
        """
        self._stop_if_strict(record_id, kind, detail)
        _name(self.defects, self.defect_counts, record_id, kind, detail)

    def note(self, text: str) -> None:
        """Remember something that concerns the whole dataset."""
        if text not in self.notes:
            self.notes.append(text)

    def problem(self, text: str, *, fix: str | None = None) -> None:
        """A note about the whole dataset that stops a strict build."""
        if self.strict:
            raise DataError(f"{self.dataset}: {text}", fix=fix)
        self.note(text)

    def merge(
        self,
        excluded: Names,
        defects: Names,
        excluded_counts: Mapping[str, int],
        defect_counts: Mapping[str, int],
    ) -> tuple[Names, Names]:
        """Add what a part of the build found; returns the part's names that found room.

        Raises:
            DataError: in strict mode, if it found anything (a shard finished by an earlier build without
                `strict`).
        """
        for reason, entries in [*excluded.items(), *defects.items()]:
            for record_id, detail in entries:
                self._stop_if_strict(record_id, reason, detail)
        self.excluded_counts.update(excluded_counts)
        self.defect_counts.update(defect_counts)
        return _append(self.excluded, excluded), _append(self.defects, defects)

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready: counts first, then names."""
        return {
            "found": self.found,
            "kept": self.kept,
            "excluded_counts": dict(sorted(self.excluded_counts.items())),
            "defect_counts": dict(sorted(self.defect_counts.items())),
            "excluded": dict(sorted(self.excluded.items())),
            "defects": dict(sorted(self.defects.items())),
            "duplicates": self.duplicates,
            "notes": self.notes,
        }

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

    def describe(self) -> str:
        """A few lines for the terminal."""
        lines = [f"{self.dataset}: {self.found} records found, {self.kept} kept, {self.n_excluded} left out"]
        for split, facts in self.splits.items():
            # Where a source names no patients, counting records as such would claim independence nobody knows of.
            unknown = facts["records"] and facts["without_patient"] == facts["records"]
            patients = " (patients not known)" if unknown else f"{facts['patients']:>8} patients"
            lines.append(f"  {split:<12}{facts['records']:>8} records {patients}")
        for title, groups, counts in (
            ("left out", self.excluded, self.excluded_counts),
            ("kept, but", self.defects, self.defect_counts),
        ):
            for reason, entries in sorted(groups.items()):
                ids = ", ".join(record_id for record_id, _ in entries[:5]) + (", ..." if len(entries) > 5 else "")
                first = f"; first: {entries[0][1]}" if entries[0][1] else ""
                lines.append(f"  {title}: {reason}: {counts[reason]} ({ids}){first}")
        if self.duplicates.get("within_a_split"):
            lines.append(f"  recordings that occur more than once within a split: {self.duplicates['within_a_split']}")
        lines += [f"  note: {note}" for note in self.notes]
        if self.digests:
            lines.append(f"  digest {self.digests['dataset']}")
        return "\n".join(lines)

    def describe_labels(self, meanings: Mapping[str, Mapping[str, str]] | None = None) -> str:
        """A table per label column: records of each class in each split and in all, and those without any label.

        Args:
            meanings: label column -> class -> what it stands for, shown behind the counts.
        """
        lines = []
        for column in next(iter(self.splits.values()), {}).get("labels", {}):
            rows = {
                name: [facts["labels"][column][name] for facts in self.splits.values()]
                for name in next(iter(self.splits.values()))["labels"][column]
            }
            rows["(no label)"] = [facts["unlabelled"][column] for facts in self.splits.values()]
            lines += ["", *_table(column, list(self.splits), rows, (meanings or {}).get(column, {}))]
        missing = {split: facts["missing_targets"] for split, facts in self.splits.items()}
        if any(missing.values()):
            names = next(iter(missing.values()))
            rows = {
                name: [facts["records"] - facts["missing_targets"][name] for facts in self.splits.values()]
                for name in names
            }
            lines += ["", *_table("known targets", list(self.splits), rows)]
        return "\n".join(lines).lstrip("\n")


def _table(
    title: str, header: list[str], rows: Mapping[str, list[int]], meanings: Mapping[str, str] | None = None
) -> list[str]:
    width = max(map(len, [title, *rows]))
    lines = [f"{title:<{width}}" + "".join(f"{name:>12}" for name in [*header, "all"])]
    for name, row in rows.items():
        meaning = (meanings or {}).get(name, "")
        counts = "".join(f"{value:>12}" for value in [*row, sum(row)])
        lines.append(f"{name:<{width}}{counts}  {meaning}".rstrip())
    return lines


def _name(names: Names, counts: Counter[str], record_id: str, reason: str, detail: str) -> None:
    counts[reason] += 1
    entries = names.setdefault(reason, [])
    if len(entries) < MAX_NAMED:
        entries.append([record_id, detail])


def _append(mine: Names, theirs: Names) -> Names:
    """Add as many names as there is room for; returns those."""
    added = {}
    for reason, entries in theirs.items():
        own = mine.setdefault(reason, [])
        added[reason] = entries[: max(0, MAX_NAMED - len(own))]
        own.extend(added[reason])
    return added

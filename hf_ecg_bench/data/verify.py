"""Whether a prepared folder still holds what it says: everything computed again from its rows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from hf_ecg_bench.data import digest
from hf_ecg_bench.data.folder_rows import MENDED_BY, PreparedFolder
from hf_ecg_bench.data.recompute import recompute_shard
from hf_ecg_bench.data.split_facts import SplitFacts
from hf_ecg_bench.errors import DataError, first_line
from hf_ecg_bench.names import INFO_FILE
from hf_ecg_bench.progress import progress

# So many problems are named; all are counted.
MAX_NAMED = 20
# What a damaged Parquet file may raise when it is read.
_DAMAGE = (OSError, pa.ArrowException, ValueError, OverflowError, MemoryError)


@dataclass
class FolderCheck:
    """What is wrong with a folder.

    Attributes:
        folder: what was checked.
        problems: the first ones, as sentences that name file, record and part.
        n_problems: how many there are.
        fingerprints: made again from the rows, shard by shard; empty unless they were asked for.
    """

    folder: PreparedFolder
    problems: list[str] = field(default_factory=list)
    n_problems: int = 0
    fingerprints: list[pa.Table] = field(default_factory=list)

    def add(self, problem: str) -> None:
        """Name one more problem."""
        self.n_problems += 1
        if len(self.problems) < MAX_NAMED:
            self.problems.append(problem)

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        info = self.folder.info
        return {
            "folder": self.folder.path,
            "dataset": info["dataset"],
            "digest": info["digest"],
            "records": {split: facts["records"] for split, facts in info["splits"].items()},
            "sound": not self.n_problems,
            "n_problems": self.n_problems,
            "problems": self.problems,
        }

    def describe(self) -> str:
        """A few lines for the terminal."""
        records = sum(facts["records"] for facts in self.folder.info["splits"].values())
        head = f"{self.folder.path}: {self.folder.name}, {records} records, digest {self.folder.info['digest']}"
        if not self.n_problems:
            return f"{head}\n  the rows, {INFO_FILE} and the fingerprints agree"
        lines = [head, *(f"  {problem}" for problem in self.problems)]
        if self.n_problems > len(self.problems):
            lines.append(f"  and {self.n_problems - len(self.problems)} more")
        return "\n".join([*lines, f"  fix: {MENDED_BY}"])


def verify_folder(folder: PreparedFolder, *, keep_fingerprints: bool = False) -> FolderCheck:
    """Compute digests, counts and fingerprints again from all rows, and compare them with those that were kept."""
    check = FolderCheck(folder)
    facts = {split: SplitFacts(folder.label_names, folder.target_names) for split in folder.info["splits"]}
    digests = []
    readable = True
    with progress(total=sum(s["records"] for s in folder.shards), desc=f"verify {folder.path}", unit="rec") as bar:
        for shard in folder.shards:
            file = f"data/{shard['name']}.parquet"
            try:
                table, own = recompute_shard(folder, shard["name"], shard["split"], facts[shard["split"]])
            except _DAMAGE as error:
                check.add(f"{file} cannot be read: {first_line(error)}")
                readable = False
            else:
                digests.append(own)
                _compare_shard(check, shard, table, own)
                if keep_fingerprints:
                    check.fingerprints.append(table)
            bar.update(shard["records"])
    if readable:
        _compare_info(check, digest.combine(digests), {split: counts.to_dict() for split, counts in facts.items()})
    planned = {f"{shard['name']}.parquet" for shard in folder.shards}
    for path in sorted((folder.path / "data").glob("*.parquet")):
        if path.name not in planned:
            check.add(f"data/{path.name} belongs to no shard of {INFO_FILE}")
    return check


def _compare_shard(check: FolderCheck, shard: dict[str, Any], table: pa.Table, own: dict[str, str]) -> None:
    """Name the records whose fingerprints are not those that were kept when the shard was written."""
    name = shard["name"]
    damaged = {part for part in digest.PARTS if own[part] != shard["digests"][part]}
    if len(table) != shard["records"]:
        check.add(f"data/{name}.parquet has {len(table)} rows, {INFO_FILE} says {shard['records']}")
    try:
        kept = check.folder.fingerprints(name)
    except DataError as error:
        check.add(error.message)
        if damaged:
            check.add(f"data/{name}.parquet: {', '.join(sorted(damaged))} differ from when it was written")
        return
    if len(kept) != len(table):
        check.add(f"fingerprints/{name}.parquet has {len(kept)} rows, its shard has {len(table)}")
        return
    # Which of the two is right is told by the digest of the shard, which a third file holds.
    guilty = f"data/{name}.parquet" if damaged else f"fingerprints/{name}.parquet"
    differing = {column: np.flatnonzero(differs(kept[column], table[column])) for column in table.column_names}
    for row in sorted({int(row) for rows in differing.values() for row in rows}):
        parts = [column for column, rows in differing.items() if row in rows]
        record = table["record_id"][row].as_py()
        check.add(f"{guilty}: record {record}: {', '.join(parts)} differ from when it was written")
    if damaged and not any(map(len, differing.values())):
        check.add(f"{INFO_FILE}: the digests of {name} are not those of its rows")


def differs(a: pa.ChunkedArray, b: pa.ChunkedArray) -> np.ndarray:
    """(rows,) bool: where two columns of fingerprints differ."""
    a, b = a.combine_chunks(), b.combine_chunks()
    if a.equals(b):
        return np.zeros(len(a), bool)
    return np.array([left != right for left, right in zip(a.to_pylist(), b.to_pylist(), strict=True)], bool)


def _compare_info(check: FolderCheck, digests: dict[str, str], splits: dict[str, dict[str, Any]]) -> None:
    info = check.folder.info
    kept = {**info["digests"], "dataset": info["digest"]}
    wrong = sorted(part for part, value in digests.items() if kept.get(part) != value)
    if wrong:
        check.add(f"{INFO_FILE}: the digests of {', '.join(wrong)} are not those of the rows")
    for split, counts in splits.items():
        wrong = sorted(key for key, value in counts.items() if info["splits"][split].get(key) != value)
        if wrong:
            check.add(f"{INFO_FILE}: split {split}: {', '.join(wrong)} are not those of the rows")

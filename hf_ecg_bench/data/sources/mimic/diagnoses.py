"""ICD-10 codes of ECGs: cut, completed by their ancestors, counted, and chosen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from hf_ecg_bench.errors import DataError

LONGEST, SHORTEST = 5, 3
# A list literal of words in quotes, and nothing else.
_LISTS = r"^\[\s*(?:'[A-Za-z0-9. ]*'(?:\s*,\s*'[A-Za-z0-9. ]*')*)?\s*\]$"


@dataclass(frozen=True)
class Diagnoses:
    """The codes of ECGs, ancestors included, each code once per ECG.

    Attributes:
        names: every code that occurs.
        counts: in how many ECGs of the table each occurs.
        ecg, code: pairs of a row of the table and a position in `names`, by row; only of rows that are kept.
    """

    names: tuple[str, ...]
    counts: np.ndarray
    ecg: np.ndarray
    code: np.ndarray


class DiagnosisReader:
    """Collects the codes of a table's cells (`['I10', 'E785']`), batch by batch; nothing is evaluated."""

    def __init__(self, where: Path, *, fix: str) -> None:
        self._where = where
        self._fix = fix
        self._names: dict[str, int] = {}
        # A code as written -> the codes it stands for, as positions.
        self._meaning: dict[str, np.ndarray] = {}
        self._counts = np.zeros(0, np.int64)
        self._ecg: list[np.ndarray] = []
        self._code: list[np.ndarray] = []
        self._rows = 0

    def add(self, cells: pa.Array, kept: np.ndarray) -> np.ndarray:
        """The cells of the next rows; an empty cell has no diagnosis.

        Args:
            kept: (rows,) bool: of which rows the codes are wanted later; all are counted.

        Returns:
            (rows,) bool: whether there is any diagnosis, also one that is no label.

        Raises:
            DataError: a cell that is not a list of quoted codes.
        """
        # Lists repeat: the ECGs of a stay share theirs.
        unique = cells.fill_null("[]").dictionary_encode()
        texts, which = unique.dictionary, unique.indices.to_numpy()
        well = pc.match_substring_regex(texts, _LISTS)
        if not pc.all(well).as_py():
            bad = texts.filter(pc.invert(well))[0].as_py()
            raise DataError(
                f"{self._where}: column all_diag_all has {bad[:60]!r}, expected a list like ['I10', 'E785']",
                fix=self._fix,
            )
        codes = []
        for text in texts.to_pylist():
            written = [word for word in text.strip("[] ").replace("'", "").split(",") if word.strip()]
            # Most ECGs have some ten codes: joining small arrays is faster than a set of text for each.
            own = [self._positions(word) for word in written]
            codes.append(np.unique(np.concatenate(own)) if own else np.empty(0, np.int32))
        lengths = np.array([len(own) for own in codes])
        flat = np.concatenate(codes) if codes else np.empty(0, np.int32)
        starts = np.cumsum(lengths) - lengths
        self._count(flat, np.repeat(np.bincount(which, minlength=len(codes)), lengths))
        rows = np.flatnonzero(kept)
        repeats = lengths[which[rows]]
        within = np.arange(repeats.sum()) - np.repeat(np.cumsum(repeats) - repeats, repeats)
        self._code.append(flat[np.repeat(starts[which[rows]], repeats) + within].astype(np.int32))
        self._ecg.append(np.repeat(rows + self._rows, repeats).astype(np.int32))
        self._rows += len(cells)
        return lengths[which] > 0

    def finish(self) -> Diagnoses:
        """What was collected."""
        return Diagnoses(
            tuple(self._names),
            self._counts,
            np.concatenate([np.empty(0, np.int32), *self._ecg]),
            np.concatenate([np.empty(0, np.int32), *self._code]),
        )

    def _count(self, codes: np.ndarray, times: np.ndarray) -> None:
        counts = np.bincount(codes, times, minlength=len(self._names)).astype(np.int64)
        counts[: len(self._counts)] += self._counts
        self._counts = counts

    def _positions(self, written: str) -> np.ndarray:
        found = self._meaning.get(written)
        if found is None:
            own = [self._names.setdefault(code, len(self._names)) for code in with_ancestors(written)]
            found = self._meaning[written] = np.array(own, np.int32)
        return found


def with_ancestors(written: str) -> list[str]:
    """A code as labels know it: five characters at most, without the placeholders X at its end, and the codes above it.

    `T8189XA` -> T81, T818, T8189.
    """
    code = written.strip()[:LONGEST].rstrip("X")
    return [code[:length] for length in range(SHORTEST, len(code))] + [code] * bool(code)


def choose_codes(diagnoses: Diagnoses, published: Sequence[str], min_count: int | None) -> tuple[str, ...]:
    """The codes that are labels: the published list, or those of at least `min_count` ECGs of the whole table, used or
    not, by descending count (equal counts: by name).
    """
    if min_count is None:
        return tuple(published)
    counts = diagnoses.counts.tolist()
    often = [(-count, name) for name, count in zip(diagnoses.names, counts, strict=True) if count >= min_count]
    return tuple(name for _, name in sorted(often))


def label_lists(diagnoses: Diagnoses, codes: Sequence[str], rows: np.ndarray) -> list[np.ndarray]:
    """For each of the table's `rows` the positions of its labels in `codes`, ascending."""
    position = {name: number for number, name in enumerate(codes)}
    lookup = np.array([position.get(name, -1) for name in diagnoses.names] or [-1], np.int32)
    label = lookup[diagnoses.code] if len(diagnoses.code) else diagnoses.code
    known = label >= 0
    ecg, label = diagnoses.ecg[known], label[known]
    order = np.lexsort((label, ecg))
    ecg, label = ecg[order], label[order]
    starts, ends = np.searchsorted(ecg, rows, "left"), np.searchsorted(ecg, rows, "right")
    return [label[start:end] for start, end in zip(starts, ends, strict=True)]

"""What the labels of different datasets have in common: `dataset_scripts/labels/shared_concepts.csv`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from hf_ecg_bench.data.vocabulary import read_label_table

TABLE = "shared_concepts"
#: Datasets of the table; each has a column of its labels.
DATASETS = ("ptbxl", "georgia", "cpsc2018", "cpsc_extra", "ningbo", "chapman", "sph", "code15")
#: Datasets with the labels of another one.
SAME_LABELS = {"code_test": "code15"}
SUPERCLASSES = ("NORM", "MI", "STTC", "CD", "HYP")


@dataclass(frozen=True)
class Said:
    """How a dataset says that a concept is present.

    Attributes:
        present: any of these labels says so; empty where the dataset never does.
        unsure: labels under which a record says neither yes nor no, unless one of `present` stands there too.
    """

    present: tuple[str, ...] = ()
    unsure: tuple[str, ...] = ()


@dataclass(frozen=True)
class Concept:
    """A finding that several datasets annotate.

    Attributes:
        id: short name, that of PTB-XL's statement where there is one.
        title: in words.
        snomed: SNOMED CT codes that mean it in the PhysioNet/CinC Challenge.
        superclass: PTB-XL's superclass that it always belongs to, or None.
        may_be: a superclass that it often, but not always, belongs to, or None.
        labels: dataset id -> how it is said there.
        note: the reason of a doubtful decision.
    """

    id: str
    title: str
    snomed: tuple[str, ...]
    superclass: str | None
    may_be: str | None
    labels: dict[str, Said]
    note: str

    def said_in(self, dataset: str, there: Iterable[str]) -> Said:
        """How a dataset says it, as far as its label list `there` goes."""
        names = frozenset(there)
        said = self.labels.get(SAME_LABELS.get(dataset, dataset), Said())
        return Said(*(tuple(name for name in part if name in names) for part in (said.present, said.unsure)))


@lru_cache(maxsize=1)
def concepts() -> tuple[Concept, ...]:
    """All concepts, in the order of the table.

    In a dataset's cell, `a|b|?c` means: `a` or `b` says that the concept is present, `c` leaves it open. An empty cell
    means that the dataset does not annotate it at all, which is not "absent": it is then not scored there. A
    superclass with a question mark is one that the concept may or may not belong to.
    """
    return tuple(_concept(row) for row in read_label_table(TABLE))


def _concept(row: dict[str, str]) -> Concept:
    superclass = row["superclass"]
    return Concept(
        id=row["concept"],
        title=row["title"],
        snomed=_parts(row["snomed"]),
        superclass=superclass if superclass and not superclass.startswith("?") else None,
        may_be=superclass[1:] if superclass.startswith("?") else None,
        labels={dataset: _said(row[dataset]) for dataset in DATASETS if row[dataset]},
        note=row["note"],
    )


def _said(cell: str) -> Said:
    parts = _parts(cell)
    return Said(
        tuple(part for part in parts if not part.startswith("?")),
        tuple(part[1:] for part in parts if part.startswith("?")),
    )


def _parts(cell: str) -> tuple[str, ...]:
    return tuple(cell.split("|")) if cell else ()


def statement_groups(column: str) -> dict[str, str]:
    """PTB-XL statement -> its `superclass` or `subclass`; statements without one are left out."""
    return {row["code"]: row[column] for row in read_label_table("ptbxl") if row[column]}

"""What is declared about a dataset: source, licence, signals and the names of what it is labelled with."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from hf_ecg_bench.data.origins import Origin
from hf_ecg_bench.names import SPLITS

TargetKind = Literal["binary", "regression"]


@dataclass(frozen=True)
class TargetSpec:
    """One entry of a dataset's `targets` column.

    Attributes:
        name: the target's name, unique in the dataset.
        kind: `binary` (0, 1 or NaN) or `regression` (a number or NaN).
        unit: the unit of a regression target, for tables and plots.
    """

    name: str
    kind: TargetKind
    unit: str = ""


@dataclass(frozen=True)
class ExtraColumn:
    """A column that only this dataset has, after those of all datasets.

    Attributes:
        name: the column's name.
        kind: `strings` (a list of text per record), `flags` (a list of true/false), `text` or `number` (may be null).
        description: one sentence for the card.
    """

    name: str
    kind: Literal["strings", "flags", "text", "number"]
    description: str


@dataclass(frozen=True)
class DatasetSpec:
    """Facts about a dataset that cards, listings and the signal contract need.

    Attributes:
        id: the id users type (`ptbxl`).
        title: the full name.
        homepage: where the originals are.
        license: SPDX-like name as the Hub writes it (`cc-by-4.0`).
        access: `open`, `credentialed` or `restricted`; only open data may be pushed to the Hub.
        citation: BibTeX.
        sampling_rate: Hz, of every stored row.
        seconds: length of a record where it is the same for all, else None.
        unit: unit of the signal (`mV`; EchoNext: `z`).
        label_columns: label column -> class names in order.
        targets: entries of the `targets` column, in order; empty where the dataset has no such column.
        needs_raw_dir: False for generated data.
        description: one or two sentences.
        records, patients: size of the complete release, for tables (None if not fixed).
        folds: the split rule in words; `validation_fold` and `test_fold` are the fixed numbers, all others
            train.
        splits: the splits that the complete release fills; the others are empty without a warning.
        nan_samples: `keep` records with missing samples (they count as 0 at a model's input) or `drop` them.
        min_seconds: the benchmark's tasks leave out shorter records when they run (None: no filter); the rows keep
            them.
        needs_fold: the benchmark's tasks leave out records without a fold (-1); otherwise these train.
        extra_columns: what only this dataset has.
        origins: where `prepare --download` gets the original files, in order; empty where it may not.
        access_steps: how to get data that is not open, in one or two sentences.
    """

    id: str
    title: str
    homepage: str
    license: str
    access: Literal["open", "credentialed", "restricted"]
    citation: str
    sampling_rate: int
    seconds: float | None
    label_columns: dict[str, tuple[str, ...]]
    description: str
    unit: str = "mV"
    targets: tuple[TargetSpec, ...] = ()
    needs_raw_dir: bool = True
    records: int | None = None
    patients: int | None = None
    folds: str = "train 1-8, validation 9, test 10"
    validation_fold: int = 9
    test_fold: int = 10
    splits: tuple[str, ...] = SPLITS
    nan_samples: Literal["keep", "drop"] = "keep"
    min_seconds: float | None = None
    needs_fold: bool = False
    extra_columns: tuple[ExtraColumn, ...] = ()
    origins: tuple[Origin, ...] = ()
    access_steps: str = ""
    known_issues: tuple[str, ...] = field(default=())

"""Every dataset's own example tree, built: what the tests over the registry look at."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from hf_ecg_bench.data.ledger import Ledger
from hf_ecg_bench.data.load import PreparedDataset, load_prepared
from hf_ecg_bench.data.prepare import prepare
from hf_ecg_bench.data.registry import get_builder

RECORDS = 24


@dataclass(frozen=True)
class Example:
    """One dataset: its originals (None where it is generated) and what a strict build made of them."""

    dataset: str
    raw: Path | None
    folder: Path
    ledger: Ledger
    prepared: PreparedDataset


def write_originals(dataset: str, folder: Path, n: int = RECORDS) -> Path | None:
    """The example tree of a dataset below `folder`; None for a generated one."""
    builder = get_builder(dataset)
    if not builder.SPEC.needs_raw_dir:
        return None
    raw = folder / "raw"
    raw.mkdir(parents=True)
    builder.example(str(raw), n)
    return raw


def build_options(dataset: str) -> dict[str, str]:
    """Options that keep generated data as small as the example trees."""
    return {} if get_builder(dataset).SPEC.needs_raw_dir else {"n_records": str(RECORDS)}


def build_example(dataset: str, folder: Path) -> Example:
    """Originals and a strict build of them, in `<folder>/ecg-bench/<id>` as users have it."""
    raw = write_originals(dataset, folder)
    out = folder / "ecg-bench" / dataset
    ledger = prepare(dataset, raw_dir=raw, output_dir=out, options=build_options(dataset), strict=True)
    return Example(dataset, raw, out, ledger, load_prepared(out))

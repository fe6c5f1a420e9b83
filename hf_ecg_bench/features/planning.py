"""Which store some records' features belong to, and what is missing of it. Computes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from transformers import PreTrainedModel

from hf_ecg_bench.data.record_windows import Reader, window_reader
from hf_ecg_bench.data.windows import Plan
from hf_ecg_bench.errors import DataError, EcgBenchError
from hf_ecg_bench.features.blocks import DTYPES, block_path, open_block
from hf_ecg_bench.features.extract import BATCH_SIZES, Encoder, run_device
from hf_ecg_bench.features.facts import features_root, read_facts
from hf_ecg_bench.features.key import Kind, Stored, StoreKey, backbone_facts, plan_facts, records_digest, weights_of
from hf_ecg_bench.features.locks import Use, lock_path
from hf_ecg_bench.features.size import total_bytes
from hf_ecg_bench.features.windows import StoreWindows, block_bounds, store_windows
from hf_ecg_bench.saying import silent
from hf_ecg_bench.signals.windows import Tail
from hf_ecg_bench.training.records.of_task import SplitRecords


@dataclass
class PlannedStore:
    """A store that is known but perhaps not complete.

    Attributes:
        key: what decides its features.
        about: what else a listing shows.
        folder: where it is.
        windows: all of the store's.
        bounds: (blocks + 1,) of its blocks among them.
        shape: of one window's features.
        reader: of the split's windows.
        split: the records in use.
        use: keeps it from being pruned.
        missing: blocks that are not there.
        damaged: how many of those are there but not what they should be.
    """

    key: StoreKey
    about: dict[str, Any]
    folder: Path
    windows: StoreWindows
    bounds: np.ndarray
    shape: tuple[int, ...]
    reader: Reader
    split: SplitRecords
    use: Use
    missing: set[int] = field(default_factory=set)
    damaged: int = 0

    @property
    def blocks(self) -> range:
        """Numbers of all blocks."""
        return range(len(self.bounds) - 1)

    def path(self, block: int) -> Path:
        """The block's file."""
        return block_path(self.folder, block)

    def block_shape(self, block: int) -> tuple[int, ...]:
        """(windows, ...) of a block."""
        return int(self.bounds[block + 1] - self.bounds[block]), *self.shape

    def open(self, block: int) -> np.ndarray | None:
        """The block's features, None where they are not there."""
        return open_block(self.path(block), self.block_shape(block), self.key.stored)

    def bytes_of(self, blocks: Iterable[int]) -> int:
        """Size of these blocks."""
        itemsize = DTYPES[self.key.stored].itemsize
        return sum(total_bytes(self.block_shape(block), itemsize) for block in blocks)


def plan_features(
    model: PreTrainedModel,
    plan: Plan,
    split: SplitRecords,
    *,
    kind: Kind,
    data_digest: str,
    split_name: str,
    crops: int = 0,
    tail: Tail = "drop",
    last_window: bool = True,
    feature_precision: Stored = "fp16",
    precision: str = "fp32",
    batch_size: int | None = None,
    dataset: str = "",
    weights: str | None = None,
) -> PlannedStore:
    """Which store holds the features of some records, and which of its blocks are missing.

    Where the records are at least half of the split's rows, the store is that of all its rows that are long enough,
    which runs on other tasks, fractions and seeds share; else one of just these records. Which of them depends on the
    arguments only, never on what the cache holds.

    Args:
        model: a classifier or a backbone.
        plan: how the records become the model's input.
        split: the records in use.
        kind: `pooled`, (dim,) per window, or `tokens`, (tokens, dim).
        data_digest: of the prepared dataset (`prepared.info["digest"]`).
        split_name: of the split that `split.view` shows.
        crops, tail, last_window: which windows, see `features.windows`; 0 crops: evaluation windows alone.
        feature_precision: on disk: `fp16`, `bf16` or `fp32`.
        precision: of the computation: `fp32`, or `fp16` or `bf16` for autocast; a CPU computes in float32.
        batch_size: windows per forward pass; None: `extract.BATCH_SIZES`, as runs do.
        dataset: its id, for listings.
        weights: what `key.weights_of(model)` gave, where it is known.

    Raises:
        DataError: a record that is shorter than the model's window.
        EcgBenchError: the cache cannot be written.
    """
    reader = window_reader(split.view, plan)
    rows = _rows(reader, split)
    windows = store_windows(reader.lengths[rows], rows, plan.window, tail, crops, last_window=last_window)
    architecture, config = backbone_facts(model)
    device = run_device().type
    batch_size = batch_size or BATCH_SIZES[device]
    key = StoreKey(
        model=architecture,
        weights=weights or weights_of(model),
        config=config,
        data=data_digest,
        split=split_name,
        records=records_digest(split.view, rows),
        plan=plan_facts(plan),
        tail=tail,
        crops=crops,
        last_window=last_window,
        kind=kind,
        stored=feature_precision,
        computed=precision if device == "cuda" else "fp32",
        batch_size=batch_size,
        device=device,
    )
    folder = features_root() / key.digest
    with explained():
        use = Use(lock_path(folder))
    about = {"dataset": dataset, "records": len(rows), "windows": len(windows)}
    bounds = block_bounds(windows.record, batch_size)
    planned = PlannedStore(
        key, about, folder, windows, bounds, _shape(folder, model, plan, kind), reader, split, use
    )  # fmt: skip
    for block in planned.blocks:
        if planned.open(block) is None:
            planned.missing.add(block)
            planned.damaged += planned.path(block).exists()
    return planned


@contextmanager
def explained() -> Iterator[None]:
    """A cache that cannot be written, in words a user can act on."""
    try:
        yield
    except OSError as error:
        raise EcgBenchError(
            f"the feature store in {features_root()} cannot be written: {error}",
            fix="set HF_ECG_BENCH_CACHE to a folder that can be written, or --features reencoded",
        ) from error


def _rows(reader: Reader, split: SplitRecords) -> np.ndarray:
    """(records of the store,) rows of the split: all that are long enough, or the used ones alone."""
    long_enough = reader.lengths >= reader.plan.window
    if not long_enough[split.records].all():
        short = split.record_id[~long_enough[split.records]]
        raise DataError(f"{len(short)} records are shorter than the model's window, first {short[0]}")
    if 2 * len(split.records) >= len(reader.lengths):
        return np.flatnonzero(long_enough)
    return np.unique(split.records)


def _shape(folder: Path, model: PreTrainedModel, plan: Plan, kind: Kind) -> tuple[int, ...]:
    """Of one window's features: as written down, or from one forward pass."""
    if known := read_facts(folder).get("shape"):
        return tuple(known)
    if kind == "pooled":
        return (int(model.config.hidden_size),)
    encoder = Encoder(model, kind, "fp32", "fp32", silent)
    return tuple(encoder.features(np.zeros((1, model.config.n_leads, plan.samples), np.float32)).shape[1:])

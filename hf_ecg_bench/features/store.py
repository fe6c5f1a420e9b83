"""Opening a store of features: which one it is, what is there of it, the rest computed, all of it memory-mapped."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from transformers import PreTrainedModel

from hf_ecg_bench.data.record_windows import Reader, window_reader
from hf_ecg_bench.data.windows import Plan
from hf_ecg_bench.errors import DataError, EcgBenchError
from hf_ecg_bench.features.blocks import DTYPES, block_path, open_block, write_block
from hf_ecg_bench.features.extract import Encoder, run_device
from hf_ecg_bench.features.filling import fill
from hf_ecg_bench.features.key import Kind, Stored, StoreKey, backbone_facts, plan_facts, records_digest, weights_of
from hf_ecg_bench.features.locks import STORE_FILE, Use, features_root, lock_path
from hf_ecg_bench.features.size import check_room, human, total_bytes
from hf_ecg_bench.features.stored import StoredFeatures
from hf_ecg_bench.features.windows import StoreWindows, block_bounds, store_windows
from hf_ecg_bench.files import write_json
from hf_ecg_bench.signals.windows import Tail
from hf_ecg_bench.training.records import SplitRecords
from hf_ecg_bench.training.reporting import Say


def silent(message: str) -> None:
    """For callers that say nothing."""


def open_features(
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
    batch_size: int = 256,
    dataset: str = "",
    weights: str | None = None,
    say: Say = silent,
) -> StoredFeatures:
    """The stored features of some records; what is not there yet is computed, together with other processes.

    Where the records are at least half of the split's rows, the store is that of all its rows that are long enough,
    which runs on other tasks, fractions and seeds share; else one of just these records. Which of them depends on the
    arguments only, never on what the cache holds.

    Args:
        model: a classifier or a backbone. Moved to the process's device; its backbone is left in eval mode.
        plan: how the records become the model's input.
        split: the records in use.
        kind: `pooled`, (dim,) per window, or `tokens`, (tokens, dim).
        data_digest: of the prepared dataset (`prepared.info["digest"]`).
        split_name: of the split that `split.view` shows.
        crops, tail, last_window: which windows, see `features.windows`; 0 crops: evaluation windows alone.
        feature_precision: on disk: `fp16`, `bf16` or `fp32`.
        precision: of the computation: `fp32`, or `fp16` or `bf16` for autocast; a CPU computes in float32.
        batch_size: windows per forward pass.
        dataset: its id, for listings.
        weights: what `weights_of(model)` gave, where it is known.
        say: gets the lines that a user should see.

    Raises:
        TrainingError: features that are not finite, or that the stored precision cannot hold.
        EcgBenchError: they do not fit on the disk, or the cache cannot be written.
    """
    planned = plan_features(
        model, plan, split, kind=kind, data_digest=data_digest, split_name=split_name, crops=crops, tail=tail,
        last_window=last_window, feature_precision=feature_precision, precision=precision, batch_size=batch_size,
        dataset=dataset, weights=weights,
    )  # fmt: skip
    return open_planned([planned], model, say)[0]


@dataclass
class PlannedStore:
    """A store that is known but not yet complete.

    Attributes:
        key: what decides its features.
        about: what else a listing shows.
        folder: where it is.
        windows: all of the store's.
        bounds: (blocks + 1,) of its blocks among them.
        shape: of one window's features.
        reader: of the split's windows.
        split: the records in use.
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

    def block_shape(self, block: int) -> tuple[int, ...]:
        """(windows, ...) of a block."""
        return int(self.bounds[block + 1] - self.bounds[block]), *self.shape

    def open(self, block: int) -> np.ndarray | None:
        """The block's features, None where they are not there."""
        return open_block(block_path(self.folder, block), self.block_shape(block), self.key.stored)

    def bytes_of(self, blocks: Sequence[int] | set[int] | range) -> int:
        """Size of these blocks."""
        itemsize = DTYPES[self.key.stored].itemsize
        return sum(total_bytes(self.block_shape(block), itemsize) for block in blocks)

    @property
    def blocks(self) -> range:
        """Numbers of all blocks."""
        return range(len(self.bounds) - 1)


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
    batch_size: int = 256,
    dataset: str = "",
    weights: str | None = None,
) -> PlannedStore:
    """Which store `open_features` would open, and what is missing of it; computes nothing."""
    reader = window_reader(split.view, plan)
    rows = _rows(reader, split)
    windows = store_windows(reader.lengths[rows], rows, plan.window, tail, crops, last_window=last_window)
    architecture, config = backbone_facts(model)
    device = run_device().type
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
    with _explained():
        use = Use(lock_path(folder))
    about = {
        "dataset": dataset,
        "records": len(rows),
        "windows": len(windows),
        "all_rows": len(rows) > len(split.records),
    }
    planned = PlannedStore(
        key, about, folder, windows, block_bounds(windows.record, batch_size),
        _shape(folder, model, plan, kind), reader, split, use,
    )  # fmt: skip
    for block in planned.blocks:
        if planned.open(block) is None:
            planned.missing.add(block)
            planned.damaged += block_path(folder, block).exists()
    return planned


def open_planned(planned: Sequence[PlannedStore], model: PreTrainedModel, say: Say) -> list[StoredFeatures]:
    """Say and check how much is to be stored for all of them, then compute what is missing and open them."""
    for store in planned:
        _announce(store, say)
    check_room(features_root(), sum(store.bytes_of(store.missing) for store in planned))
    return [_complete(store, model, say) for store in planned]


def _announce(store: PlannedStore, say: Say) -> None:
    key, blocks = store.key, len(store.blocks)
    crops = f" + {key.crops} crops" if key.crops else ""
    there = "all there" if not store.missing else f"{blocks - len(store.missing)} of {blocks} blocks are there"
    say(
        f"features of {key.split}: {store.about['records']} records, {len(store.windows)} windows (evaluation{crops}), "
        f"{key.kind} {'x'.join(map(str, store.shape))} {key.stored}, {human(store.bytes_of(store.blocks))} in "
        f"{store.folder}: {there}"
    )
    if store.damaged:
        say(f"features of {key.split}: {store.damaged} damaged blocks are computed again")


def _complete(store: PlannedStore, model: PreTrainedModel, say: Say) -> StoredFeatures:
    started = time.monotonic()
    computed = 0
    if store.missing:
        with _explained():
            store.folder.mkdir(parents=True, exist_ok=True)
            if not os.access(store.folder, os.W_OK):
                raise PermissionError(f"{store.folder} is not ours to write")
        _write_facts(store)
        encoder = Encoder(model, store.key.kind, store.key.computed, store.key.stored, say)
        where = f"{store.about['dataset']} {store.key.split}".strip()

        def compute(block: int) -> None:
            part = slice(store.bounds[block], store.bounds[block + 1])
            rows = store.windows.rows[store.windows.record[part]]
            features = encoder.encode(store.reader, rows, store.windows.starts[part], store.key.batch_size, where)
            write_block(block_path(store.folder, block), store.block_shape(block), store.key.stored, features)

        computed = fill(
            store.folder,
            store.missing,
            lambda block: store.block_shape(block)[0],
            lambda block: store.open(block) is not None,
            compute,
            say,
            f"features of {store.key.split}",
        )
    _touch(store.folder)
    seconds = time.monotonic() - started
    if computed:
        rate = f"{computed / seconds:.1f}/s"
        say(f"features of {store.key.split}: {computed} windows computed in {seconds:.1f} s ({rate})")
    opened = [store.open(block) for block in store.blocks]
    blocks = [block for block in opened if block is not None]
    if len(blocks) < len(opened):
        raise EcgBenchError(
            f"blocks of {store.folder} went away while it was opened", fix="start the same command again"
        )
    position = np.full(int(store.windows.rows.max(initial=0)) + 1, -1)
    position[store.split.records] = np.arange(len(store.split.records))
    record = position[store.windows.rows[store.windows.record]]
    chosen = np.flatnonzero(record >= 0)
    chosen = chosen[np.argsort(record[chosen], kind="stable")]
    return StoredFeatures(
        blocks, store.bounds, store.key, store.folder, chosen, record[chosen], store.windows.starts[chosen],
        store.windows.is_evaluation[chosen], store.bytes_of(store.blocks), computed, seconds, store.use,
    )  # fmt: skip


@contextmanager
def _explained() -> Iterator[None]:
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
    if known := _facts(folder).get("shape"):
        return tuple(known)
    if kind == "pooled":
        return (int(model.config.hidden_size),)
    encoder = Encoder(model, kind, "fp32", "fp32", silent)
    return tuple(encoder.features(np.zeros((1, model.config.n_leads, plan.samples), np.float32)).shape[1:])


def _write_facts(store: PlannedStore) -> None:
    """store.json, before any block: what is in the folder can always be told. The same whoever writes it."""
    path = store.folder / STORE_FILE
    if _facts(store.folder).get("key") != store.key.to_dict():
        blocks = {"blocks": len(store.blocks), "bytes": store.bytes_of(store.blocks)}
        write_json(path, {"key": store.key.to_dict(), **store.about, "shape": store.shape, **blocks})


def _facts(folder: Path) -> dict[str, Any]:
    """What store.json says; nothing where there is none, or a damaged one."""
    try:
        values = json.loads((folder / STORE_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return values if isinstance(values, dict) else {}


def _touch(folder: Path) -> None:
    """The time of store.json is that of the last use, for `cache list` and `cache prune --older-than`."""
    with suppress(OSError):  # somebody else's cache, only read
        os.utime(folder / STORE_FILE)

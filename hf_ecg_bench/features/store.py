"""Opening a store of features: which one it is, the missing part computed, all of it memory-mapped."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence

import numpy as np
from transformers import PreTrainedModel

from hf_ecg_bench.errors import EcgBenchError
from hf_ecg_bench.features.blocks import write_block
from hf_ecg_bench.features.extract import Encoder
from hf_ecg_bench.features.facts import features_root, touch, write_facts
from hf_ecg_bench.features.filling import fill
from hf_ecg_bench.features.planning import PlannedStore, explained
from hf_ecg_bench.features.size import check_room, human
from hf_ecg_bench.features.stored import StoredFeatures
from hf_ecg_bench.saying import Say


def open_planned(planned: Sequence[PlannedStore], model: PreTrainedModel, say: Say) -> list[StoredFeatures]:
    """The features of some records, by store; what is not there yet is computed, together with other processes.

    How much is to be stored for all of them is said and checked first.

    Args:
        planned: of `plan_features`, for one model.
        model: moved to the process's device; its backbone is left in eval mode.
        say: gets the lines that a user should see.

    Raises:
        TrainingError: features that are not finite, or that the stored precision cannot hold.
        EcgBenchError: they do not fit on the disk, or the cache cannot be written.
    """
    key, shape = planned[0].key, "x".join(map(str, planned[0].shape))
    say(f"features, {key.kind} {shape} {key.stored}, in {features_root()}:")
    for store in planned:
        _announce(store, say)
    check_room(features_root(), sum(store.bytes_of(store.missing) for store in planned))
    opened = []
    for store in planned:
        started = time.monotonic()
        computed = _fill(store, model, say) if store.missing else 0
        touch(store.folder)
        opened.append(_opened(store, computed, time.monotonic() - started))
    return opened


def _announce(store: PlannedStore, say: Say) -> None:
    key, blocks = store.key, len(store.blocks)
    crops = f" ({key.crops} random ones a record)" if key.crops else ""
    there = "all there" if not store.missing else f"{blocks - len(store.missing)} of {blocks} blocks are there"
    size = human(store.bytes_of(store.blocks))
    say(f"  {key.split}: {store.about['records']} records, {len(store.windows)} windows{crops}, {size}, {there}")
    if store.damaged:
        say(f"  {key.split}: {store.damaged} damaged blocks are computed again")


def _fill(store: PlannedStore, model: PreTrainedModel, say: Say) -> int:
    """Compute what is missing; returns how many windows this process computed."""
    key, windows, what = store.key, store.windows, f"features of {store.key.split}"
    with explained():
        store.folder.mkdir(parents=True, exist_ok=True)
        if not os.access(store.folder, os.W_OK):
            raise PermissionError(f"{store.folder}: permission denied")
    # Before any block, so that what is in the folder can always be told; the same whoever writes it.
    sizes = {"blocks": len(store.blocks), "bytes": store.bytes_of(store.blocks)}
    write_facts(store.folder, {"key": key.to_dict(), **store.about, "shape": list(store.shape), **sizes})
    encoder = Encoder(model, key.kind, key.computed, key.stored, say)

    def compute(block: int) -> None:
        part = slice(store.bounds[block], store.bounds[block + 1])
        rows, starts = windows.rows[windows.record[part]], windows.starts[part]
        where = f"{store.about['dataset']} {key.split}".strip()
        features = encoder.encode(store.reader, rows, starts, key.batch_size, where)
        write_block(store.path(block), store.block_shape(block), key.stored, features)

    started = time.monotonic()
    computed = fill(
        store.folder,
        store.missing,
        windows=lambda block: store.block_shape(block)[0],
        is_there=lambda block: store.open(block) is not None,
        compute=compute,
        say=say,
        what=what,
    )
    seconds = time.monotonic() - started
    say(f"{what}: {computed} windows computed in {seconds:.1f} s ({computed / seconds:.1f}/s)")
    return computed


def _opened(store: PlannedStore, computed: int, seconds: float) -> StoredFeatures:
    blocks = [block for block in map(store.open, store.blocks) if block is not None]
    if len(blocks) < len(store.blocks):
        raise EcgBenchError(
            f"blocks of {store.folder} went away while it was opened", fix="start the same command again"
        )
    windows, used = store.windows, store.split.records
    position = np.full(int(windows.rows.max(initial=0)) + 1, -1)
    position[used] = np.arange(len(used))
    record = position[windows.rows[windows.record]]
    chosen = np.flatnonzero(record >= 0)
    chosen = chosen[np.argsort(record[chosen], kind="stable")]
    return StoredFeatures(
        blocks, store.bounds, store.key, store.folder, chosen, record[chosen], windows.starts[chosen],
        windows.is_evaluation[chosen], store.bytes_of(store.blocks), computed, seconds, store.use,
    )  # fmt: skip

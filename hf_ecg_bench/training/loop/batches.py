"""Torch datasets over prepared records: random windows for training, all windows for evaluation.

Both read whole batches (`__getitems__`), because one gather and one resampling product per batch is much faster than
one per window; the collator has nothing left to do.
"""

from __future__ import annotations

from collections.abc import Iterator, Sized
from typing import Protocol

import numpy as np
import torch
from torch.utils.data import Dataset, Sampler

from hf_ecg_bench.data.record_windows import Reader
from hf_ecg_bench.signals.windows import Tail, evaluation_index, training_start

Batch = dict[str, torch.Tensor]
#: Key of a batch's (batch,) positions among the used records: for messages, not for the model.
RECORD = "record"


class TrainingSet(Protocol):
    """One item per record, new each epoch: windows of signals or their stored features.

    A batch holds `labels`, `RECORD` and what the trained module's forward takes.
    """

    def set_epoch(self, epoch: int) -> None:
        """Items are a function of (seed, epoch, record)."""

    def __len__(self) -> int: ...

    def __getitems__(self, indices: list[int]) -> Batch: ...


class EvaluationSet(Protocol):
    """One item per window, by record.

    Attributes:
        targets: (records, targets) float32, NaN where missing.
        record: (windows,) position of each window's record in `targets`.
    """

    targets: np.ndarray
    record: np.ndarray

    def __len__(self) -> int: ...

    def __getitems__(self, indices: list[int]) -> Batch: ...


class TrainingWindows(Dataset):
    """One random window per record and epoch; the same windows for the same (seed, epoch, record), resumed or not.

    Args:
        reader: reads windows of a split.
        records: (n,) positions of the used records in the split.
        targets: (n, targets) float32, NaN where missing.
        seed: decides the windows together with the epoch and the record.
        last_window: whether the last possible window may be drawn.
    """

    def __init__(
        self, reader: Reader, records: np.ndarray, targets: np.ndarray, seed: int, *, last_window: bool = True
    ) -> None:
        self.reader, self.records, self.targets, self.seed = reader, records, targets, seed
        self.last_window = last_window
        self.lengths = reader.lengths[records]
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Called by the data loader at the start of every epoch."""
        self.epoch = epoch

    def __len__(self) -> int:
        return len(self.records)

    def __getitems__(self, indices: list[int]) -> Batch:
        chosen = np.asarray(indices)
        records = self.records[chosen]
        starts = training_start(
            self.lengths[chosen], self.reader.plan.window, self.seed, self.epoch, records, not self.last_window
        )
        return _batch(self.reader.read(records, starts), self.targets[chosen], chosen)


class EvaluationWindows(Dataset):
    """Every window of every record, in record order.

    Attributes:
        record: (windows,) position among `records` of each window's record.
    """

    def __init__(self, reader: Reader, records: np.ndarray, targets: np.ndarray, tail: Tail = "drop") -> None:
        self.reader, self.records, self.targets = reader, records, targets
        self.record, self.starts = evaluation_index(reader.lengths[records], reader.plan.window, tail)

    def __len__(self) -> int:
        return len(self.record)

    def __getitems__(self, indices: list[int]) -> Batch:
        chosen = np.asarray(indices)
        position = self.record[chosen]
        return _batch(self.reader.read(self.records[position], self.starts[chosen]), self.targets[position], position)


class EpochSampler(Sampler[int]):
    """A new order each epoch, the same after a resume; the last incomplete batch is left out.

    Hands the epoch on to the dataset: with several processes the data loader tells only the sampler.

    Args:
        dataset: its length is sampled from; `set_epoch` is called where it has one.
        batch_size: records per optimizer step, over all processes and accumulation steps.
        seed: decides the order together with the epoch.
    """

    def __init__(self, dataset: Sized, batch_size: int, seed: int) -> None:
        self.dataset, self.seed, self.epoch = dataset, seed, 0
        self.kept = len(dataset) // batch_size * batch_size

    def set_epoch(self, epoch: int) -> None:
        """Called by the data loader at the start of every epoch."""
        self.epoch = epoch
        if hasattr(self.dataset, "set_epoch"):
            self.dataset.set_epoch(epoch)

    def __len__(self) -> int:
        return self.kept

    def __iter__(self) -> Iterator[int]:
        order = np.random.default_rng((self.seed, self.epoch)).permutation(len(self.dataset))
        return iter(order[: self.kept].tolist())


def collate(batch: Batch) -> Batch:
    """The datasets above return finished batches."""
    return batch


def _batch(windows: np.ndarray, targets: np.ndarray, records: np.ndarray) -> Batch:
    return {
        "input_values": torch.from_numpy(windows),
        "labels": torch.from_numpy(np.ascontiguousarray(targets)),
        RECORD: torch.from_numpy(records),
    }

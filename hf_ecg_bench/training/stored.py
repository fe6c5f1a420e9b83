"""Training a head on stored features instead of a classifier on windows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn
from torch.utils.data import Dataset
from transformers import PreTrainedModel

from hf_ecg_bench.data.windows import Plan
from hf_ecg_bench.features.extract import run_device
from hf_ecg_bench.features.floats import FloatBuffer
from hf_ecg_bench.features.key import Kind, weights_of
from hf_ecg_bench.features.planning import PlannedStore, plan_features
from hf_ecg_bench.features.rounding import rounding_share
from hf_ecg_bench.features.store import open_planned
from hf_ecg_bench.features.stored import StoredFeatures, WindowFeatures
from hf_ecg_bench.models.outputs import EcgClassifierOutput
from hf_ecg_bench.saying import Say
from hf_ecg_bench.signals import counter
from hf_ecg_bench.training.inputs import Inputs
from hf_ecg_bench.training.loop.batches import RECORD, Batch
from hf_ecg_bench.training.loop.precision import compute_precision
from hf_ecg_bench.training.surviving.processes import world_size

if TYPE_CHECKING:
    from hf_ecg_bench.training.feeding import Feed

_KINDS: dict[str, Kind] = {"pooler_output": "pooled", "last_hidden_state": "tokens"}


class HeadModule(nn.Module):
    """A classifier's own head on features, as a model of its own for the Trainer; training it trains the classifier.

    Attributes:
        head: the classifier's.
        config: the classifier's.
    """

    def __init__(self, classifier: PreTrainedModel) -> None:
        super().__init__()
        self.head: Any = classifier.head
        self.config = classifier.config
        self._floats = FloatBuffer()

    def forward(self, features: torch.Tensor) -> EcgClassifierOutput:
        """Logits of windows.

        Args:
            features: (batch, dim) or (batch, tokens, dim), what the head reads, of any floating type.
        """
        return EcgClassifierOutput(logits=self.head(self._floats(features)))


class StoredTraining(Dataset):
    """One of each record's stored windows per epoch, the same for the same (seed, epoch, record), resumed or not.

    Args:
        stored: all stored windows of the training records.
        rows: (records,) rows of the split, by which windows are drawn: the same in every subset of the records.
        targets: (records, targets) float32, NaN where missing.
        seed: decides the windows together with the epoch and the row.
    """

    def __init__(self, stored: WindowFeatures, rows: np.ndarray, targets: np.ndarray, seed: int) -> None:
        self.stored, self.rows, self.targets, self.seed = stored, rows, targets, seed
        self.first = np.searchsorted(stored.record, np.arange(len(rows) + 1))
        self.set_epoch(0)

    def set_epoch(self, epoch: int) -> None:
        """Called by the sampler at the start of every epoch."""
        number = np.diff(self.first)
        self.windows = self.first[:-1] + counter.integers(number, self.seed, epoch, self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitems__(self, indices: list[int]) -> Batch:
        chosen = np.asarray(indices)
        return _batch(self.stored, self.windows[chosen], self.targets[chosen], chosen)


class StoredEvaluation(Dataset):
    """Every evaluation window of every record, in record order.

    Attributes:
        record: (windows,) position in `targets` of each window's record.
    """

    def __init__(self, stored: WindowFeatures, targets: np.ndarray) -> None:
        self.stored, self.targets = stored.only(stored.is_evaluation), targets
        self.record = self.stored.record

    def __len__(self) -> int:
        return len(self.record)

    def __getitems__(self, indices: list[int]) -> Batch:
        chosen = np.asarray(indices)
        position = self.record[chosen]
        return _batch(self.stored, chosen, self.targets[position], position)


def use_stored(feed: Feed, inputs: Inputs, plan: Plan, say: Say) -> None:
    """Let the feed train its model's head on stored features; what is not stored yet is computed now.

    Raises:
        TrainingError, EcgBenchError: the features cannot be stored.
    """
    from hf_ecg_bench.training.feeding import fitted_records

    splits, protocol, model = inputs.records.splits, inputs.protocol, feed.model
    planned = plan_splits(inputs, model, plan)
    opened = dict(zip(planned, open_planned(list(planned.values()), model, say), strict=True))
    model.to(run_device())  # type: ignore[arg-type] # all of it where the Trainer moves the head
    train = splits["train"]
    fitted = fitted_records(inputs)
    stored = opened["train"].in_memory()
    feed.module = HeadModule(model)
    feed.training = StoredTraining(stored, train.records, train.targets, inputs.spec.seed)
    feed.validation, feed.test = (
        StoredEvaluation(opened[name].in_memory(), splits[name].targets) for name in ("validation", "test")
    )
    order = np.argsort(train.records)
    places = order[np.searchsorted(train.records, fitted.records, sorter=order)]
    feed.fitted = StoredEvaluation(stored.of_records(places), fitted.targets)
    feed.facts = facts(opened, protocol.crops)


def plan_splits(inputs: Inputs, model: PreTrainedModel, plan: Plan) -> dict[str, PlannedStore]:
    """The stores of the run's three splits: crops for training only."""
    protocol, info = inputs.protocol, inputs.prepared.info
    head: Any = model.head
    kind, weights = _KINDS[head.reads], weights_of(model)
    return {
        name: plan_features(
            model, plan, split, kind=kind, data_digest=info["digest"], split_name=name,
            crops=protocol.crops if name == "train" else 0, tail=protocol.tail, last_window=protocol.last_window,
            feature_precision=protocol.feature_precision, precision=compute_precision(protocol, model.config),
            dataset=info["dataset"], weights=weights,
        )
        for name, split in inputs.records.splits.items()
    }  # fmt: skip


def facts(opened: dict[str, StoredFeatures], crops: int) -> dict[str, Any]:
    """What a result says about its stored features, as JSON values."""
    key = opened["train"].key
    own = " and ".join(["all windows without overlap"] + ([f"{crops} random crops"] if crops else []))
    return {
        "source": "stored",
        "kind": key.kind,
        "crops": crops,
        "windows": f"{own} of each training record, of which each epoch takes one at random",
        "precision": key.stored,
        "computed_in": key.computed,
        "store": {name: stored.key.digest for name, stored in opened.items()},
        "rounding": rounding_share(_some(opened["train"]), key.stored),
        "bytes": sum(stored.bytes for stored in opened.values()),
        "extracted": sum(stored.computed for stored in opened.values()),
        "seconds": sum(stored.seconds for stored in opened.values()),
        "processes": world_size(),
    }


def _some(stored: StoredFeatures) -> np.ndarray:
    """Features of windows spread over all of them, at most 64 MB."""
    number = max(2, min(2000, 2**24 // int(np.prod(stored.shape))))
    return stored.read(np.unique(np.linspace(0, len(stored) - 1, number).astype(np.int64)))


def _batch(stored: WindowFeatures, windows: np.ndarray, targets: np.ndarray, records: np.ndarray) -> Batch:
    return {
        "features": stored.take(windows),
        "labels": torch.from_numpy(np.ascontiguousarray(targets)),
        RECORD: torch.from_numpy(records),
    }

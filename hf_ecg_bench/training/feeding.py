"""What is trained and on what: a classifier on windows of signals, or a head on stored features of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from torch import nn
from transformers import PreTrainedModel

from hf_ecg_bench.combining.members import is_combination
from hf_ecg_bench.data.record_windows import window_reader
from hf_ecg_bench.data.windows import Plan
from hf_ecg_bench.models.saving import save_model
from hf_ecg_bench.saying import Say
from hf_ecg_bench.training.build import build_model, conversion_plan, model_source
from hf_ecg_bench.training.inputs import Inputs
from hf_ecg_bench.training.loop.batches import EvaluationSet, EvaluationWindows, TrainingSet, TrainingWindows
from hf_ecg_bench.training.records.of_task import SplitRecords
from hf_ecg_bench.training.records.subsets import limited_records

_FITTED_RECORDS = 2000


@dataclass
class Feed:
    """What a run trains, on what, and how its outcome is saved.

    Attributes:
        model: the whole classifier; training `module` changes it in place.
        module: what is trained: the classifier, an adapted one, or its head alone. Takes the batches' entries.
        training: one item per record and epoch.
        validation, test: all windows of all records.
        fitted: all windows of (at most 2,000 of) the training records: how far the model has fitted them.
        signal: how the dataset's signal becomes the model's input, as JSON values with `steps`, and in words.
        source: what identifies the model, as JSON values (see `build.model_source`).
        save: writes the adapted model into a folder, as a whole or not at all.
        facts: what the result should say about where the training's inputs came from, as JSON values.
    """

    model: PreTrainedModel
    module: nn.Module
    training: TrainingSet
    validation: EvaluationSet
    test: EvaluationSet
    fitted: EvaluationSet
    signal: dict[str, Any]
    description: str
    source: dict[str, Any]
    save: Callable[[Path], object]
    facts: dict[str, Any] = field(default_factory=dict)


def make_feed(inputs: Inputs, say: Say) -> Feed:
    """The run's model and the datasets that it reads, windows of signals or stored features.

    Raises:
        TrainingError, CheckpointError, ContractError: the model cannot be built, or the data not be fed to it.
    """
    spec, records = inputs.spec, inputs.records
    if is_combination(spec.model):
        from hf_ecg_bench.combining.feed import combined_feed

        return combined_feed(inputs, say)
    model = build_model(spec, inputs.mode, inputs.effect, records.columns, inputs.mean, inputs.std)
    plan = conversion_plan(records, model.config, inputs.prepared.source, spec.accept_unit)
    feed = Feed(
        model=model,
        module=model,
        training=training_windows(inputs, plan),
        validation=evaluation_windows(records.splits["validation"], plan, inputs),
        test=evaluation_windows(records.splits["test"], plan, inputs),
        fitted=evaluation_windows(fitted_records(inputs), plan, inputs),
        signal=plan.to_dict(),
        description=plan.describe(),
        source=model_source(spec, model, inputs.digests["model"]),
        save=lambda folder: save_model(model, folder, tail=inputs.protocol.tail),
    )
    if inputs.mode.adapter:
        from hf_ecg_bench.training.adapting import adapt

        adapt(feed, inputs, say)
    if inputs.mode.on_features:
        if inputs.protocol.features == "stored":
            from hf_ecg_bench.training.stored import use_stored

            use_stored(feed, inputs, plan, say)
        else:
            feed.facts = {"source": "reencoded", "windows": "a new random window of each training record every epoch"}
    return feed


def training_windows(inputs: Inputs, plan: Plan) -> TrainingWindows:
    """One random window per training record and epoch."""
    train = inputs.records.splits["train"]
    return TrainingWindows(
        window_reader(train.view, plan), train.records, train.targets, inputs.spec.seed,
        last_window=inputs.protocol.last_window,
    )  # fmt: skip


def evaluation_windows(split: SplitRecords, plan: Plan, inputs: Inputs) -> EvaluationWindows:
    """Every window of every record."""
    return EvaluationWindows(window_reader(split.view, plan), split.records, split.targets, inputs.protocol.tail)


def fitted_records(inputs: Inputs) -> SplitRecords:
    """Some of the training records, on which the finished model is scored too."""
    return limited_records(inputs.records.splits["train"], _FITTED_RECORDS, inputs.spec.seed)

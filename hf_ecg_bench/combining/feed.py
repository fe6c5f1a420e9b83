"""What a run of several models trains, and on what."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from transformers import PreTrainedModel

from hf_ecg_bench.combining.folder import Member, save_combination
from hf_ecg_bench.combining.head import CombinedHead, CombinedModel
from hf_ecg_bench.combining.members import member_names
from hf_ecg_bench.combining.rows import CombinedRows
from hf_ecg_bench.combining.spans import Windows, longest, windows_in_spans
from hf_ecg_bench.data.record_windows import window_reader
from hf_ecg_bench.data.windows import Plan
from hf_ecg_bench.features.extract import run_device
from hf_ecg_bench.features.store import open_planned
from hf_ecg_bench.features.stored import StoredFeatures
from hf_ecg_bench.models.registry import get_model_spec, model_id_of
from hf_ecg_bench.saying import Say
from hf_ecg_bench.signals.original import OriginalPlan
from hf_ecg_bench.training.build import build_model, conversion_plan, model_source
from hf_ecg_bench.training.feeding import Feed, fitted_records
from hf_ecg_bench.training.inputs import Inputs
from hf_ecg_bench.training.stored import StoredEvaluation, StoredTraining, facts, plan_splits


@dataclass
class _Part:
    """One model of the combination with its features of the three splits."""

    model: PreTrainedModel
    plan: Plan
    source: dict[str, Any]
    stored: dict[str, StoredFeatures]

    @property
    def rate(self) -> float:
        """Hz at which its windows are cut."""
        return self.plan.cut_rate if isinstance(self.plan, OriginalPlan) else self.plan.source.rate

    def windows(self, split: str) -> Windows:
        """All its stored windows of a split."""
        stored = self.stored[split]
        return Windows(stored.record, stored.starts / self.rate, stored.is_evaluation, self.plan.window / self.rate)


def combined_feed(inputs: Inputs, say: Say) -> Feed:
    """A head on the stored features of all models of `--model a,b`, in the order of their names.

    Raises:
        TrainingError, CheckpointError, ContractError: a model cannot be loaded, or the data not be fed to it.
    """
    spec, splits = inputs.spec, inputs.records.splits
    digests = str(inputs.digests["model"]).split("+")
    parts = [_part(inputs, name, digest, say) for name, digest in zip(member_names(spec.model), digests, strict=True)]
    rows = {name: _rows(parts, name, inputs) for name in splits}
    sizes = [int(part.model.config.hidden_size) for part in parts]
    module = CombinedHead(
        inputs.mode.head, sizes, len(inputs.records.columns.names), _config(parts), seed=spec.seed
    ).to(run_device())
    model: Any = CombinedModel([part.model.base_model for part in parts], module)
    train, fitted = splits["train"], fitted_records(inputs)
    plans = {f"{number} {part.source['id']}": part.plan for number, part in enumerate(parts, 1)}
    members = [Member.of(part.source, part.model.config) for part in parts]
    return Feed(
        model=model,
        module=module,
        training=StoredTraining(rows["train"], train.records, train.targets, spec.seed),
        validation=StoredEvaluation(rows["validation"], splits["validation"].targets),
        test=StoredEvaluation(rows["test"], splits["test"].targets),
        fitted=StoredEvaluation(
            rows["train"].of_records(np.searchsorted(train.records, fitted.records)), fitted.targets
        ),
        signal={
            "source": parts[0].plan.to_dict()["source"],
            "span_seconds": max(part.windows("test").seconds for part in parts),
            "members": {name: plan.to_dict() for name, plan in plans.items()},
            "steps": [f"{name}: {step}" for name, plan in plans.items() for step in plan.steps],
        },
        description="\n".join(f"{name}: {plan.describe()}" for name, plan in plans.items()),
        source=_source(spec.model, parts),
        save=lambda folder: _save(folder, inputs, module, members),
        facts=_facts(parts, inputs),
    )


def _part(inputs: Inputs, name: str, digest: str, say: Say) -> _Part:
    """One model, its features computed or found; its backbone is on the CPU afterwards."""
    spec, columns = replace(inputs.spec, model=name), inputs.records.columns
    model = build_model(spec, inputs.mode, inputs.effect, columns, inputs.mean, inputs.std)
    plan = conversion_plan(inputs.records, model.config, inputs.prepared.source, spec.accept_unit)
    planned = plan_splits(inputs, model, plan)
    say(f"features of {name}:")
    opened = [stored.in_memory() for stored in open_planned(list(planned.values()), model, say)]
    model.to("cpu")  # type: ignore[arg-type] # the next one needs the device's memory
    return _Part(model, plan, model_source(spec, model, digest), dict(zip(planned, opened, strict=True)))


def _rows(parts: list[_Part], split: str, inputs: Inputs) -> CombinedRows:
    """The spans of a split's records: the windows of the model whose are the longest."""
    windows = [part.windows(split) for part in parts]
    lead = longest([own.seconds for own in windows])
    records = inputs.records.splits[split]
    spans, duration = windows[lead], window_reader(records.view, parts[lead].plan).lengths[records.records]
    places = [
        np.arange(len(spans.record))[:, None]
        if number == lead
        else windows_in_spans(spans, own, duration / parts[lead].rate)
        for number, own in enumerate(windows)
    ]
    return CombinedRows([part.stored[split] for part in parts], places, spans.record, spans.is_evaluation)


def _config(parts: list[_Part]) -> Any:
    """Of the first model; of one that has to be trained in float32 everywhere, where there is one."""
    careful = [part for part in parts if get_model_spec(model_id_of(part.model.config.model_type)).full_precision]
    return (careful or parts)[0].model.config


def _source(model: str, parts: list[_Part]) -> dict[str, Any]:
    """What identifies the models, as JSON values; the keys of one model's, and `members`."""
    members = [part.source for part in parts]
    digest = hashlib.sha256("+".join(str(member["digest"]) for member in members).encode()).hexdigest()
    return {
        "id": "+".join(member["id"] for member in members),
        "source": model,
        "digest": digest,
        "revision": None,
        "checkpoint_digest": None,
        "members": members,
    }


def _facts(parts: list[_Part], inputs: Inputs) -> dict[str, Any]:
    """What a result says about the features: sums, and each model's own."""
    own = [facts(part.stored, inputs.protocol.crops) for part in parts]
    sums = {name: sum(each[name] for each in own) for name in ("bytes", "extracted", "seconds")}
    return {
        **own[0],
        "windows": "spans as long as the longest window of the models: " + own[0]["windows"],
        **sums,
        "store": {
            f"{part.source['id']} {number}": each["store"]
            for number, (part, each) in enumerate(zip(parts, own, strict=True), 1)
        },
    }


def _save(folder: Path, inputs: Inputs, module: CombinedHead, members: list[Member]) -> Path:
    columns = inputs.records.columns
    return save_combination(
        folder,
        module,
        members,
        target_names=columns.names,
        target_kinds=columns.kinds,
        target_mean=inputs.mean.tolist(),
        target_std=inputs.std.tolist(),
        tail=inputs.protocol.tail,
    )

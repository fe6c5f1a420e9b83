"""What a reader must know before trusting a result's number."""

from __future__ import annotations

import inspect
from dataclasses import fields
from typing import Any

from hf_ecg_bench.data.registry import get_builder
from hf_ecg_bench.errors import some
from hf_ecg_bench.features.rounding import NOTABLE
from hf_ecg_bench.tasks import get_task
from hf_ecg_bench.training.loop.imbalance import MAX_WEIGHT
from hf_ecg_bench.training.protocol import PROTOCOLS, Protocol
from hf_ecg_bench.training.spec import RunSpec

_FEW_RECORDS = 200
_FEW_OF_A_CLASS = 10
# Builder options that make no other task, with the values that are meant (None: any value).
_HARMLESS_OPTIONS: dict[str, tuple[Any, ...] | None] = {
    "protocol": None,
    "metadata_only": None,
    "orig_fold_seed": None,
    "layout": ("figshare",),
}


def caveats(
    metrics: dict[str, Any], spec: RunSpec, protocol: Protocol, options: dict[str, Any], resumed: bool
) -> list[str]:
    """Sentences for the result, the report and the terminal, the most important first.

    Args:
        metrics: what `evaluation.summary.summarise` returned.
        spec, protocol: of the run.
        options: that the dataset was prepared with.
        resumed: whether the run was killed and went on.
    """
    found = []
    yes_no = {name: target for name, target in metrics["targets"].items() if target["kind"] == "binary"}
    rarer = {name: min(target["n_positive"], target["n_negative"]) for name, target in yes_no.items()}
    if metrics["n"] < _FEW_RECORDS:
        found.append(f"only {metrics['n']} test records: a check that things work, not a benchmark score")
    if spec.preprocessing != "paper":
        found.append(
            f"fed with the {spec.preprocessing} preprocessing of the model's authors: not comparable with models that "
            "are fed as in the paper"
        )
    if spec.accept_unit is not None:
        found.append(
            f"signals in {spec.accept_unit!r} were fed as if they were mV: for comparison on this dataset only"
        )
    if spec.subset == "published":
        found.append(
            f"trained and selected on {spec.fraction:g} of the published label-efficiency subset: one record per "
            "patient in training and validation, whatever the seed; the targets are all of the task's"
        )
    elif spec.limit or spec.fraction < 1:
        found.append("trained on a subset of the training records")
    changed = [name for name in vars(protocol) if getattr(protocol, name) != getattr(PROTOCOLS[spec.protocol], name)]
    if changed:
        found.append(f"differs from the {spec.protocol} protocol in: {', '.join(changed)}")
    found += training_caveats(protocol)
    other = changed_options(get_task(spec.task).dataset, options)
    if other:
        found.append(f"the data were prepared with {', '.join(other)}: other records or labels than the published task")
    task = get_task(spec.task)
    if task.trained_as:
        found.append(
            f"the paper trains no model for {task.id} alone: it is scored as a part of --task {task.trained_as}"
        )
    if resumed:
        found.append(
            "the run was ended and resumed: its costs are added up over its starts, without what each of them spent "
            "after its last checkpoint"
        )
    undefined = [name for name, number in rarer.items() if number == 0]
    if undefined:
        fate = "are left out of" if protocol.undefined == "drop" else "count 0.5 in"
        found.append(
            f"{len(undefined)} of {len(yes_no)} labels have no positive or no negative test record and {fate} "
            f"the macro: {some(undefined, 8)}"
        )
    rare = [name for name, number in rarer.items() if 0 < number < _FEW_OF_A_CLASS]
    if rare:
        found.append(
            f"{len(rare)} labels have fewer than {_FEW_OF_A_CLASS} positive or negative test records; their intervals "
            f"are unreliable: {some(rare, 8)}"
        )
    found.append("the intervals cover which patients were in the test set, not the luck of this one training run")
    return found


def feature_caveats(facts: dict[str, Any]) -> list[str]:
    """What the stored precision makes of the outcome.

    Args:
        facts: of the run's stored features (`training.stored.facts`), or empty.
    """
    rounding = facts.get("rounding") or 0.0
    if rounding <= NOTABLE:
        return []
    return [
        f"storing the features in {facts['precision']} rounds away {rounding:.1%} of their spread between windows; the "
        "saved model, which rounds nothing, may give other outputs (--feature-precision fp32)"
    ]


def training_caveats(protocol: Protocol) -> list[str]:
    """What the hyperparameters alone make of the outcome."""
    found = []
    if protocol.class_weights != "none":
        found.append(
            f"positives were weighted in the loss ({protocol.class_weights}, at most {MAX_WEIGHT:g}): probabilities "
            "of rare labels are too high and not calibrated; the AUROC only asks for their order"
        )
    if protocol.focal_gamma:
        found.append(
            f"trained with the focal loss (gamma {protocol.focal_gamma:g}): probabilities are pulled towards one half "
            "and not calibrated"
        )
    return found


def changed_options(dataset: str, options: dict[str, Any]) -> list[str]:
    """`name=value` of the builder's options that make other records, labels or folds than the published task has."""
    builder = get_builder(dataset)
    changed = []
    for item in fields(builder.BUILDER_CONFIG_CLASS):
        # How many records are generated is the user's choice.
        own = not builder.SPEC.needs_raw_dir and item.name in inspect.get_annotations(builder.BUILDER_CONFIG_CLASS)
        if item.name not in options or options[item.name] == item.default or own:
            continue
        harmless = _HARMLESS_OPTIONS.get(item.name, ())
        if harmless is not None and options[item.name] not in harmless:
            changed.append(f"{item.name}={options[item.name]}")
    return changed

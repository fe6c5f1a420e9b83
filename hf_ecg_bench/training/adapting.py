"""Mode `lora`: adapters into a run's model, and what is saved of it."""

from __future__ import annotations

import copy
from dataclasses import asdict
from pathlib import Path
from typing import Any

from hf_ecg_bench.errors import TrainingError, some
from hf_ecg_bench.models.adapters.adding import add_adapter, merged, trained_parameters, unmergeable
from hf_ecg_bench.models.adapters.folders import Base
from hf_ecg_bench.models.registry import MODELS
from hf_ecg_bench.models.resolve import parse_name
from hf_ecg_bench.models.saving import save_adapter, save_model
from hf_ecg_bench.models.seeding import fixed_seed
from hf_ecg_bench.names import NAMESPACE
from hf_ecg_bench.saying import Say
from hf_ecg_bench.training.feeding import Feed
from hf_ecg_bench.training.inputs import Inputs


def adapt(feed: Feed, inputs: Inputs, say: Say) -> None:
    """Put adapters into the feed's model: `module` becomes PEFT's wrapper, and the adapters alone are saved.

    The model saved is a merged one where that is asked for, or where there is no base that anybody could load again
    (a run that repeats the fault of random weights).

    Raises:
        TrainingError: the layers do not take such adapters, or cannot be merged where that is asked for.
    """
    protocol, spec = inputs.protocol, inputs.spec
    with fixed_seed(spec.seed):
        wrapped = add_adapter(
            feed.model, protocol.adapter, protocol.adapter_rank, protocol.adapter_alpha, protocol.adapter_dropout
        )
    merging = spec.merge_adapter or inputs.effect.random_backbone
    if merging and (grouped := unmergeable(wrapped)):
        raise TrainingError(
            f"adapters beside convolutions in groups cannot be merged: {some(grouped)}",
            fix="leave out --merge-adapter",
        )
    counts = trained_parameters(wrapped)
    base = base_of(spec.model, inputs.digests["model"], feed.source["revision"])
    feed.module = wrapped
    feed.source = {
        **feed.source,
        "adapter": {"kind": protocol.adapter, **counts, "merged": merging, "base": asdict(base)},
    }
    say(
        f"{protocol.adapter}: {counts['trained']:,} of {counts['total']:,} numbers are trained "
        f"({counts['share']:.2%}), {counts['head']:,} of them in the head"
    )

    def save(folder: Path) -> Any:
        if merging:  # of a copy: whoever asks the trained model later gets the same bits
            return save_model(merged(copy.deepcopy(wrapped)), folder, tail=protocol.tail)
        return save_adapter(wrapped, folder, base, tail=protocol.tail)

    feed.save = save


def base_of(model: str, digest: str | None, revision: str | None = None) -> Base:
    """What adapters name as their base: the known models and Hub ids as on the Hub, other folders by their path."""
    if model not in MODELS and Path(model).is_dir():
        known = parse_name(model) if model.startswith(f"{NAMESPACE}/") else None
        if known is None or known.spec is None:
            return Base(str(Path(model).absolute()), str(digest))
    return Base(parse_name(model).repository or model, str(digest), revision)

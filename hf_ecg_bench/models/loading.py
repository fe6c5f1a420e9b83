"""Models by name, folder or Hub id: fresh or with their weights, with the head and targets asked for."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any

from transformers import AutoConfig, AutoModel, AutoModelForSequenceClassification, PreTrainedModel

import hf_ecg_bench.models  # noqa: F401  registers the Auto classes
from hf_ecg_bench.combining.names import COMBINATION_FILE
from hf_ecg_bench.errors import CheckpointError, ContractError, UnknownNameError, first_line, unknown_name
from hf_ecg_bench.models.adapters.folders import is_adapter_folder
from hf_ecg_bench.models.configuration import EcgConfig
from hf_ecg_bench.models.preprocessing import changed_preprocessing, preprocessing_overrides
from hf_ecg_bench.models.registry import MODELS, model_class
from hf_ecg_bench.models.resolve import find_local, parse_name, resolve_model
from hf_ecg_bench.models.seeding import fixed_seed
from hf_ecg_bench.models.spec import ModelSpec

_HEAD_FIELDS = frozenset(
    {"head", "id2label", "label2id", "target_kinds", "target_mean", "target_std", "freeze_backbone"}
)
_FIX = "hf-ecg-bench list models; a folder has to be one that convert, run or save_pretrained wrote"


def load_model(
    name_or_dir: str | os.PathLike[str],
    *,
    target_names: Sequence[str] | None = None,
    target_kinds: Sequence[str] | None = None,
    head: str | None = None,
    freeze_backbone: bool | None = None,
    seed: int | None = None,
    pretrained: bool | None = None,
    preprocessing: str | None = None,
    merge_adapter: bool | None = None,
    adapter_base: str | os.PathLike[str] | None = None,
    revision: str | None = None,
    **config_overrides: Any,
) -> PreTrainedModel:
    """Load a model, or build a fresh one.

    Args:
        name_or_dir: a model id (`s4`, `ecg_founder`), a folder that `convert`, `run` or save_pretrained
            wrote, or a Hub id. Public weights are fetched and converted on first use (see `resolve_model`), and so is
            what adapters belong to.
        target_names: what the head predicts, in order. Needed for a classifier that is not one yet.
        target_kinds: `binary` or `regression` per target; None: all binary.
        head: `linear` or `attention`; None keeps what the folder has (a backbone stays a backbone).
        freeze_backbone: train only the head. None keeps what the folder says.
        seed: of whatever is drawn at random here; None uses torch's global generator.
        pretrained: whether an id means its public weights; None: where there are any. False builds a fresh
            model.
        preprocessing: `paper` or `original`; sets the rate, the window and what else belongs to it. None keeps what
            the folder says; a fresh model is fed as in the paper.
        merge_adapter: whether adapters become part of the weights, so that the model is a plain one. None: where
            targets, head or freezing are chosen, as for training it further. Where they stay beside the weights, the
            outputs are bit for bit those of training, merged they differ by rounding.
        adapter_base: where the weights are that adapters belong to, if not where they say.
        revision: branch, tag or commit of a repository on the Hub; then no folder and no other copy is looked at.
        **config_overrides: fields of the configuration (`dropout=0.1`).

    Returns:
        The model in eval mode where it was loaded, in train mode where it is fresh, as in transformers.

    Raises:
        UnknownNameError: no such model, head, target kind, preprocessing or configuration field.
        ContractError: a model without an original preprocessing is asked for it, or kinds come without names.
        CheckpointError: weights that are absent, damaged, or do not fit.
    """
    fresh = fresh_spec(name_or_dir, pretrained) if revision is None else None
    overrides = dict(config_overrides)
    if freeze_backbone is not None:
        overrides["freeze_backbone"] = freeze_backbone
    if head is not None:
        overrides["head"] = head
    if target_names is not None:
        names = list(target_names)
        overrides |= {
            "id2label": dict(enumerate(names)),
            "label2id": {name: index for index, name in enumerate(names)},
            "target_kinds": list(target_kinds) if target_kinds is not None else ["binary"] * len(names),
        }
    elif target_kinds is not None:
        raise ContractError("target_kinds was given without target_names", fix="pass both")
    with fixed_seed(seed) if seed is not None else nullcontext():
        if fresh is not None:
            return _fresh(fresh, overrides, preprocessing)
        found = resolve_model(name_or_dir, revision=revision)
        adapters = {"merge": merge_adapter, "base": adapter_base}
        model = _load(os.fspath(found.folder), overrides, preprocessing, adapters)
    if found.revision is not None:
        model.config._commit_hash = found.revision  # as transformers does where it fetches by itself
    return model


def fresh_spec(name_or_dir: str | os.PathLike[str], pretrained: bool | None = None) -> ModelSpec | None:
    """The declaration of the model where `load_model` builds a fresh one, None where it loads weights.

    Raises:
        UnknownNameError: no such model, or a fresh one of a size or architecture that only published weights have
            a name for.
    """
    name = os.fspath(name_or_dir)
    if name not in MODELS and (found := find_local(name)) and found.origin == "folder":
        return None
    parsed = parse_name(name)
    spec = parsed.spec
    if spec is None or (spec.pretrained if pretrained is None else pretrained):
        return None
    if parsed.cached != spec.id:
        raise UnknownNameError(
            f"{name!r} names published weights; a fresh {spec.title} is {spec.id!r}, sized by its configuration",
            fix=f"load_model({spec.id!r}, pretrained=False, ...), with fields of its configuration",
        )
    return spec


def read_config(source: str | os.PathLike[str]) -> EcgConfig:
    """The configuration of a model's weights, found as `load_model` finds them.

    Raises:
        CheckpointError: there is none, or it is not one of our models'.
    """
    return _config_in(os.fspath(resolve_model(source).folder))


def _config_in(folder: str) -> EcgConfig:
    if os.path.exists(os.path.join(folder, COMBINATION_FILE)):
        raise CheckpointError(
            f"{folder} holds a head on the features of several models, which no Auto class loads",
            fix=f"hf_ecg_bench.combining.load_combination({folder!r})",
        )
    try:
        config = AutoConfig.from_pretrained(folder)
    except (OSError, ValueError) as error:
        raise CheckpointError(f"no model can be loaded from {folder}: {first_line(error)}", fix=_FIX) from error
    if not isinstance(config, EcgConfig):
        raise CheckpointError(f"{folder} holds a {config.model_type!r} model, not one of ours: {', '.join(MODELS)}")
    return config


def _fresh(spec: ModelSpec, overrides: dict[str, Any], preprocessing: str | None) -> PreTrainedModel:
    if preprocessing not in (None, "paper"):
        overrides = {**preprocessing_overrides(spec, preprocessing), **overrides}
    config = model_class(spec.id, "Config")(**overrides)
    kind = "ForSequenceClassification" if {"head", "id2label"} & set(overrides) else "Model"
    return model_class(spec.id, kind)(config)


def _load(
    source: str, overrides: dict[str, Any], preprocessing: str | None, adapters: dict[str, Any]
) -> PreTrainedModel:
    config = _config_in(source)
    overrides = {**changed_preprocessing(config, preprocessing), **overrides}
    is_classifier = any(name.endswith("ForSequenceClassification") for name in config.architectures or ())
    if "head" in overrides and "id2label" not in overrides and not is_classifier:
        raise CheckpointError(
            f"{source} is a backbone: a head needs target_names", fix="load_model(..., target_names=[...])"
        )
    old_head, old_targets = config.head, _targets(config)
    for name, value in overrides.items():
        if name not in config.field_names():
            raise unknown_name(f"{type(config).__name__} field", name, config.field_names())
        setattr(config, name, value)
    other_targets = _targets(config) != old_targets
    if other_targets:  # what the folder's own were scaled with says nothing about these
        for name in ("target_mean", "target_std"):
            setattr(config, name, overrides.get(name))
    auto = AutoModelForSequenceClassification if is_classifier or "id2label" in overrides else AutoModel
    other_head = is_classifier and (other_targets or config.head != old_head)
    if is_adapter_folder(source):
        chosen = not _HEAD_FIELDS.isdisjoint(overrides)
        return _load_adapters(source, config, other_head, {**adapters, "merge": _whether(adapters["merge"], chosen)})
    try:
        model = auto.from_pretrained(source, config=config, ignore_mismatched_sizes=other_head)
    except OSError as error:
        raise CheckpointError(f"no weights can be loaded from {source}: {first_line(error)}", fix=_FIX) from error
    if other_head:
        # Weights of the same shape for other targets would be taken over without a word: draw a new head instead.
        model.head = type(model.head)(config.hidden_size, config.n_targets).to(model.dtype).eval()
    return model


def _load_adapters(source: str, config: EcgConfig, other_head: bool, adapters: dict[str, Any]) -> PreTrainedModel:
    """A folder of adapters with some fields of its configuration changed."""
    from hf_ecg_bench.models.adapters.loading import load_adapted

    if not adapters["merge"] and (other_head or config.freeze_backbone):
        raise ContractError(
            f"{source} holds adapters: another head or a frozen backbone needs them merged", fix="merge_adapter=True"
        )
    own = _config_in(source)
    for name in config.field_names() - _HEAD_FIELDS - {"num_labels"}:
        setattr(own, name, getattr(config, name))
    model: Any = load_adapted(source, config=own, **adapters)
    if not other_head:
        for name in _HEAD_FIELDS - {"num_labels"}:
            setattr(model.config, name, getattr(config, name))
        model.apply_freezing()
        return model
    config.base_digest = None
    classifier: Any = type(model)(config).to(model.dtype).eval()
    classifier.encoder = model.encoder
    classifier.encoder.config = classifier.config
    classifier.apply_freezing()
    return classifier


def _whether(wanted: bool | None, default: bool) -> bool:
    return default if wanted is None else wanted


def _targets(config: EcgConfig) -> tuple[list[str], list[str]]:
    """Names and kinds."""
    names = list((config.id2label or {}).values())
    return names, config.target_kinds or ["binary"] * len(names)

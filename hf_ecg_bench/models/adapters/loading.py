"""A folder of adapters and its base into a classifier, with the adapters in place or merged."""

from __future__ import annotations

import copy
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from peft import PeftModel, get_peft_model_state_dict, set_peft_model_state_dict
from safetensors.torch import load_file
from transformers import AutoConfig
from transformers.utils import logging as transformers_logging

from hf_ecg_bench.errors import CheckpointError, some
from hf_ecg_bench.models.adapters.adding import adapter_config, add_adapter, merged
from hf_ecg_bench.models.adapters.folders import (
    ADAPTER_CONFIG,
    ADAPTER_WEIGHTS,
    AdapterFolder,
    find_base,
    is_adapter_folder,
    read_adapter_folder,
)
from hf_ecg_bench.models.registry import model_class, model_id_of
from hf_ecg_bench.models.seeding import fixed_seed
from hf_ecg_bench.models.strict import explain_loading_errors

# What transformers' Auto classes hand on to from_pretrained, and what has been seen to here.
_HANDLED = frozenset(
    {"adapter_kwargs", "trust_remote_code", "revision", "token", "cache_dir", "force_download", "local_files_only"}
    | {"config", "dtype", "torch_dtype", "output_loading_info", "ignore_mismatched_sizes", "_from_auto", "proxies"}
)
# May differ between the folder and what is made of it here: they decide nothing about the outputs.
_FREE = frozenset(
    {"base_model_name_or_path", "revision", "inference_mode", "peft_version", "auto_mapping", "target_modules"}
)


def adapters_meant(source: Any, kwargs: dict[str, Any]) -> Path | None:
    """The folder of adapters that a call of `from_pretrained` means, None where it means whole weights.

    The Auto classes hand on an adapter repository's name in `adapter_kwargs` and its base in place of it.
    """
    named = (kwargs.get("adapter_kwargs") or {}).get("_adapter_model_path")
    if named is not None and not Path(named).is_dir():
        from hf_ecg_bench.models.hub_snapshots import hub_snapshot
        from hf_ecg_bench.models.resolve import HUB_FILES

        return hub_snapshot(os.fspath(named), HUB_FILES, (kwargs.get("adapter_kwargs") or {}).get("revision"))
    folder = named if named is not None else source
    return Path(folder) if isinstance(folder, str | os.PathLike) and is_adapter_folder(folder) else None


def from_adapters(cls: Any, folder: Path, source: Any, kwargs: dict[str, Any]) -> Any:
    """What `cls.from_pretrained` gives for a folder of adapters: the classifier with the adapters in place, or the
    backbone with them merged into it.

    Raises:
        CheckpointError: another class, an option that goes with whole weights only, or as `load_adapted`.
    """
    others = sorted(name for name, value in kwargs.items() if name not in _HANDLED and value is not None)
    if others:
        raise CheckpointError(
            f"{folder} holds adapters, which are loaded without {some(others)}",
            fix=f"hf-ecg-bench merge {folder} --output-dir MERGED, then load that",
        )
    model_id = model_id_of(read_adapter_folder(folder).model_type)
    classifier = issubclass(cls, model_class(model_id, "ForSequenceClassification"))
    if not classifier and not issubclass(cls, model_class(model_id, "Model")):
        raise CheckpointError(f"{folder} holds adapters of {model_id}, not of {cls.__name__}")
    own = source is not None and Path(os.fspath(source)) == folder  # else the configuration is the base's
    dtype = kwargs.get("dtype", kwargs.get("torch_dtype"))
    model = load_adapted(folder, config=kwargs.get("config") if own else None, merge=not classifier, dtype=dtype)
    return model if classifier else model.encoder


def load_adapted(
    folder: str | os.PathLike[str],
    *,
    config: Any = None,
    merge: bool = False,
    base: str | os.PathLike[str] | None = None,
    dtype: Any = None,
) -> Any:
    """The classifier of a folder of adapters, in eval mode.

    Args:
        config: the folder's configuration with some of its fields changed (not those of the head).
        merge: whether the adapters become part of the weights. Else they stay beside them, as PEFT has it: the
            outputs are then bit for bit those of training.
        base: where the weights are that the adapters were trained on, if not where the folder says.
        dtype: of the base's weights; None: the folder's.

    Raises:
        CheckpointError: no or another base, or adapters that are damaged or not of this package's making.
    """
    adapter = read_adapter_folder(folder)
    if not isinstance(config, AutoConfig.for_model(adapter.model_type).__class__):
        config = AutoConfig.from_pretrained(adapter.folder)
    config = copy.deepcopy(config)
    config.freeze_backbone = False
    with fixed_seed():  # everything that is drawn is replaced by what was stored
        model = _classifier(find_base(adapter, base), config, dtype)
        wrapped: Any = add_adapter(
            model, adapter.kind, max(adapter.rank, 1), adapter.alpha or 1.0, adapter.dropout, [adapter.pattern]  # type: ignore[arg-type]
        )  # fmt: skip
    _check_options(adapter, wrapped)
    _fill(adapter, wrapped)
    wrapped.eval()
    if merge:
        return merged(wrapped).eval()
    options = wrapped.peft_config["default"]
    options.base_model_name_or_path, options.revision = adapter.base.name, adapter.base.revision
    inner = wrapped.get_base_model()
    inner.config.base_digest = adapter.base.digest
    inner._hf_peft_config_loaded = True  # save_pretrained then writes adapters again
    return inner


def _classifier(base: Path, config: Any, dtype: Any) -> Any:
    """The base's backbone in a classifier with the adapters' configuration; its head is a placeholder."""
    cls = model_class(model_id_of(config.model_type), "ForSequenceClassification")
    if not is_adapter_folder(base):
        with _no_word_of_a_fresh_head():
            return cls.from_pretrained(base, config=config, ignore_mismatched_sizes=True, dtype=dtype or "auto")
    model = cls(config).eval()
    model.encoder = load_adapted(base, merge=True, dtype=dtype).encoder
    model.encoder.config = config
    return model.to(model.encoder.dtype)


def _check_options(adapter: AdapterFolder, wrapped: PeftModel) -> None:
    """Refuse options of PEFT that would be left out here without a word."""
    options: Any = wrapped.peft_config["default"]
    plain = adapter_config(adapter.kind, max(adapter.rank, 1), adapter.alpha or 1.0, adapter.dropout, ())
    made = {**plain.to_dict(), **{name: value for name, value in options.to_dict().items() if name in _FREE}}
    different = [
        name
        for name, value in adapter.values.items()
        if name not in _FREE and _plain(value) != _plain(made.get(name)) and (name in made or value)
    ]
    if different:
        raise CheckpointError(
            f"{adapter.folder / ADAPTER_CONFIG} asks for {some(different)}, which this package's adapters do not have",
            fix="peft.PeftModel.from_pretrained(model, FOLDER) loads what PEFT alone wrote",
        )


def _plain(value: Any) -> Any:
    """As JSON has it; what is empty is nothing."""
    value = sorted(value) if isinstance(value, set | list | tuple) else value
    return getattr(value, "value", value) or None


def _fill(adapter: AdapterFolder, wrapped: PeftModel) -> None:
    """Put the stored tensors into place, all of them and no others."""
    file = adapter.folder / ADAPTER_WEIGHTS
    if not file.is_file():
        raise CheckpointError(f"{adapter.folder}: no {ADAPTER_WEIGHTS}", fix="save or download it again")
    with explain_loading_errors(adapter.folder):
        stored = load_file(file)
    expected = get_peft_model_state_dict(wrapped, save_embedding_layers=False)
    wrong = sorted(stored.keys() ^ expected.keys())
    wrong += [name for name in stored.keys() & expected.keys() if stored[name].shape != expected[name].shape]
    if wrong:
        raise CheckpointError(
            f"{file}: {len(wrong)} tensors are missing, have no place or another shape: {some(wrong, 4)}",
            fix="save or download it again",
        )
    set_peft_model_state_dict(wrapped, stored)


@contextmanager
def _no_word_of_a_fresh_head() -> Iterator[None]:
    """The head comes with the adapters, so that nobody needs to hear of transformers that it is missing."""
    ours, before = logging.getLogger("hf_ecg_bench.models.strict"), transformers_logging.get_verbosity()
    level = ours.level
    ours.setLevel(logging.ERROR)
    transformers_logging.set_verbosity_error()
    try:
        yield
    finally:
        ours.setLevel(level)
        transformers_logging.set_verbosity(before)

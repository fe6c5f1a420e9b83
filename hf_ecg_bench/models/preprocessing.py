"""The two ways to feed a model, and what each means for its configuration. No torch here.

`paper`: the benchmark's, all models alike: mV as recorded, windows resampled to the model's rate. `original`: what the
model's authors did before pretraining (`ModelSpec.original`).
"""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

from hf_ecg_bench.errors import ContractError, unknown_name
from hf_ecg_bench.models.registry import MODELS, get_model_spec, model_class, model_id_of
from hf_ecg_bench.models.spec import ModelSpec
from hf_ecg_bench.signals.original import OriginalInput

if TYPE_CHECKING:
    from hf_ecg_bench.models.configuration import EcgConfig

PREPROCESSINGS = ("paper", "original")


def preprocessing_overrides(spec: ModelSpec, choice: str) -> dict[str, Any]:
    """Fields of a model's configuration that follow from the choice of `paper` or `original`.

    Raises:
        UnknownNameError: another choice.
        ContractError: `original` of a model without one.
    """
    if choice not in PREPROCESSINGS:
        raise unknown_name("preprocessing", choice, PREPROCESSINGS)
    if choice == "original":
        original = _declared(spec)
        return {
            "preprocessing": "original",
            "sampling_rate": original.rate,
            "window_seconds": original.seconds,
            **original.options,
        }
    defaults = {item.name: item.default for item in fields(model_class(spec.id, "Config"))}
    return {
        "preprocessing": "paper",
        "sampling_rate": spec.sampling_rate,
        "window_seconds": spec.window_seconds,
        **{name: defaults[name] for name in (spec.original.options if spec.original else ())},
    }


def changed_preprocessing(config: EcgConfig, choice: str | None) -> dict[str, Any]:
    """What `choice` changes in a configuration; nothing where it is None or the configuration's own."""
    if choice is None or choice == config.preprocessing:
        return {}
    changes = preprocessing_overrides(get_model_spec(model_id_of(config.model_type)), choice)
    if choice == "paper" and config.fixed_length is not None:  # another architecture of the model than the usual one
        changes["window_seconds"] = config.fixed_length / changes["sampling_rate"]
    return changes


def original_of(config: EcgConfig) -> OriginalInput:
    """The original preprocessing of the model behind a configuration, with the configuration's window length.

    Raises:
        ContractError: it has none, or the configuration has another rate.
    """
    original = _declared(get_model_spec(model_id_of(config.model_type)))
    if config.sampling_rate != original.rate:
        raise ContractError(
            f"{config.model_type}: sampling_rate is {config.sampling_rate} Hz; "
            f"its original preprocessing ends at {original.rate} Hz",
            fix="load_model(..., preprocessing='original') sets rate and window",
        )
    return replace(original, seconds=config.window_seconds)


def _declared(spec: ModelSpec) -> OriginalInput:
    if spec.original is None:
        with_one = ", ".join(name for name in MODELS if get_model_spec(name).original is not None)
        raise ContractError(
            f"{spec.id} has no original preprocessing: it is trained from scratch, on the benchmark's own input",
            fix=f"leave out preprocessing='original', or choose one of {with_one}",
        )
    return spec.original

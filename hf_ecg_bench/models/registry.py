"""The models there are, and what is declared about each. No torch here."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from hf_ecg_bench.errors import unknown_name
from hf_ecg_bench.models.spec import ModelSpec

#: id -> package. A package `x` holds spec.py (`SPEC`), configuration_x.py (`XConfig`) and modeling_x.py
#: (`XModel`, `XForSequenceClassification`), where X is the id in camel case. Adding a model is adding its
#: folder and one line.
MODELS: dict[str, str] = {
    "ecg_cpc": "hf_ecg_bench.models.ecg_cpc",
    "ecg_fm": "hf_ecg_bench.models.ecg_fm",
    "ecg_founder": "hf_ecg_bench.models.ecg_founder",
    "ecg_jepa": "hf_ecg_bench.models.ecg_jepa",
    "ecgfm_ked": "hf_ecg_bench.models.ecgfm_ked",
    "hubert_ecg": "hf_ecg_bench.models.hubert_ecg",
    "merl": "hf_ecg_bench.models.merl",
    "net1d": "hf_ecg_bench.models.net1d",
    "s4": "hf_ecg_bench.models.s4",
    "st_mem": "hf_ecg_bench.models.st_mem",
}

_TYPE_PREFIX = "ecg_bench_"


def list_models() -> list[str]:
    """Ids of all models."""
    return list(MODELS)


def get_model_spec(model_id: str) -> ModelSpec:
    """The declaration of a model; a wrong id raises UnknownNameError with close matches."""
    return import_module(f"{_package(model_id)}.spec").SPEC


def model_class(model_id: str, kind: str) -> Any:
    """A model's class by kind: `Config`, `Model` or `ForSequenceClassification` (imports torch)."""
    module = "configuration" if kind == "Config" else "modeling"
    return getattr(import_module(f"{_package(model_id)}.{module}_{model_id}"), camel(model_id) + kind)


def model_id_of(model_type: str) -> str:
    """The model id behind a `model_type`, which is prefixed where a public repository claims the bare id."""
    return model_type.removeprefix(_TYPE_PREFIX)


def camel(model_id: str) -> str:
    """`ecg_founder` -> `EcgFounder`."""
    return "".join(part[:1].upper() + part[1:] for part in model_id.split("_"))


def _package(model_id: str) -> str:
    if model_id not in MODELS:
        raise unknown_name("model", model_id, MODELS, fix="hf-ecg-bench list models")
    return MODELS[model_id]

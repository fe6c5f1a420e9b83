"""The shared numeric oracles, and models loaded from them through the public converter."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from types import ModuleType

import torch

from hf_ecg_bench.models.convert import build_from_checkpoint
from hf_ecg_bench.models.heads import LinearHead
from hf_ecg_bench.models.registry import get_model_spec, model_class

#: Oracle -> the model it proves.
ORACLES = {
    "net1d": "net1d",
    "ecgfounder": "ecg_founder",
    "ecgfm_ked": "ecgfm_ked",
    "merl_resnet18": "merl",
    "merl_vit_tiny": "merl",
    "s4": "s4",
    "ecg_cpc": "ecg_cpc",
    "ecg_fm": "ecg_fm",
    "ecg_jepa": "ecg_jepa",
    "st_mem": "st_mem",
    "hubert_ecg": "hubert_ecg",
}


def load_oracle(shared: Path) -> ModuleType:
    """The oracles' own reader."""
    spec = importlib.util.spec_from_file_location("ecg_oracle", shared / "oracles" / "oracle.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def compared(oracle: ModuleType, name: str, precision: str) -> Iterator[tuple[str, str, float, float, float]]:
    """(case, quantity, largest difference, the oracle's tolerance, the output's scale); out of tolerance raises."""
    model, dtype = oracle_classifier(oracle, name, "attention"), getattr(torch, precision)
    linear = LinearHead(model.config.hidden_size, 5)
    linear.load_state_dict(oracle.head(name, "linear"))
    model, linear = model.to(dtype), linear.to(dtype)
    for case, x in oracle.inputs(name).items():
        if not (want := oracle.outputs(name, precision).get(case)):
            continue  # not every case is kept in float64
        with torch.no_grad():
            output = model(x.to(dtype))
            found = {
                "seq": output.last_hidden_state,
                "pooled": output.pooler_output,
                "logits_attention": output.logits,
                "logits_linear": linear(output.pooler_output),
            }
        kept = {what: value for what, value in found.items() if what in want}
        for what, (error, tolerance, _) in oracle.compare(name, case, kept, precision).items():
            yield case, what, error, tolerance, float(want[what].abs().max())


def oracle_classifier(oracle: ModuleType, name: str, head: str, freeze: bool = False):
    """The model that the oracle's checkpoint makes, with the oracle's head."""
    converted = _backbone(oracle, name)
    config = type(converted.config).from_dict(converted.config.to_dict())
    config.num_labels, config.head, config.freeze_backbone = 5, head, freeze
    model = model_class(ORACLES[name], "ForSequenceClassification")(config)
    model.encoder.load_state_dict(converted.state_dict())
    model.head.load_state_dict(oracle.head(name, head))
    return model.eval()


@lru_cache(maxsize=1)  # the tests ask for one model after the other
def _backbone(oracle: ModuleType, name: str):
    """What the public converter makes of the oracle's checkpoint; nobody changes it."""
    converted, _ = build_from_checkpoint(get_model_spec(ORACLES[name]), oracle.checkpoint(name), "oracle", "")
    return converted.base_model

"""The shared numeric oracles, and models loaded from them through the public converter."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

from hf_ecg_bench.models.convert import build_from_checkpoint
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


def oracle_classifier(oracle: ModuleType, name: str, head: str, freeze: bool = False):
    """The model that the oracle's checkpoint makes, with the oracle's head."""
    spec = get_model_spec(ORACLES[name])
    converted, _ = build_from_checkpoint(spec, oracle.checkpoint(name), "oracle", "")
    config = type(converted.config).from_dict(converted.config.to_dict())
    config.num_labels, config.head, config.freeze_backbone = 5, head, freeze
    model = model_class(spec.id, "ForSequenceClassification")(config)
    model.encoder.load_state_dict(converted.base_model.state_dict())
    model.head.load_state_dict(oracle.head(name, head))
    return model.eval()

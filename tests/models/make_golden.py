"""Write a model's tests/golden/<id>.json, of its variants too. Run only after it agreed with the authors' code:

python -m tests.models.make_golden ID ...
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import torch

from hf_ecg_bench.models.adapters import add_lora
from hf_ecg_bench.models.heads import HEADS
from hf_ecg_bench.models.registry import get_model_spec, model_class
from tests.models.common import CASES, Case
from tests.models.fills import classifier, filled, filled_head, golden_inputs

FOLDER = Path(__file__).resolve().parents[1] / "golden"


def golden_file(case: Case) -> Path:
    """Where the values of a model or variant are."""
    return FOLDER / f"{case}.json".replace("-", "_")


def golden(case: Case) -> dict[str, dict[str, Any]]:
    """Per input: logits of both heads, some features, the shape of the tokens."""
    fields = case.architecture
    config = model_class(case.model_id, "Config")(**fields)
    # Two layers of a deep network pin its arithmetic as well as twelve do.
    options = fields | ({"n_layers": 2} if getattr(config, "n_layers", 0) > 4 else {})
    if max(depths := getattr(config, "depths", [0])) > 4:
        options |= {"depths": [min(depth, 2) for depth in depths]}
    model = filled(classifier(case.model_id, small=False, **options))
    heads = {kind: filled_head(kind, config.hidden_size) for kind in HEADS}
    values: dict[str, dict[str, Any]] = {}
    for name, x in golden_inputs(model.config).items():
        with torch.no_grad():
            features = model.encoder(x)
            logits = {kind: head(getattr(features, head.reads)) for kind, head in heads.items()}
        values[name] = {
            **{kind: value.flatten().tolist() for kind, value in logits.items()},
            "pooled": features.pooler_output[-1, :4].tolist(),
            "last_token": features.last_hidden_state[0, -1, -4:].tolist(),
            "shape": list(features.last_hidden_state.shape),
        }
    return values


def lora_share(case: Case) -> dict[str, int]:
    """Of the published size, without memory for weights: adapted layers and trained parameters at rank 8."""
    with torch.device("meta"):
        model = classifier(case.model_id, small=False, **case.architecture)
    total = sum(parameter.numel() for parameter in model.parameters())
    wrapped = add_lora(model, rank=8)
    trained = {name: p.numel() for name, p in wrapped.named_parameters() if p.requires_grad}
    return {
        "layers": sum("lora_A" in name for name in trained),
        "adapters": sum(number for name, number in trained.items() if "lora_" in name),
        "head": sum(number for name, number in trained.items() if ".head." in name),
        "model": total,
    }


if __name__ == "__main__":
    chosen = {get_model_spec(name).id for name in sys.argv[1:]}
    if not chosen:
        sys.exit(__doc__)
    for case in CASES:
        if case.model_id in chosen:
            values = {**golden(case), "lora": lora_share(case)}
            golden_file(case).write_text(json.dumps(values, indent=1) + "\n", encoding="utf-8")
            print(golden_file(case))

"""Write a model's tests/golden/<id>.json, of its variants too. Run only after it agreed with the authors' code:

python -m tests.models.make_golden ID ...
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import torch

from hf_ecg_bench.models.adapters.adding import add_lora
from hf_ecg_bench.models.heads import HEADS
from hf_ecg_bench.models.param_groups import param_groups
from hf_ecg_bench.models.registry import get_model_spec, model_class
from tests.models.common import CASES, Case, dropout_fields, labels_for, shared_model
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


def golden_losses(case: Case) -> dict[str, list[float]]:
    """Of the tiny model without dropout, in train mode: the loss before each of three steps and after the last."""
    quiet = dict.fromkeys(dropout_fields(shared_model(case).config), 0.0)
    values: dict[str, list[float]] = {}
    for head in HEADS:
        for frozen in (False, True):
            kinds = ["binary", "regression", "binary"]
            model = case.build(head, target_kinds=kinds, freeze_backbone=frozen, **quiet).double().train()
            x, labels = case.windows(model, batch=3), labels_for(model, batch=3)
            optimizer = torch.optim.AdamW(param_groups(model, 1e-2, 1e-2))
            losses = values[f"{head}, {'frozen' if frozen else 'trained'} backbone"] = []
            for _ in range(3):
                optimizer.zero_grad()
                loss = model(x, labels=labels).loss
                loss.backward()
                optimizer.step()
                losses.append(loss.item())
            losses.append(model(x, labels=labels).loss.item())
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
            values = {**golden(case), "lora": lora_share(case), "losses": golden_losses(case)}
            golden_file(case).write_text(json.dumps(values, indent=1) + "\n", encoding="utf-8")
            print(golden_file(case))

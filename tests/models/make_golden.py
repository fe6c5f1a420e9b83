"""Write tests/golden/<id>.json. Run only after the oracle tests pass: python -m tests.models.make_golden."""

from __future__ import annotations

import json
from pathlib import Path

import torch

from hf_ecg_bench.models.heads import HEADS
from hf_ecg_bench.models.registry import list_models, model_class
from tests.models.fills import classifier, filled, filled_head, golden_inputs

FOLDER = Path(__file__).resolve().parents[1] / "golden"

#: Other architectures under a model's name: (model id, fields of the configuration).
VARIANTS = {"merl_vit": ("merl", {"backbone": "vit"})}


def golden(name: str) -> dict[str, dict[str, list[float]]]:
    """Per input: logits of both heads, some features, the shape of the tokens; of a model or a variant."""
    model_id, fields = VARIANTS.get(name, (name, {}))
    config = model_class(model_id, "Config")(**fields)
    # Two layers of a deep network pin its arithmetic as well as twelve do.
    options = fields | ({"n_layers": 2} if getattr(config, "n_layers", 0) > 4 else {})
    if max(depths := getattr(config, "depths", [0])) > 4:
        options |= {"depths": [min(depth, 2) for depth in depths]}
    model = filled(classifier(model_id, small=False, **options))
    heads = {kind: filled_head(kind, config.hidden_size) for kind in HEADS}
    values: dict[str, dict[str, list[float]]] = {}
    for case, x in golden_inputs(model.config).items():
        with torch.no_grad():
            features = model.encoder(x)
            logits = {kind: head(getattr(features, head.reads)) for kind, head in heads.items()}
        values[case] = {
            **{kind: value.flatten().tolist() for kind, value in logits.items()},
            "pooled": features.pooler_output[-1, :4].tolist(),
            "last_token": features.last_hidden_state[0, -1, -4:].tolist(),
            "shape": list(features.last_hidden_state.shape),
        }
    return values


if __name__ == "__main__":
    for name in (*list_models(), *VARIANTS):
        path = FOLDER / f"{name}.json"
        path.write_text(json.dumps(golden(name), indent=1) + "\n", encoding="utf-8")
        print(path)

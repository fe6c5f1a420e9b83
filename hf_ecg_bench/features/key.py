"""What decides stored features, and the digest of it that names the store."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

import numpy as np
import torch
from transformers import PreTrainedConfig, PreTrainedModel

from hf_ecg_bench import __version__
from hf_ecg_bench.data.signal_view import SignalView
from hf_ecg_bench.data.windows import Plan
from hf_ecg_bench.files import dumps_json
from hf_ecg_bench.models.registry import model_id_of

Kind = Literal["pooled", "tokens"]
Stored = Literal["fp16", "bf16", "fp32"]

# Raised when stores of earlier versions cannot be read any more.
_LAYOUT = 1
_DIGITS = 32
# Fields of a configuration that say something about the head, its targets or where the file came from.
_NOT_THE_BACKBONE = {
    *("head", "freeze_backbone", "target_kinds", "target_mean", "target_std"),
    *("source_file", "source_digest"),
}
# The plan in words, and what depends on the path of the data and on which records a task uses.
_NOT_THE_PLAN = {"steps", "where", "fixed_length"}


@dataclass(frozen=True)
class StoreKey:
    """All that decides the bits of a store's features. Equal keys share a store.

    Attributes:
        model: id of the backbone's architecture.
        weights: SHA-256 over the backbone's tensors.
        config: the fields of its configuration that are about the backbone.
        data: digest of the prepared dataset.
        split: name of the split.
        records: SHA-256 over the ids of the stored records, in order (the data's digest does not know the order).
        plan: how a window of a record becomes the model's input.
        tail, crops, last_window: which windows (see `windows`).
        kind: `pooled` features or all `tokens`.
        stored: precision on disk.
        computed: precision of the matrix products: `fp32`, or autocast to `fp16` or `bf16`.
        batch_size: windows per forward pass: other batches differ in the last bits.
        device: `cpu` or `cuda`.
        torch, package: versions.
        layout: of the files.
    """

    model: str
    weights: str
    config: dict[str, Any]
    data: str
    split: str
    records: str
    plan: dict[str, Any]
    tail: str
    crops: int
    last_window: bool
    kind: Kind
    stored: Stored
    computed: str
    batch_size: int
    device: str
    torch: str = torch.__version__
    package: str = __version__
    layout: int = _LAYOUT

    @property
    def digest(self) -> str:
        """32 hexadecimal digits."""
        text = json.dumps(self.to_dict(), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]

    def to_dict(self) -> dict[str, Any]:
        """JSON values."""
        values: dict[str, Any] = json.loads(dumps_json(asdict(self)))
        return values


def backbone_facts(model: PreTrainedModel) -> tuple[str, dict[str, Any]]:
    """Id of the architecture and the fields of the configuration that are about the backbone."""
    config = model.config
    own = {field.name for field in fields(config)} - {field.name for field in fields(PreTrainedConfig)}
    values = {name: getattr(config, name) for name in sorted(own - _NOT_THE_BACKBONE)}
    return model_id_of(config.model_type), {**values, "attention": str(config._attn_implementation)}


def weights_of(model: PreTrainedModel) -> str:
    """Hexadecimal SHA-256 over names, types, shapes and bytes of the backbone's tensors.

    As loaded, not as filed: random weights, or weights changed after loading, are other weights.
    """
    digest = hashlib.sha256()
    for name, tensor in sorted(model.base_model.state_dict().items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        flat = tensor.detach().cpu().contiguous().reshape(-1)
        digest.update(flat.view(torch.uint8).numpy().data if flat.numel() else b"")
    return digest.hexdigest()


def plan_facts(plan: Plan) -> dict[str, Any]:
    """What of a plan decides the numbers."""

    def reduced(values: dict[str, Any]) -> dict[str, Any]:
        kept = {name: value for name, value in values.items() if name not in _NOT_THE_PLAN}
        return {name: reduced(value) if isinstance(value, dict) else value for name, value in kept.items()}

    facts = reduced(plan.to_dict())
    facts["source"].pop("seconds")  # of the shortest record in use
    return facts


def records_digest(view: SignalView, rows: np.ndarray) -> str:
    """Hexadecimal SHA-256 over the ids of these rows of a prepared split, in order."""
    ids = view.dataset.select_columns(["record_id"]).with_format("arrow")[:].column("record_id").take(rows)
    return hashlib.sha256("\n".join(ids.to_pylist()).encode()).hexdigest()

"""What is trained on the features of several models."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from hf_ecg_bench.combining.rows import joined
from hf_ecg_bench.models.heads import AttentionPoolingHead, LinearHead
from hf_ecg_bench.models.outputs import EcgClassifierOutput
from hf_ecg_bench.models.seeding import fixed_seed


class CombinedHead(nn.Module):
    """A linear head on the pooled features of all models, or an attention-pooling head per model, added up.

    The sum of attention-pooling heads, which have no biases, is one linear layer on the pooled values of all models
    side by side. Each model's tokens are pooled over all its windows in the span.

    Args:
        kind: `linear` or `attention`.
        sizes: width of each model's features.
        config: of one of the models, by which the optimizer's groups are named.
        seed: of the weights; heads of equal sizes start differently.
    """

    def __init__(self, kind: str, sizes: Sequence[int], n_targets: int, config: Any, seed: int = 0) -> None:
        super().__init__()
        self.kind, self.config = kind, config
        with fixed_seed(seed):
            self.head: Any = (
                LinearHead(sum(sizes), n_targets)
                if kind == "linear"
                else nn.ModuleList(AttentionPoolingHead(size, n_targets) for size in sizes)
            )

    def forward(self, features: dict[str, Tensor]) -> EcgClassifierOutput:
        """Logits of spans.

        Args:
            features: by the model's number, (batch, windows, dim) of pooled features or (batch, windows, tokens, dim).
        """
        if self.kind == "linear":
            return EcgClassifierOutput(logits=self.head(joined(features)))
        parts = zip(self.head, features.values(), strict=True)
        return EcgClassifierOutput(
            logits=torch.stack([head(part.float().flatten(1, 2)) for head, part in parts]).sum(0)
        )


class CombinedModel(nn.Module):
    """The models' backbones and the head, as a whole: for counting, and for putting the head in its place.

    Attributes:
        backbones: of all models.
        head: of a `CombinedHead`.
        config: as there.
    """

    def __init__(self, backbones: Sequence[nn.Module], combined: CombinedHead) -> None:
        super().__init__()
        self.backbones = nn.ModuleList(backbones)
        self.head, self.config = combined.head, combined.config

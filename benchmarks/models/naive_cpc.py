"""ECG-CPC: plain convolutions before the textbook S4, and the pretraining objective as a loop over positions."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.nn import functional

from benchmarks.models.naive_s4 import Stack
from benchmarks.models.weights import copy_weights
from hf_ecg_bench.models.registry import get_model_spec


class NaiveCpc(nn.Module):
    """(batch, 12, time) -> tokens and pooled features."""

    def __init__(self, ours: nn.Module) -> None:
        super().__init__()
        size = ours.config.hidden_size
        layers = []
        for inputs, kernel, stride in ((12, 3, 2), *(3 * [(size, 1, 1)])):
            conv = nn.Conv1d(inputs, size, kernel, stride, kernel // 2, bias=False)
            layers.append(nn.Sequential(conv, nn.BatchNorm1d(size), nn.ReLU()))
        self.encoder = nn.ModuleDict({"layers": nn.Sequential(*layers)})
        self.predictor = nn.ModuleDict({"predictor": Stack(ours.config, directions=1)})
        copy_weights(self, ours, get_model_spec("ecg_cpc"))

    def codes(self, x: Tensor) -> Tensor:
        """(batch, width, positions) after the convolutions."""
        return self.encoder["layers"](torch.nan_to_num(x))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        x = self.predictor["predictor"](self.codes(x))
        return x.transpose(1, 2), x.mean(-1)


def loop_loss(
    codes: Tensor, predicted: Tensor, positions: Iterable[int], negatives: Tensor | None = None, steps: int = 14
) -> Tensor:
    """Sum over positions of the cross-entropy of the code `steps` ahead against 128 others of the same sequence.

    Args:
        codes, predicted: (batch, positions, width).
        positions: the i to sum over; all are 0 .. positions - steps - 1.
        negatives: (positions, batch, 128) indices; None draws them.
    """
    batch, length, width = codes.shape
    total = codes.new_zeros(())
    for i in positions:
        if negatives is None:
            drawn = torch.randint(0, length - 1, (batch, 128), device=codes.device)
            drawn = drawn + (drawn >= i + steps)
        else:
            drawn = negatives[i]
        others = torch.gather(codes, 1, drawn[..., None].expand(-1, -1, width))
        candidates = torch.cat([codes[:, i + steps, None], others], dim=1)
        logits = torch.einsum("bd,bkd->bk", predicted[:, i], candidates)
        total = total + functional.cross_entropy(logits, torch.zeros(batch, dtype=torch.long, device=codes.device))
    return total

"""A pretraining step of ECG-CPC (batch of 8, 10 s) against the reference's way, a loop over positions."""

from __future__ import annotations

import copy
import statistics
from typing import Any

import torch
from torch import Tensor, nn

from benchmarks.models.cases import PRETRAINING, QUOTED_PRETRAINING_STEP
from benchmarks.models.clock import Memory, take_turns
from benchmarks.models.naive_cpc import NaiveCpc, loop_loss
from hf_ecg_bench.models.ecg_cpc.configuration_ecg_cpc import EcgCpcConfig
from hf_ecg_bench.models.ecg_cpc.contrastive import draw_negatives
from hf_ecg_bench.models.ecg_cpc.pretraining import EcgCpcForPreTraining

BATCH, SAMPLES = 8, 2400
TIMED = 10  # the loop is timed on every tenth position and extrapolated


class PlainPretraining(nn.Module):
    """The plain network, a copy of the head, the loop."""

    def __init__(self, ours: nn.Module) -> None:
        super().__init__()
        self.backbone, self.head = NaiveCpc(ours.encoder), copy.deepcopy(ours.head)
        self.step = ours.config.predicted_step

    def forward(self, x: Tensor, every: int = 1, negatives: Tensor | None = None) -> Tensor:
        """The loss on every so-manieth position; 0: something cheap that depends on all the loss depends on."""
        codes = self.backbone.codes(x)
        states = self.backbone.predictor["predictor"](codes).transpose(1, 2)
        codes, predicted = codes.transpose(1, 2), self.head(states)
        if not every:
            return codes.mean() + predicted.mean()
        positions = range(0, codes.shape[1] - self.step, every)
        return loop_loss(codes, predicted, positions, negatives, self.step)


def loss_difference(ours: nn.Module, plain: PlainPretraining, samples: int) -> float:
    """Relative difference of the losses of a short window with the same negatives, in eval mode."""
    ours.eval()
    plain.eval()
    parameter = next(ours.parameters())
    x = torch.randn(2, 12, samples, device=parameter.device)
    tokens = -(-samples // 2)
    negatives = draw_negatives(2, tokens, ours.config.n_negatives, plain.step).to(parameter.device)
    with torch.no_grad():
        found, expected = ours(x, negatives=negatives).loss, plain(x, negatives=negatives)
    return float((found - expected).abs() / expected.abs())


def measure_pretraining(repeats: int, device: str) -> dict[str, Any]:
    """Seconds of a whole step without the optimizer: forward, loss, backward."""
    x = 0.3 * torch.randn(BATCH, 12, SAMPLES, device=device)
    memory = Memory(device)
    ours = EcgCpcForPreTraining(EcgCpcConfig()).to(device).train()
    peak = memory.peak(lambda: ours(x).loss.backward())
    plain = PlainPretraining(ours).to(device)
    difference = loss_difference(ours, plain, 240)
    if difference > 1e-4:
        raise AssertionError(f"{PRETRAINING}: the loop's loss is another one, by {difference:.1e}")
    ours.train()
    plain.train()

    def forget() -> None:
        ours.zero_grad(set_to_none=True)
        plain.zero_grad(set_to_none=True)

    contenders = {
        "ours": lambda: ours(x).loss.backward(),
        "part": lambda: plain(x, TIMED).backward(),
        "network": lambda: plain(x, 0).backward(),
    }
    times = take_turns(contenders, repeats, forget)
    middle = {name: statistics.median(values) for name, values in times.items()}
    positions = SAMPLES // 2 - plain.step
    loop = (middle["part"] - middle["network"]) * positions / len(range(0, positions, TIMED))
    return {
        "name": PRETRAINING,
        "model": "ecg_cpc",
        "batch": BATCH,
        "samples": SAMPLES,
        "largest difference": difference,
        "ours s": middle["ours"],
        "yardstick s": middle["network"] + loop,
        "extrapolated from": f"every {TIMED}th of {positions} positions",
        "ratio": (middle["network"] + loop) / middle["ours"],
        "quoted s": QUOTED_PRETRAINING_STEP,
        "peak MB ours": peak / 1e6,
        "memory by": memory.method,
        "turns": len(times["ours"]),
    }

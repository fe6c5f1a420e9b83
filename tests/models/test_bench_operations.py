"""What the benchmark's floor records and counts."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn
from torch.nn import functional
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.models.floor import replay
from benchmarks.models.operations import flops, record


def step(model: nn.Module, *shape: int):
    """Forward and backward of a module."""
    x = torch.randn(*shape, requires_grad=True)
    return lambda: model(x).square().sum().backward()


@pytest.mark.parametrize(
    ("model", "shape"),
    [
        (nn.Linear(5, 7), (3, 4, 5)),
        (nn.Conv1d(6, 4, 3, stride=2, padding=1), (2, 6, 11)),
        (nn.Sequential(nn.Linear(4, 8), nn.GELU(), nn.Linear(8, 2)), (9, 4)),
    ],
)
def test_arithmetic_is_what_torch_counts(model, shape):
    with FlopCounterMode(display=False) as counter:
        step(model, *shape)()
    operations = record(step(model, *shape))
    assert sum(map(flops, operations)) == counter.get_total_flops()
    replay(operations)()


def test_fused_attention_counts_its_products():
    q, k, v = (torch.randn(2, 3, 10, 4, requires_grad=True) for _ in range(3))
    attend = lambda: functional.scaled_dot_product_attention(q, k, v)  # noqa: E731
    product = 2 * 2 * 3 * 10 * 10 * 4
    with torch.no_grad():
        forward = record(attend)
    both = record(lambda: attend().sum().backward())
    assert sum(map(flops, forward)) == 2 * product
    assert sum(map(flops, both)) == 6 * product
    replay(both)()


def test_ffts_and_custom_functions_are_seen():
    x = torch.randn(3, 16)
    operations = record(lambda: torch.fft.irfft(torch.fft.rfft(x, 32), 32))
    assert [operation.name for operation in operations] == ["_fft_r2c", "_fft_c2r"]
    assert sum(map(flops, operations)) == pytest.approx(2 * 2.5 * 3 * 32 * math.log2(32))

    class Product(torch.autograd.Function):
        @staticmethod
        def forward(ctx, a):
            ctx.save_for_backward(a)
            return a @ a

        @staticmethod
        def backward(ctx, grad):
            (a,) = ctx.saved_tensors
            return grad @ a.mT + a.mT @ grad

    a = torch.randn(6, 6, requires_grad=True)
    operations = record(lambda: Product.apply(a).sum().backward())
    assert [operation.name for operation in operations] == ["mm"] * 3
    replay(operations)()

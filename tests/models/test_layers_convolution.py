"""The convolution unit of the residual networks against plain torch layers."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional

from hf_ecg_bench.models.layers.convolution import ConvNorm, halve_by_maximum, halve_by_mean
from tests.models.fills import fill, filled


def plain(unit: ConvNorm, kernel: int, stride: int) -> nn.Sequential:
    """The same weights in Conv1d and BatchNorm1d on (batch, channels, time)."""
    weight = unit.conv.weight.detach()
    conv = nn.Conv1d(weight.shape[1], weight.shape[0], kernel, stride, kernel // 2, bias=False).double()
    conv.weight.data.copy_(weight.reshape(conv.weight.shape))
    norm = nn.BatchNorm1d(weight.shape[0]).double()
    norm.load_state_dict(unit.norm.state_dict())
    return nn.Sequential(conv, norm)


@pytest.mark.parametrize("training", [False, True], ids=["eval", "train"])
@pytest.mark.parametrize(("kernel", "stride"), [(1, 1), (1, 2), (3, 1), (3, 2), (5, 2), (7, 2)])
@pytest.mark.parametrize("length", [1, 2, 9, 10])
def test_unit_equals_plain_layers(kernel, stride, length, training):
    unit = filled(ConvNorm(6, 8, kernel, stride)).train(training)
    expected = plain(unit, kernel, stride).train(training)
    x = fill("x", (3, length, 6)).requires_grad_()
    residual = fill("residual", (3, -(-length // stride), 8))
    want = torch.relu(expected(x.transpose(1, 2)).transpose(1, 2) + residual)
    found = unit(x, residual)
    torch.testing.assert_close(found, want, rtol=1e-12, atol=1e-12)
    weights = fill("weights", tuple(want.shape))
    for ours, theirs in zip(
        torch.autograd.grad((found * weights).sum(), [x, *unit.parameters()]),
        torch.autograd.grad((want * weights).sum(), [x, *expected.parameters()]),
        strict=True,
    ):
        torch.testing.assert_close(ours, theirs.reshape(ours.shape), rtol=1e-9, atol=1e-10)
    for name, value in expected[1].named_buffers():
        torch.testing.assert_close(unit.norm.get_buffer(name), value)


@pytest.mark.parametrize("kernel", [1, 5])
def test_norm_is_folded_in_inference_where_it_pays(kernel):
    unit = filled(ConvNorm(6, 8, kernel, 2))
    calls = []
    unit.norm.register_forward_hook(lambda *_: calls.append(1))
    long, short = fill("x", (2, 161, 6)), fill("x", (1, 3, 6))
    expected = unit(long, relu=False)
    assert len(calls) == 1
    with torch.no_grad():
        torch.testing.assert_close(unit(long, relu=False), expected, rtol=1e-12, atol=1e-12)
        assert len(calls) == 1
        unit(short)
        assert len(calls) == 2
        unit.train()(long)
        assert len(calls) == 3


def test_what_stands_in_for_a_convolution_is_called():
    """An adapter's forward is not its base layer's weight."""

    class Doubled(nn.Module):
        def __init__(self, base: nn.Linear) -> None:
            super().__init__()
            self.base = base

        @property
        def weight(self) -> torch.Tensor:
            return self.base.weight

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return 2 * self.base(x)

    unit = filled(ConvNorm(6, 8))
    x = fill("x", (2, 50, 6))  # long enough to fold
    want = unit.norm((2 * unit.conv(x)).flatten(0, 1)).view(2, 50, 8)
    unit.conv = Doubled(unit.conv)
    with torch.no_grad():
        torch.testing.assert_close(unit(x, relu=False), want)


@pytest.mark.parametrize("length", [1, 2, 7, 8])
def test_halvings(length):
    x = fill("x", (2, length, 3))
    last = x[:, -1:] if length % 2 else x[:, :0]
    pairs = x[:, : length // 2 * 2].unflatten(1, (-1, 2)).mean(dim=2) if length > 1 else x[:, :0]
    torch.testing.assert_close(halve_by_mean(x), torch.cat([pairs, last], dim=1))
    expected = functional.max_pool1d(x.transpose(1, 2), 3, 2, 1).transpose(1, 2)
    torch.testing.assert_close(halve_by_maximum(x), expected)

"""Net1D's convolutions: both ways of computing them against explicit padding."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from hf_ecg_bench.models.net1d.convolution import SameConv, same_padding
from tests.models.fills import fill, filled


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("length", [1, 2, 5, 16, 17, 40, 41])
def test_both_ways_equal_explicit_padding(length, stride):
    conv = filled(SameConv(32, 32, 16, stride=stride, groups=2))
    x = fill("x", (3, length, 32)).requires_grad_()
    outputs, left, right = same_padding(length, 16, stride)
    assert outputs == -(-length // stride)
    assert right - left in (0, 1)
    padded = functional.pad(x.transpose(1, 2), (left, right))
    expected = functional.conv1d(padded, conv.weight, conv.bias, stride=stride, groups=2).transpose(1, 2)
    inputs = [x, conv.weight, conv.bias]
    want = torch.autograd.grad(expected.square().sum(), inputs)
    for way in (conv._as_convolution, conv._as_matrices):
        y = way(x)
        torch.testing.assert_close(y, expected, rtol=1e-12, atol=1e-12)
        for found, gradient in zip(torch.autograd.grad(y.square().sum(), inputs), want, strict=True):
            torch.testing.assert_close(found, gradient, rtol=1e-10, atol=1e-11)

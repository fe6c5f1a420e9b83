"""Convolution, batch norm and ReLU on (batch, time, channels), the unit of MERL's ResNet and of ECGFM-KED.

Memory with channels innermost is what the library's convolutions are fastest on: a kernel of 1 is a plain matrix
product, and batch norm reads rows. So the network stays in that layout from end to end, and no pass copies it.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional


def over_time(operator: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """Apply a 2-d operator whose kernel is (1, k) along the time of (batch, time, channels), without copies."""
    return operator(x.transpose(1, 2).unsqueeze(2)).squeeze(2).transpose(1, 2)


class ConvNorm(nn.Module):
    """Convolution without bias and batch norm: (batch, time, in) -> (batch, ceil(time / stride), out).

    An odd kernel, padded by half its width. Its weight is (out, in, 1, kernel); with kernel 1 it is a Linear's.
    """

    def __init__(self, in_channels: int, out_channels: int, kernel: int = 1, stride: int = 1) -> None:
        super().__init__()
        self.kernel, self.stride, self.pointwise = kernel, stride, kernel == 1
        self.conv: nn.Linear | nn.Conv2d = (
            nn.Linear(in_channels, out_channels, bias=False)
            if self.pointwise
            else nn.Conv2d(
                in_channels, out_channels, (1, kernel), stride=(1, stride), padding=(0, kernel // 2), bias=False
            )
        )
        self.norm = nn.BatchNorm1d(out_channels)

    def forward(self, x: Tensor, residual: Tensor | None = None, relu: bool = True) -> Tensor:
        """relu(norm(conv(x)) + residual), each of the last two where wanted."""
        if self.pointwise:
            x = x[:, :: self.stride]
        if self.norm.training or torch.is_grad_enabled() or type(self.conv) not in (nn.Linear, nn.Conv2d):
            y = self.conv(x) if self.pointwise else over_time(self.conv, x)
            rows = self.norm(y.flatten(0, 1))
        else:
            y = self._folded(x)
            rows = y.flatten(0, 1)
        # In place on what was made here, before it is viewed as a sequence again: nothing else holds it.
        if residual is not None:
            rows += residual.flatten(0, 1)
        if relu:
            functional.relu_(rows)
        return rows.view(y.shape)

    def _folded(self, x: Tensor) -> Tensor:
        """norm(conv(x)) in inference: the norm's factors in the weights, its offsets as bias, a pass over y less.

        Not where another module (an adapter) stands in for the convolution.
        """
        norm, mean, variance = self.norm, self.norm.running_mean, self.norm.running_var
        assert mean is not None
        assert variance is not None
        factor = norm.weight * torch.rsqrt(variance + norm.eps)
        bias = norm.bias - mean * factor
        weight = self.conv.weight * factor.view(-1, *(1,) * (self.conv.weight.dim() - 1))
        if self.pointwise:
            return functional.linear(x, weight, bias)
        stride, padding = (1, self.stride), (0, self.kernel // 2)
        return over_time(lambda image: functional.conv2d(image, weight, bias, stride, padding), x)


def halve_by_mean(x: Tensor) -> Tensor:
    """Mean of neighbouring samples, the last of an odd number alone: (batch, time, c) -> (batch, ceil(time / 2), c)."""
    return over_time(lambda image: functional.avg_pool2d(image, (1, 2), ceil_mode=True), x)


def halve_by_maximum(x: Tensor) -> Tensor:
    """Maximum over three samples at every second one: (batch, time, c) -> (batch, ceil(time / 2), c)."""
    return over_time(lambda image: functional.max_pool2d(image, (1, 3), (1, 2), (0, 1)), x)

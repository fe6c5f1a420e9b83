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
        self.kernel, self.stride = kernel, stride
        self.fan_in = in_channels * kernel
        self.conv: nn.Linear | nn.Conv2d = (
            nn.Linear(in_channels, out_channels, bias=False)
            if kernel == 1
            else nn.Conv2d(
                in_channels, out_channels, (1, kernel), stride=(1, stride), padding=(0, kernel // 2), bias=False
            )
        )
        self.norm = nn.BatchNorm1d(out_channels)

    def forward(self, x: Tensor, residual: Tensor | None = None, relu: bool = True) -> Tensor:
        """relu(norm(conv(x)) + residual), each of the last two where wanted."""
        folds = self._folds(x)
        x = self._arranged(x)
        y = self._folded(x) if folds else self.conv(x)
        if self.kernel > 1:
            y = y.squeeze(2).transpose(1, 2)
        rows = y.flatten(0, 1)
        if not folds:
            rows = self.norm(rows)
        # In place on what was made here, before it is viewed as a sequence again: nothing else holds it.
        if residual is not None:
            rows += residual.flatten(0, 1)
        if relu:
            functional.relu_(rows)
        return rows.view(y.shape)

    def _arranged(self, x: Tensor) -> Tensor:
        """What the convolution takes: rows, or an image of height 1.

        The library turns the weights into the layout of the image. Where they are larger, it is turned instead.
        """
        if self.kernel == 1:
            return x[:, :: self.stride]
        image = x.transpose(1, 2).unsqueeze(2)
        if not torch.compiler.is_compiling() and self.fan_in * self.norm.num_features > 2 * x.numel():
            return image.contiguous()
        return image

    def _folds(self, x: Tensor) -> bool:
        """Whether `_folded` does the same, and pays.

        It does in inference, unless another module (an adapter) stands in for the convolution. It pays where the
        pass over the output that it spares is longer than its own few over the weights.
        """
        if self.norm.training or torch.is_grad_enabled() or type(self.conv) not in (nn.Linear, nn.Conv2d):
            return False
        if torch.compiler.is_compiling():  # a compiled or exported graph must not depend on the batch size
            return True
        batch, time, _ = x.shape
        return batch * time // self.stride > 4 * self.fan_in

    def _folded(self, x: Tensor) -> Tensor:
        """norm(conv(x)) with the norm's factors in the weights and its offsets as bias."""
        norm, mean, variance = self.norm, self.norm.running_mean, self.norm.running_var
        assert mean is not None
        assert variance is not None
        factor = norm.weight * torch.rsqrt(variance + norm.eps)
        bias = norm.bias - mean * factor
        weight = self.conv.weight * factor.view(-1, *(1,) * (self.conv.weight.dim() - 1))
        if self.kernel == 1:
            return functional.linear(x, weight, bias)
        return functional.conv2d(x, weight, bias, (1, self.stride), (0, self.kernel // 2))


def halve_by_mean(x: Tensor) -> Tensor:
    """Mean of neighbouring samples, the last of an odd number alone: (batch, time, c) -> (batch, ceil(time / 2), c)."""
    return over_time(lambda image: functional.avg_pool2d(image, (1, 2), ceil_mode=True), x)


def halve_by_maximum(x: Tensor) -> Tensor:
    """Maximum over three samples at every second one: (batch, time, c) -> (batch, ceil(time / 2), c)."""
    return over_time(lambda image: functional.max_pool2d(image, (1, 3), (1, 2), (0, 1)), x)

"""Grouped convolutions with "same" padding on (batch, time, channels), by the faster of two exact ways."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


def same_padding(length: int, kernel: int, stride: int) -> tuple[int, int, int]:
    """(outputs, zeros left, zeros right): ceil(length / stride) outputs, an extra zero goes right."""
    outputs = -(-length // stride)
    total = max(0, (outputs - 1) * stride + kernel - length)
    return outputs, total // 2, total - total // 2


class SameConv(nn.Conv1d):
    """A Conv1d with "same" padding on (batch, time, channels).

    Memory with channels innermost is what both the library's grouped convolution and the 1x1 convolutions
    (plain matrix products) are fastest on. Where the sequence is about as short as the kernel, most products
    of a convolution are with padding: there, training writes it as one matrix per group over time and channels.
    The backward pass gains from that, and only a batch large enough pays for making the matrices.
    """

    worthwhile_batch = 16  # measured on a CPU: 3 % of a training step at 16 windows, 10 % at 64; a loss below

    def forward(self, x: Tensor) -> Tensor:
        """(batch, time, in_channels) -> (batch, ceil(time / stride), out_channels)."""
        (kernel,), (stride,) = self.kernel_size, self.stride
        short = self.groups > 1 and -(-x.shape[1] // stride) <= kernel
        training = torch.is_grad_enabled() and not torch.compiler.is_compiling()
        if short and training and x.shape[0] >= self.worthwhile_batch:
            return self._as_matrices(x)
        return self._as_convolution(x)

    def _as_convolution(self, x: Tensor) -> Tensor:
        if self.groups > 1 or x.device.type != "cpu":
            return self._convolved(x, self.weight, self.bias)
        # On processors with AMX, oneDNN's bfloat16 convolution of 8 or 12 channels by a kernel of 8, 16, ... gives
        # numbers that have nothing to do with the input (3.12, with torch 2.13): the stem stays in float32.
        wide = torch.promote_types(x.dtype, torch.float32)
        bias = None if self.bias is None else self.bias.to(wide)
        with torch.autocast("cpu", enabled=False):
            return self._convolved(x.to(wide), self.weight.to(wide), bias).to(x.dtype)

    def _convolved(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        (kernel,), (stride,) = self.kernel_size, self.stride
        _, left, right = same_padding(x.shape[1], kernel, stride)
        padding, first = left, 0
        if right > left and stride == 1:
            padding, first = right, 1  # symmetric, then without the output that the extra left zero makes
        elif right > left:
            x = functional.pad(x, (0, 0, 0, 1))
        y = functional.conv2d(
            x.transpose(1, 2).unsqueeze(2),
            weight.unsqueeze(2),
            bias,
            stride=(1, stride),
            padding=(0, padding),
            groups=self.groups,
        )
        return y.squeeze(2).transpose(1, 2)[:, first:]

    def _as_matrices(self, x: Tensor) -> Tensor:
        (kernel,), (stride,), groups = self.kernel_size, self.stride, self.groups
        batch, length, channels = x.shape
        outputs, left, _ = same_padding(length, kernel, stride)
        width_in, width_out = channels // groups, self.out_channels // groups
        # tap[i, j]: which kernel entry leads from input i to output j; the entry after the last is zero.
        tap = torch.arange(length, device=x.device)[:, None] - stride * torch.arange(outputs, device=x.device) + left
        tap = torch.where((tap >= 0) & (tap < kernel), tap, kernel)
        taps = functional.pad(self.weight, (0, 1)).view(groups, width_out, width_in, kernel + 1)
        matrices = taps.permute(3, 0, 2, 1).flatten(1).index_select(0, tap.flatten())
        matrices = matrices.view(length, outputs, groups, width_in, width_out).permute(2, 0, 3, 1, 4)
        matrices = matrices.reshape(groups, length * width_in, outputs * width_out)
        rows = x.reshape(batch, length, groups, width_in).permute(2, 0, 1, 3).reshape(groups, batch, -1)
        y = torch.bmm(rows, matrices).view(groups, batch, outputs, width_out)
        y = y.permute(1, 2, 0, 3).reshape(batch, outputs, self.out_channels)
        return y if self.bias is None else y + self.bias

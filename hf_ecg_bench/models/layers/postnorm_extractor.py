"""The convolutional extractor of the wav2vec 2.0 family, as matrix products on (batch, time, channels)."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import initialization

from hf_ecg_bench.models.layers.postnorm_configuration import PostNormConfig


class ConvExtractor(nn.Module):
    """Strided convolutions without bias or padding, a GELU after each, a norm over time after the first.

    (batch, time, in_channels) -> (batch, tokens, extractor_width).
    """

    def __init__(self, in_channels: int, config: PostNormConfig) -> None:
        super().__init__()
        width = config.extractor_width
        inputs = [in_channels] + [width] * (len(config.extractor_kernels) - 1)
        self.convs = nn.ModuleList(
            nn.Conv1d(channels, width, kernel, stride, bias=False)
            for channels, kernel, stride in zip(inputs, config.extractor_kernels, config.extractor_strides, strict=True)
        )
        self.norm = nn.GroupNorm(width, width)
        self.hf_reset()

    def hf_reset(self) -> None:
        """Convolutions from He's normal distribution, as in fairseq's and transformers' wav2vec 2.0."""
        for conv in cast("list[nn.Conv1d]", self.convs):
            initialization.kaiming_normal_(conv.weight)

    def forward(self, x: Tensor) -> Tensor:
        first, *others = cast("list[nn.Conv1d]", self.convs)
        x = functional.gelu(normed_convolution(x, first.weight, first.stride[0], self.norm))
        for conv in others:
            x = functional.gelu(convolution(x, conv.weight, conv.stride[0]))
        return x


def convolution(x: Tensor, weight: Tensor, stride: int) -> Tensor:
    """Conv1d without padding or bias, as one matrix product.

    Args:
        x: (batch, time, in_channels); channels innermost is what the products and the norms after it read.
        weight: (out_channels, in_channels, kernel), kernel >= stride.

    Returns:
        (batch, steps, out_channels), steps = (time - kernel) // stride + 1.
    """
    kernel = weight.shape[2]
    steps = (x.shape[1] - kernel) // stride + 1
    if kernel == stride:  # windows do not overlap: a view
        windows = x[:, : steps * stride].reshape(x.shape[0], steps, -1)
    else:
        last = (steps - 1) * stride + 1
        windows = torch.cat([x[:, tap : tap + last : stride] for tap in range(kernel)], dim=2)
    return functional.linear(windows, weight.transpose(1, 2).flatten(1))


def normed_convolution(x: Tensor, weight: Tensor, stride: int, norm: nn.GroupNorm) -> Tensor:
    """`norm(convolution(x))` for a norm of each channel over time, without a pass over the wide result.

    A channel's mean over time is w . (mean of the windows), its variance w^T C w with C the windows' covariance,
    a small matrix: so the norm goes into the kernel, one per sample. C is computed in float64, because a kernel
    that cancels most of the signal would leave its rounding.

    Args and result as for `convolution`.
    """
    windows = x.unfold(1, weight.shape[2], stride).transpose(2, 3).flatten(2)
    exact = windows.double()
    centred = exact - exact.mean(dim=1, keepdim=True)
    kernels = weight.transpose(1, 2).flatten(1)
    wide = kernels.double()
    covariance = centred.mT @ centred / centred.shape[1]
    variance = (wide @ covariance * wide).sum(dim=-1)  # (batch, out_channels)
    gain = norm.weight * (variance + norm.eps).rsqrt()
    scaled = (wide * gain.unsqueeze(-1)).to(weight.dtype)
    return torch.baddbmm(norm.bias, centred.to(weight.dtype), scaled.mT)

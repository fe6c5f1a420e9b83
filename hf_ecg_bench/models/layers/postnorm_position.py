"""Convolutional positions of wav2vec 2.0: a wide grouped convolution over tokens with a normalised weight."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import initialization

from hf_ecg_bench.models.layers.postnorm_configuration import PostNormConfig


class PositionalConvolution(nn.Module):
    """weight = gain * direction / |direction|, one gain per kernel position (weight norm over dim 2).

    The norm runs over output and input channels. Half a kernel of zeros on both sides and the last step dropped:
    token t sees tokens t - kernel/2 to t + kernel/2 - 1. (batch, tokens, hidden_size) -> the same shape.
    """

    def __init__(self, config: PostNormConfig) -> None:
        super().__init__()
        width, self.kernel, self.groups = config.hidden_size, config.position_kernel, config.position_groups
        self.gain = nn.Parameter(torch.empty(1, 1, self.kernel))
        self.direction = nn.Parameter(torch.empty(width, width // self.groups, self.kernel))
        self.bias = nn.Parameter(torch.empty(width))
        self.hf_reset()

    def hf_reset(self) -> None:
        """weight from N(0, 4 / (kernel * hidden_size)), as in fairseq's wav2vec 2.0 without dropout; bias 0."""
        initialization.normal_(self.direction, std=2 / math.sqrt(self.kernel * len(self.bias)))
        initialization.copy_(self.gain, self.norm().detach())
        initialization.zeros_(self.bias)

    def norm(self) -> Tensor:
        """|direction| of every kernel position, (1, 1, kernel)."""
        return self.direction.flatten(0, 1).square().sum(dim=0).sqrt().view(1, 1, -1)  # 8 times a vector_norm's speed

    def forward(self, x: Tensor) -> Tensor:
        scale = self.gain / self.norm()
        if x.shape[0] == 1:  # the spectrum of the weight is worth its while from two recordings on
            return self._as_convolution(x, scale)
        with torch.autocast(x.device.type, enabled=False):  # a spectrum needs float32
            dtype = torch.promote_types(x.dtype, torch.float32)
            return self._by_spectrum(x.to(dtype), scale.flatten().to(dtype)).to(x.dtype)

    def _as_convolution(self, x: Tensor, scale: Tensor) -> Tensor:
        weight = self.direction * scale
        y = functional.conv1d(x.mT, weight, self.bias, padding=self.kernel // 2, groups=self.groups)
        return y.mT[:, : x.shape[1]]

    def _by_spectrum(self, x: Tensor, scale: Tensor) -> Tensor:
        """The same by discrete Fourier transforms over tokens, written as matrix products.

        A kernel as long as the sequence makes the direct way tokens * kernel products per pair of channels, most
        of them for a few frequencies' worth of tokens. The transform's length n is such that nothing wraps
        around; a real transform is its cosine and sine part, stacked.
        """
        batch, tokens, width = x.shape
        group = width // self.groups
        n = 2 * ((tokens + self.kernel // 2 + 1) // 2)
        lags = self.kernel // 2 - torch.arange(self.kernel, device=x.device)
        to_spectrum = _transform(torch.arange(tokens, device=x.device), n, x.dtype)  # (2 * frequencies, tokens)
        kernel = (_transform(lags, n, x.dtype) * scale) @ self.direction.to(x.dtype).flatten(0, 1).mT
        cosine, sine = kernel.view(2, -1, group, group).mT.unbind(0)  # (frequencies * groups, in, out) each
        parts = (to_spectrum @ x).view(batch, 2, -1, self.groups, group).permute(2, 3, 1, 0, 4)
        parts = parts.reshape(-1, 2 * batch, group)
        real, imaginary = (parts @ cosine).view(-1, 2, batch, group).unbind(1)
        crossed_real, crossed_imaginary = (parts @ sine).view(-1, 2, batch, group).unbind(1)
        product = torch.stack([real - crossed_imaginary, imaginary + crossed_real])
        product = product.view(2, -1, self.groups, batch, group).permute(3, 0, 1, 2, 4).reshape(batch, -1, width)
        # Back: every frequency but the first and last stands for its conjugate too.
        weight = torch.full((n // 2 + 1,), 2 / n, dtype=x.dtype, device=x.device)
        weight[0] = weight[-1] = 1 / n
        from_spectrum = to_spectrum * weight.repeat(2).unsqueeze(-1)
        return from_spectrum.mT @ product + self.bias.to(x.dtype)


def _transform(positions: Tensor, n: int, dtype: torch.dtype) -> Tensor:
    """cos and -sin of 2 pi frequency position / n, stacked: (2 * (n // 2 + 1), positions)."""
    frequencies = torch.arange(n // 2 + 1, device=positions.device)
    turns = torch.outer(frequencies, positions) % n  # exact, unlike the sine of a large angle
    angles = turns.double() * (2 * math.pi / n)
    return torch.cat([angles.cos(), -angles.sin()]).to(dtype)

"""Long convolution along time by FFT, exact and without wrap-around."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable


def fft_length(minimum: int) -> int:
    """The smallest even length of at least `minimum` with no prime factor above 5, which FFTs are fast for."""
    length = minimum + minimum % 2
    while True:
        rest = length
        for factor in (2, 3, 5):
            while rest % factor == 0:
                rest //= factor
        if rest == 1:
            return length
        length += 2


def two_sided(forward: Tensor, backward: Tensor, n: int) -> Tensor:
    """The circular kernel of length n: `forward` at lags 0, 1, ..., `backward` at lags -1, -2, ...

    Both (channels, length); the result is (channels, n).
    """
    zeros = forward.new_zeros(*forward.shape[:-1], n - 2 * forward.shape[-1])
    return torch.cat([forward, zeros, backward.flip(-1)], dim=-1)


class _LongConvolution(torch.autograd.Function):
    """y = irfft(rfft(u, n) rfft(k, n))[:length], with a backward of two FFTs instead of autograd's complex full-length ones."""

    @staticmethod
    def forward(ctx: Any, u: Tensor, kernel: Tensor) -> Tensor:
        length, n = u.shape[-1], kernel.shape[-1]
        spectrum, response = torch.fft.rfft(u, n), torch.fft.rfft(kernel)
        ctx.save_for_backward(spectrum, response)
        ctx.n = n
        return torch.fft.irfft(spectrum * response, n)[..., :length]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, Tensor | None]:
        spectrum, response = ctx.saved_tensors
        grad_spectrum = torch.fft.rfft(grad, ctx.n)
        grad_u = grad_kernel = None
        if ctx.needs_input_grad[1]:
            grad_kernel = torch.fft.irfft((spectrum.conj() * grad_spectrum).sum(dim=0), ctx.n)
        if ctx.needs_input_grad[0]:
            grad_u = torch.fft.irfft(grad_spectrum * response.conj(), ctx.n)[..., : grad.shape[-1]]
        return grad_u, grad_kernel


def long_convolution(u: Tensor, kernel: Tensor) -> Tensor:
    """Convolve (batch, channels, length) with circular kernels (channels, n), n >= 2 * length: no lag wraps around."""
    return _LongConvolution.apply(u, kernel)

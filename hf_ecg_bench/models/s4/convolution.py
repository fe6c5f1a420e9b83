"""Long convolution along time by FFT, exact and without wrap-around."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable


def fft_length(minimum: int) -> int:
    """The smallest of 2^k, 3 * 2^k, 5 * 2^k that is at least `minimum`: lengths that FFTs are fastest for."""
    power = 1 << max(minimum - 1, 1).bit_length()
    return min(n for n in (power, power // 4 * 3, power // 8 * 5) if n >= minimum)


def two_sided(forward: Tensor, backward: Tensor, n: int) -> Tensor:
    """The circular kernel of length n: `forward` at lags 0, 1, ..., `backward` at lags -1, -2, ...

    Both (channels, length) with 2 * length <= n; the result is (channels, n).
    """
    zeros = forward.new_zeros(*forward.shape[:-1], n - 2 * forward.shape[-1])
    return torch.cat([forward, zeros, backward.flip(-1)], dim=-1)


class _LongConvolution(torch.autograd.Function):
    """irfft(rfft(u, n) rfft(kernel)) cut to the input's length.

    On a CPU one sample at a time: its spectrum stays in the cache, which makes it three times faster than
    whole batches, and the transposition to time-innermost memory costs nothing. The backward pass transforms
    the input again instead of keeping its spectrum, and needs no complex FFT of full length, unlike
    autograd's own.
    """

    @staticmethod
    def forward(ctx: Any, u: Tensor, kernel: Tensor) -> Tensor:
        response = torch.fft.rfft(kernel)
        ctx.save_for_backward(u, response)
        ctx.n = kernel.shape[-1]
        y = torch.empty_like(u)
        for part in _parts(u):
            spectrum = _spectrum(u[part], ctx.n).mul_(response)
            y[part] = _signal(spectrum, ctx.n, u.shape[1])
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, Tensor | None]:
        u, response = ctx.saved_tensors
        to_input, to_kernel = ctx.needs_input_grad
        grad_u = torch.empty_like(u) if to_input else None
        grad_response = torch.zeros_like(response) if to_kernel else None
        adjoint = response.conj().resolve_conj()
        for part in _parts(u):
            spectrum = _spectrum(grad[part], ctx.n)
            if grad_response is not None:
                grad_response += (_spectrum(u[part], ctx.n).conj() * spectrum).sum(dim=0)
            if grad_u is not None:
                grad_u[part] = _signal(spectrum.mul_(adjoint), ctx.n, u.shape[1])
        grad_kernel = None if grad_response is None else torch.fft.irfft(grad_response, ctx.n)
        return grad_u, grad_kernel


def long_convolution(u: Tensor, kernel: Tensor) -> Tensor:
    """Convolve (batch, length, channels) along time with circular kernels (channels, n).

    With n >= 2 * length no lag wraps around. Same dtype for both, float32 or float64.
    """
    return _LongConvolution.apply(u.contiguous(), kernel)


def _parts(u: Tensor) -> Iterator[slice]:
    size = 1 if u.device.type == "cpu" else len(u)
    return (slice(start, start + size) for start in range(0, len(u), max(size, 1)))


def _spectrum(u: Tensor, n: int) -> Tensor:
    return torch.fft.rfft(u.transpose(1, 2), n)


def _signal(spectrum: Tensor, n: int, length: int) -> Tensor:
    return torch.fft.irfft(spectrum, n)[..., :length].transpose(1, 2)

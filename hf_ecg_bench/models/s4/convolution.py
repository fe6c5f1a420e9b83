"""Long convolution along time by FFT, exact and without wrap-around."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

BLOCK = 128  # channels whose spectra, at the lengths of ECG windows, fit into a processor's second cache


def fft_length(minimum: int) -> int:
    """The smallest of 2^k, 3 * 2^k, 5 * 2^k that is at least `minimum`: lengths that FFTs are fastest for."""
    power = 1 << max(minimum - 1, 1).bit_length()
    return min(n for n in (power, power // 4 * 3, power // 8 * 5) if n >= minimum)


def circular(forward: Tensor, backward: Tensor | None, n: int) -> Tensor:
    """The circular kernel of length n: `forward` at lags 0, 1, ..., `backward` (if any) at lags -1, -2, ...

    Both (..., length) with 2 * length <= n; the result is (..., n).
    """
    parts = [forward, forward.new_zeros(*forward.shape[:-1], n - forward.shape[-1])]
    if backward is not None:
        parts = [forward, parts[1][..., backward.shape[-1] :], backward.flip(-1)]
    return torch.cat(parts, dim=-1)


def long_convolution(u: Tensor, kernel: Tensor) -> Tensor:
    """Convolve along time.

    Args:
        u: (batch, length, channels) float32 or float64.
        kernel: (channels, n), circular, of the same dtype, with n >= 2 * length so that no lag wraps around.

    Returns:
        (channels, batch, length): time innermost is how an inverse FFT leaves it, and the linear map that follows
        reads a matrix either way round.
    """
    if u.device.type == "cpu" and not torch.compiler.is_compiling():
        return _LongConvolution.apply(u, kernel)
    n = kernel.shape[-1]
    spectrum = torch.fft.rfft(u.transpose(1, 2), n) * torch.fft.rfft(kernel)
    return torch.fft.irfft(spectrum, n)[..., : u.shape[1]].transpose(0, 1)


class _LongConvolution(torch.autograd.Function):
    """irfft(rfft(u, n) rfft(kernel)) cut to the input's length, one sample and a block of channels at a time.

    So the spectra stay in the processor's cache: three times faster on a CPU than whole batches. The backward pass
    transforms the input again instead of keeping its spectrum, and needs no complex FFT of full length, unlike
    autograd's own.
    """

    @staticmethod
    def forward(ctx: Any, u: Tensor, kernel: Tensor) -> Tensor:
        batch, length, channels = u.shape
        n, response = kernel.shape[-1], torch.fft.rfft(kernel)
        y, padded = u.new_empty(channels, batch, length), u.new_zeros(min(BLOCK, channels), n)
        turned = u.new_empty(batch if any(ctx.needs_input_grad) else 1, channels, length)
        for index in range(batch):
            signal = turned[index % len(turned)].copy_(u[index].t())
            for block in _blocks(channels):
                spectrum = _spectrum(signal[block], padded).mul_(response[block])
                y[block, index] = torch.fft.irfft(spectrum, n)[:, :length]
        ctx.save_for_backward(turned, response)
        ctx.n = n
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, Tensor | None]:
        turned, response = ctx.saved_tensors
        to_input, to_kernel = ctx.needs_input_grad
        batch, channels, length = turned.shape
        grad_u = turned.new_empty(batch, length, channels) if to_input else None
        grad_response = torch.zeros_like(response) if to_kernel else None
        adjoint = response.conj().resolve_conj()
        padded, padded_u = (turned.new_zeros(min(BLOCK, channels), ctx.n) for _ in range(2))
        signal = turned.new_empty(channels, length)
        for index in range(batch):
            for block in _blocks(channels):
                spectrum = _spectrum(grad[block, index], padded)
                if grad_response is not None:
                    before = _spectrum(turned[index, block], padded_u)
                    grad_response[block] += before.conj_physical_().mul_(spectrum)
                if grad_u is not None:
                    signal[block] = torch.fft.irfft(spectrum.mul_(adjoint[block]), ctx.n)[:, :length]
            if grad_u is not None:
                grad_u[index] = signal.t()
        grad_kernel = None if grad_response is None else torch.fft.irfft(grad_response, ctx.n)
        return grad_u, grad_kernel


def _blocks(channels: int) -> list[slice]:
    return [slice(start, start + BLOCK) for start in range(0, channels, BLOCK)]


def _spectrum(signal: Tensor, padded: Tensor) -> Tensor:
    """Of a (channels, length) signal; `padded` is room for it, whose end is and stays zero."""
    room = padded[: len(signal)]
    room[:, : signal.shape[1]] = signal
    return torch.fft.rfft(room)

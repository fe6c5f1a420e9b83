"""HuBERT-ECG's preprocessing of a window: zero-phase FIR band-pass, each lead scaled to [-1, 1]."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from hf_ecg_bench.models.hubert_ecg.configuration_hubert_ecg import FILTER_RATE, FILTER_TAPS

BAND = (0.05, 47.0)  # Hz


def band_pass_taps() -> np.ndarray:
    """Window design: the ideal band-pass times a Hamming window, gain 1 at the centre of the pass-band."""
    low, high = (2 * edge / FILTER_RATE for edge in BAND)
    n = np.arange(FILTER_TAPS) - (FILTER_TAPS - 1) / 2
    taps = (high * np.sinc(high * n) - low * np.sinc(low * n)) * np.hamming(FILTER_TAPS)
    return taps / np.sum(taps * np.cos(np.pi * n * (low + high) / 2))


#: Both passes together: the filter correlated with itself. Plain numbers, which a compiler takes for constants.
ZERO_PHASE_TAPS: tuple[float, ...] = tuple(np.convolve(band_pass_taps(), band_pass_taps()[::-1]).tolist())


def preprocess(windows: Tensor) -> Tensor:
    """Filter and scale.

    Args:
        windows: (batch, leads, time) without NaN, at 100 Hz.

    Returns:
        (batch, leads, time) float64: 2 (y - min) / (max - min + 1e-8) - 1 of the filtered lead y, -1 everywhere
        for a constant lead.
    """
    y = band_pass(windows)
    low, high = y.amin(dim=-1, keepdim=True), y.amax(dim=-1, keepdim=True)
    return 2 * (y - low) / (high - low + 1e-8) - 1


def band_pass(windows: Tensor) -> Tensor:
    """The filter forward and backward (scipy's `filtfilt` with default padding), float64.

    Both passes together are one symmetric kernel of 61 taps, and the padded ends that scipy adds are longer
    than its reach: what the passes do at their very ends never comes into the window. As in the reference the
    odd padding is computed in float32, the filter in float64.
    """
    taps = torch.tensor(ZERO_PHASE_TAPS, dtype=torch.float64, device=windows.device)
    batch, leads, time = windows.shape
    padded = _odd_padding(windows.float(), len(taps) // 2).double()
    if torch.compiler.is_exporting():  # the same sums as a matrix product: ONNX Runtime convolves no float64
        return padded.unfold(-1, len(taps), 1) @ taps
    return functional.conv1d(padded.view(batch * leads, 1, -1), taps.view(1, 1, -1)).view(batch, leads, time)


def _odd_padding(x: Tensor, size: int) -> Tensor:
    """The signal continued at both ends by its point reflection, 2 x_0 - x."""
    before = 2 * x[..., :1] - x[..., 1 : size + 1].flip(-1)
    after = 2 * x[..., -1:] - x[..., -size - 1 : -1].flip(-1)
    return torch.cat([before, x, after], dim=-1)

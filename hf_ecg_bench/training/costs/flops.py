"""Floating-point operations of a model, counted while it runs.

A multiplication and an addition count as two operations. Counted are matrix products, convolutions and attention
(`torch.utils.flop_counter`), and Fourier transforms of N points by the usual estimate 5 N log2 N (real ones: half of
it; FFTW's benchmark, fftw.org/speed). Not counted is everything element-wise: normalisation, activations, pooling,
softmax, resampling of the signal, the optimizer's update. Complex products count as real ones.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode, sdpa_backward_flop_count, sdpa_flop_count

from hf_ecg_bench.training.costs.undisturbed import undisturbed

COUNTED = (
    "matrix products, convolutions, attention and Fourier transforms (5 N log2 N; real: half); nothing element-wise, "
    "no normalisation, activation, pooling, resampling or optimizer update; complex products as real ones"
)

aten = torch.ops.aten


def forward_flops(model: nn.Module, inputs: Mapping[str, Tensor]) -> int:
    """Operations of one forward pass in eval mode. The model is left as it was."""
    with undisturbed(model), torch.no_grad(), _Counter() as counter:
        model(**inputs)
    return int(counter.get_total_flops())


def step_flops(model: nn.Module, loss_of: Callable[[], Tensor]) -> int:
    """Operations of forward and backward pass of a loss, without the optimizer's update. The model is left as it was.

    Counted in eval mode: dropout, which is element-wise, does not change the number.

    Args:
        model: whose parameters that require gradients are trained.
        loss_of: runs the forward pass.
    """
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    with undisturbed(model), torch.enable_grad(), _Counter() as counter:
        before = [parameter.grad for parameter in trained]
        for parameter in trained:
            parameter.grad = None
        try:
            # Not autograd.grad: the counter's hooks cannot ask it about parameters that are used as they are (a query).
            loss_of().backward()
        finally:
            for parameter, gradient in zip(trained, before, strict=True):
                parameter.grad = gradient
    return int(counter.get_total_flops())


def linear_in_batch(one: int, two: int, batch: int) -> int:
    """Operations of a batch from those of one and of two windows: some (S4's kernels) do not grow with the batch."""
    return one + (batch - 1) * (two - one)


def _Counter() -> FlopCounterMode:
    return FlopCounterMode(display=False, custom_mapping=_FURTHER)


def _fourier(points: int, shape: Sequence[int], transformed: Sequence[int], real: bool) -> int:
    rows = math.prod(shape) // max(1, math.prod(shape[dim] for dim in transformed))
    return round(rows * 5 * points * math.log2(max(2, points)) / (2 if real else 1))


def _r2c(self: Any, dim: Any, *args: Any, out_shape: Any = None, **kwargs: Any) -> int:
    return _fourier(math.prod(self[d] for d in dim), self, dim, real=True)


def _c2r(self: Any, dim: Any, *args: Any, out_shape: Any = None, **kwargs: Any) -> int:
    return _fourier(math.prod(out_shape[d] for d in dim), out_shape, dim, real=True)


def _c2c(self: Any, dim: Any, *args: Any, out_shape: Any = None, **kwargs: Any) -> int:
    return _fourier(math.prod(self[d] for d in dim), self, dim, real=False)


def _attention(query: Any, key: Any, value: Any, *args: Any, out_shape: Any = None, **kwargs: Any) -> int:
    return int(sdpa_flop_count(query, key, value))


def _attention_backward(
    grad_out: Any, query: Any, key: Any, value: Any, *args: Any, out_shape: Any = None, **kwargs: Any
) -> int:
    return int(sdpa_backward_flop_count(grad_out, query, key, value))


# What torch's own table lacks.
_FURTHER: dict[Any, Any] = {
    aten._fft_r2c: _r2c,
    aten._fft_c2r: _c2r,
    aten._fft_c2c: _c2c,
    aten._scaled_dot_product_flash_attention_for_cpu: _attention,
    aten._scaled_dot_product_flash_attention_for_cpu_backward: _attention_backward,
}

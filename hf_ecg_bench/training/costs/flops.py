"""Floating-point operations of a model, counted while it runs.

A multiplication and an addition count as two operations. Counted are matrix products, convolutions and attention
(`torch.utils.flop_counter`), and Fourier transforms of N points by the usual estimate 5 N log2 N (real ones: half of
it; FFTW's benchmark, fftw.org/speed). Not counted is everything element-wise: normalisation, activations, pooling,
softmax, resampling of the signal, the optimizer's update. Complex products count as real ones.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from typing import Any

import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.func import functional_call
from torch.utils.flop_counter import FlopCounterMode, sdpa_backward_flop_count, sdpa_flop_count

from hf_ecg_bench.training.costs.undisturbed import undisturbed

COUNTED = (
    "matrix products, convolutions, attention and Fourier transforms (5 N log2 N; real: half); nothing element-wise, "
    "no normalisation, activation, pooling, resampling or optimizer update; complex products as real ones"
)

aten = torch.ops.aten


Loss = Callable[[Any], Tensor]

# Up to so many parameters a model is computed; a larger one takes a second to be traced by shapes, and longer to run.
_COMPUTED = 1_000_000
_TRACED = 8  # windows of a batch that are traced; the others count as much
_BATCH = 2  # windows that are computed where tracing fails


def forward_flops(model: nn.Module, inputs: Mapping[str, Tensor], batch: int = 1) -> int:
    """Operations of one forward pass in eval mode. The model is left as it was.

    Args:
        inputs: of one window: (1, ...), repeated to a batch.
    """
    return _counted(model, inputs, batch, None)


def step_flops(
    model: nn.Module, inputs: Mapping[str, Tensor], batch: int, loss: Loss = lambda output: output.logits.sum()
) -> int:
    """Operations of forward and backward pass of a loss, without the optimizer's update. The model is left as it was.

    Counted in eval mode: dropout, which is element-wise, does not change the number.

    Args:
        model: whose parameters that require gradients are trained.
        inputs: of one window: (1, ...), repeated to a batch.
        loss: of its output; being element-wise, it does not change the number.
    """
    return _counted(model, inputs, batch, loss)


def _counted(model: nn.Module, inputs: Mapping[str, Tensor], batch: int, loss: Loss | None) -> int:
    computed = sum(parameter.numel() for parameter in model.parameters()) <= _COMPUTED
    with undisturbed(model):
        if not computed:
            try:
                traced = min(batch, _TRACED)
                shapes = FakeTensorMode(allow_non_fake_inputs=True)
                return _run(model, inputs, traced, loss, shapes) * batch // traced
            except RuntimeError:  # something has to look at values
                return _run(model, inputs, _BATCH, loss) * batch // _BATCH
        _run(model, inputs, 1, loss)  # what a model keeps between steps (S4: parts of its kernels) is there now
        return _run(model, inputs, batch, loss)


def _run(
    model: nn.Module, inputs: Mapping[str, Tensor], batch: int, loss: Loss | None, shapes: FakeTensorMode | None = None
) -> int:
    """Count with tensors in place of the model's own, which thus get no gradients; with `shapes`, without values."""
    given = shapes.from_tensor if shapes is not None else torch.detach
    tensors = {
        name: given(parameter).requires_grad_(parameter.requires_grad) for name, parameter in model.named_parameters()
    }
    tensors |= {name: given(buffer) for name, buffer in model.named_buffers()}
    values = {name: given(value).expand(batch, *value.shape[1:]) for name, value in inputs.items()}
    with shapes or nullcontext(), torch.set_grad_enabled(loss is not None), _Counter() as counter:
        output = functional_call(model, tensors, kwargs=values)
        if loss is not None:
            # Not autograd.grad: the counter's hooks cannot ask it about parameters that are used as they are (a query).
            loss(output).backward()
    return int(counter.get_total_flops())


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


def _convolution_backward(
    grad_out: Any, x: Any, weight: Any, bias: Any, stride: Any, padding: Any, dilation: Any, transposed: bool,
    output_padding: Any, groups: int, mask: Sequence[bool], *, out_shape: Any = None,
) -> int:  # fmt: skip
    """As many operations for each of the two gradients as forward; torch's own formula ignores the groups."""
    positions = (x if transposed else grad_out)[:1] + (x if transposed else grad_out)[2:]
    return int(2 * math.prod(positions) * math.prod(weight) * (mask[0] + mask[1]))


def _attention(query: Any, key: Any, value: Any, *args: Any, out_shape: Any = None, **kwargs: Any) -> int:
    return int(sdpa_flop_count(query, key, value))


def _attention_backward(
    grad_out: Any, query: Any, key: Any, value: Any, *args: Any, out_shape: Any = None, **kwargs: Any
) -> int:
    return int(sdpa_backward_flop_count(grad_out, query, key, value))


# What torch's own table lacks, or counts wrongly.
_FURTHER: dict[Any, Any] = {
    aten.convolution_backward: _convolution_backward,
    aten._fft_r2c: _r2c,
    aten._fft_c2r: _c2r,
    aten._fft_c2c: _c2c,
    aten._scaled_dot_product_flash_attention_for_cpu: _attention,
    aten._scaled_dot_product_flash_attention_for_cpu_backward: _attention_backward,
}

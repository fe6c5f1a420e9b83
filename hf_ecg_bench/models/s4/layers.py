"""The S4 layers that S4 (both directions) and ECG-CPC (causal) share; only C, D and linear maps learn."""

from __future__ import annotations

import math
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import initialization
from transformers.modeling_layers import GradientCheckpointingLayer

from hf_ecg_bench.models.layers.tensor_cache import TensorCache
from hf_ecg_bench.models.s4.configuration_s4 import S4Config
from hf_ecg_bench.models.s4.convolution import circular, fft_length, long_convolution
from hf_ecg_bench.models.s4.kernel import KernelBasis, corrected, hippo_legs, kernel_basis, kernel_values
from hf_ecg_bench.models.trace import Trace


class S4Kernel(nn.Module):
    """Parameters of a layer's kernel: C (directions, channels, pairs, 2) is trained, the rest are buffers.

    Complex numbers are kept as (real, imaginary) in the last dimension, which every optimizer and file format
    takes.
    """

    log_dt: Tensor
    B: Tensor
    P: Tensor
    Q: Tensor
    w: Tensor

    def __init__(self, config: S4Config, directions: int = 2) -> None:
        super().__init__()
        self.l_max, self.dt_range = config.l_max, (config.dt_min, config.dt_max)
        channels, pairs = config.hidden_size, config.state_size // 2
        self.C = nn.Parameter(torch.empty(directions, channels, pairs, 2))
        self.register_buffer("log_dt", torch.empty(channels))
        for name in ("B", "P", "Q"):
            self.register_buffer(name, torch.empty(1, channels, pairs, 2))
        self.register_buffer("w", torch.empty(channels, pairs, 2))
        self.hf_reset()

    def hf_reset(self) -> None:
        """HiPPO-LegS dynamics, log-uniform time steps, complex normal C, length-corrected."""
        if self.w.is_meta:  # from_pretrained builds there first; the values come later
            return
        pairs = self.w.shape[1]
        B, P, w = hippo_legs(2 * pairs)
        for name, value in (("B", B), ("P", P), ("Q", P.conj().resolve_conj()), ("w", w)):
            initialization.copy_(getattr(self, name), torch.view_as_real(value).expand(getattr(self, name).shape))
        low, high = (math.log(value) for value in self.dt_range)
        initialization.uniform_(self.log_dt, low, high)
        C = torch.randn(self.C.shape, device=self.w.device) / math.sqrt(2)
        initialization.copy_(self.C, corrected(C, *self.dynamics(), self.l_max))

    def dynamics(self) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        """log_dt, B, P, Q, w as `kernel_basis` takes them."""
        return self.log_dt, self.B.squeeze(0), self.P.squeeze(0), self.Q.squeeze(0), self.w


class S4Layer(GradientCheckpointingLayer):
    """State space convolution, GELU, gated linear map, residual, LayerNorm; on (batch, length, channels)."""

    def __init__(self, config: S4Config, directions: int) -> None:
        super().__init__()
        size = config.hidden_size
        self.dropout = config.dropout
        self.kernel = S4Kernel(config, directions)
        self.D = nn.Parameter(torch.empty(1, size))
        self.output_linear = nn.Linear(size, 2 * size)
        self.norm = nn.LayerNorm(size)
        self.hf_reset()

    def hf_reset(self) -> None:
        """The layer's own parameter as at initialisation."""
        initialization.normal_(self.D)

    def forward(self, x: Tensor, kernel: Tensor) -> Tensor:
        """`kernel`: the layer's circular kernel (channels, n) with D, in float32 or float64."""
        y = functional.gelu(long_convolution(x.to(kernel.dtype), kernel).to(x.dtype))  # (channels, batch, length)
        if self._drops():
            y = y.mul_(self._kept_channels(x).transpose(0, 2).transpose(1, 2))
        update = functional.glu(self.output_linear(y.flatten(1).t()).unflatten(0, x.shape[:2]), dim=-1)
        if self._drops():
            update = update.mul_(self._kept_channels(x))
        return self.norm(update.add_(x))

    def _drops(self) -> bool:
        return self.training and self.dropout > 0

    def _kept_channels(self, x: Tensor) -> Tensor:
        """Dropout of whole channels: one factor per sample and channel, (batch, 1, channels)."""
        return functional.dropout(x.new_ones(x.shape[0], 1, x.shape[2]), self.dropout)


class S4Layers(nn.ModuleList):
    """A stack of layers, whose kernels are computed together.

    The dynamics' share of the kernels is kept between steps, whole kernels where nothing trains them (see
    TensorCache).
    """

    def __init__(self, config: S4Config, directions: int) -> None:
        super().__init__(S4Layer(config, directions) for _ in range(config.n_layers))
        self.l_max = config.l_max
        self._basis: TensorCache[KernelBasis] = TensorCache()
        self._kernels: TensorCache[tuple[Tensor, ...]] = TensorCache()

    def forward(self, x: Tensor, trace: Trace) -> Tensor:
        """Tokens (batch, length, channels) -> tokens; the states before, between and after go to `trace`."""
        for layer, kernel in zip(self, self.kernels(x.shape[1]), strict=True):
            trace.state(x)
            x = layer(x, kernel)
        trace.state(x)
        return x

    def kernels(self, length: int) -> tuple[Tensor, ...]:
        """Every layer's circular kernel (channels, n), with D at lag 0, in float32 or higher."""
        layers = cast(list[S4Layer], list(self))
        trained = [tensor for layer in layers for tensor in (layer.kernel.C, layer.D)]
        if torch.is_grad_enabled() and any(tensor.requires_grad for tensor in trained):
            return self._compute_kernels(layers, length)
        fixed = [tensor for layer in layers for tensor in layer.kernel.dynamics()]
        return self._kernels.get([*trained, *fixed], length, lambda: self._compute_kernels(layers, length))

    def _compute_kernels(self, layers: list[S4Layer], length: int) -> tuple[Tensor, ...]:
        channels = layers[0].D.shape[1]
        C = torch.cat([layer.kernel.C for layer in layers], dim=1)
        D = torch.cat([layer.D for layer in layers], dim=1)
        dtype = torch.promote_types(C.dtype, torch.float32)
        with torch.autocast(C.device.type, enabled=False):
            basis = self._compute_basis(layers, length)
            values = kernel_values(C, basis, length).to(dtype)
            forward = torch.cat([values[0, :, :1] + D.to(dtype).t(), values[0, :, 1:]], dim=-1)
            backward = values[1] if len(values) > 1 else None
            return circular(forward, backward, fft_length(2 * length)).split(channels)

    def _compute_basis(self, layers: list[S4Layer], length: int) -> KernelBasis:
        parts = [layer.kernel.dynamics() for layer in layers]

        def compute() -> KernelBasis:
            with torch.no_grad():
                log_dt, B, P, Q, w = map(torch.cat, zip(*parts, strict=True))
                return kernel_basis(log_dt, B, P, Q, w, self.l_max, length)

        return self._basis.get([tensor for part in parts for tensor in part], length, compute)

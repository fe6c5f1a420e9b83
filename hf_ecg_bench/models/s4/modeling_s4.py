"""S4: bidirectional state space layers with fixed HiPPO-LegS dynamics; only C, D and linear maps learn."""

from __future__ import annotations

import math
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import initialization
from transformers.modeling_layers import GradientCheckpointingLayer

from hf_ecg_bench.models.base import EcgForSequenceClassification, EcgModel
from hf_ecg_bench.models.s4.configuration_s4 import S4Config
from hf_ecg_bench.models.s4.convolution import fft_length, long_convolution, two_sided
from hf_ecg_bench.models.s4.kernel import corrected, hippo_legs, kernel_basis
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

    def __init__(self, config: S4Config) -> None:
        super().__init__()
        self.l_max, self.dt_range = config.l_max, (config.dt_min, config.dt_max)
        channels, pairs = config.hidden_size, config.state_size // 2
        self.C = nn.Parameter(torch.empty(2, channels, pairs, 2))
        self.register_buffer("log_dt", torch.empty(channels))
        for name in ("B", "P", "Q"):
            self.register_buffer(name, torch.empty(1, channels, pairs, 2))
        self.register_buffer("w", torch.empty(channels, pairs, 2))
        self.hf_reset()

    def hf_reset(self) -> None:
        """HiPPO-LegS dynamics, log-uniform time steps, complex normal C, length-corrected."""
        if self.w.is_meta:  # from_pretrained builds there first; the values come later
            return
        channels, pairs, _ = self.w.shape
        B, P, w = hippo_legs(2 * pairs)
        for name, value in (("B", B), ("P", P), ("Q", P.conj().resolve_conj()), ("w", w)):
            initialization.copy_(getattr(self, name), torch.view_as_real(value).expand(getattr(self, name).shape))
        low, high = (math.log(value) for value in self.dt_range)
        initialization.uniform_(self.log_dt, low, high)
        C = torch.randn(2, channels, pairs, 2, device=self.w.device) / math.sqrt(2)
        initialization.copy_(self.C, corrected(C, *self.dynamics(), self.l_max))

    def dynamics(self) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        """log_dt, B, P, Q, w as `kernel_basis` takes them."""
        return self.log_dt, self.B.squeeze(0), self.P.squeeze(0), self.Q.squeeze(0), self.w


class S4Layer(GradientCheckpointingLayer):
    """State space convolution, GELU, gated linear map, residual, LayerNorm; on (batch, length, channels)."""

    def __init__(self, config: S4Config) -> None:
        super().__init__()
        size = config.hidden_size
        self.dropout = config.dropout
        self.kernel = S4Kernel(config)
        self.D = nn.Parameter(torch.empty(1, size))
        self.output_linear = nn.Linear(size, 2 * size)
        self.norm = nn.LayerNorm(size)
        self.hf_reset()

    def hf_reset(self) -> None:
        """The layer's own parameter as at initialisation."""
        initialization.normal_(self.D)

    def forward(self, x: Tensor, kernel: Tensor) -> Tensor:
        """`kernel`: the circular kernel (channels, n); D, which acts on the same sample, is its lag 0."""
        kernel = torch.cat([kernel[:, :1] + self.D.to(kernel.dtype).mT, kernel[:, 1:]], dim=-1)
        y = functional.gelu(long_convolution(x.to(kernel.dtype), kernel).to(x.dtype))
        if not self.training or self.dropout == 0:
            return self.norm(x + functional.glu(self.output_linear(y), dim=-1))
        y = functional.glu(self.output_linear(y * self._kept_channels(x)), dim=-1)
        return self.norm(torch.addcmul(x, y, self._kept_channels(x)))

    def _kept_channels(self, x: Tensor) -> Tensor:
        """Dropout of whole channels: one factor per sample and channel, (batch, 1, channels)."""
        return functional.dropout(x.new_ones(x.shape[0], 1, x.shape[2]), self.dropout)


class S4Model(EcgModel):
    """The backbone: `(batch, 12, time)` -> tokens of width 512, one per sample."""

    config_class = S4Config

    def __init__(self, config: S4Config) -> None:
        super().__init__(config)
        self.input_projection = nn.Conv1d(config.n_leads, config.hidden_size, 1)
        self.layers = nn.ModuleList(S4Layer(config) for _ in range(config.n_layers))
        self.post_init()

    def forward_features(self, input_values: Tensor, trace: Trace) -> Tensor:
        """See EcgModel."""
        projection = self.input_projection
        x = functional.linear(input_values.transpose(1, 2), projection.weight.squeeze(-1), projection.bias)
        for layer, kernel in zip(self.layers, self.kernels(input_values.shape[-1]), strict=True):
            trace.state(x)
            x = layer(x, kernel)
        trace.state(x)
        return x

    def kernels(self, length: int) -> list[Tensor]:
        """Every layer's circular kernel (channels, n) for inputs of that length, in float32 or higher."""
        kernels = [cast(S4Layer, layer).kernel for layer in self.layers]
        with torch.autocast(self.device.type, enabled=False):
            with torch.no_grad():
                log_dt, B, P, Q, w = map(torch.cat, zip(*(kernel.dynamics() for kernel in kernels), strict=True))
                basis = kernel_basis(log_dt, B, P, Q, w, self.config.l_max, length)
            C = torch.cat([kernel.C for kernel in kernels], dim=1)
            C = C.to(torch.promote_types(C.dtype, torch.float32))
            both = torch.einsum("dhn,hnl->dhl", C.movedim(-1, -2).flatten(-2), basis.to(C.dtype))
            return list(two_sided(both[0], both[1], fft_length(2 * length)).chunk(len(kernels)))


class S4ForSequenceClassification(EcgForSequenceClassification):
    """S4 with a head."""

    config_class = S4Config
    backbone_class = S4Model

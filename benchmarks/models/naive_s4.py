"""S4 and ECG-CPC by the textbook: in every forward pass each layer sums its kernel's poles over all FFT nodes."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from benchmarks.models.weights import copy_weights
from hf_ecg_bench.models.registry import get_model_spec


class Kernel(nn.Module):
    """The kernel of length M by the Cauchy formula (rank 1 correction by the Woodbury identity), then cut."""

    def __init__(self, channels: int, pairs: int, directions: int, length: int) -> None:
        super().__init__()
        self.length = length
        self.C = nn.Parameter(torch.empty(directions, channels, pairs, 2))
        self.register_buffer("log_dt", torch.empty(channels))
        for name in ("B", "P", "Q"):
            self.register_buffer(name, torch.empty(1, channels, pairs, 2))
        self.register_buffer("w", torch.empty(channels, pairs, 2))
        nodes = torch.exp(-2j * torch.pi * torch.arange(length // 2, dtype=torch.float64) / length)
        self.register_buffer("omega", torch.view_as_real(nodes).float(), persistent=False)
        self.register_buffer("z", torch.view_as_real(2 * (1 - nodes) / (1 + nodes)).float(), persistent=False)

    def forward(self, length: int) -> Tensor:
        """(directions, channels, length), at most the stored C's own length."""
        if length > self.length:
            raise ValueError(f"the stored C belongs to {self.length} samples; {length} would need it doubled")
        B, P, Q, C, w, omega, z = map(
            torch.view_as_complex, (self.B, self.P, self.Q, self.C, self.w, self.omega, self.z)
        )
        dt = self.log_dt.exp()[:, None]
        v = (torch.cat([B, P])[:, None] * torch.cat([C, Q])).unsqueeze(-1)  # (2, directions + 1, channels, pairs, 1)
        poles = (w * dt).unsqueeze(-1)
        r = (v / (z - poles) + v.conj() / (z - poles.conj())).sum(dim=-2) * dt
        response = r[0, :-1] - r[0, -1:] * r[1, :-1] / (1 + r[1, -1:])
        last = (dt * (B * C).sum(dim=-1, keepdim=True).real).to(response.dtype)  # the limit at the node -1
        response = torch.cat([response * 2 / (1 + omega), last], dim=-1)
        return torch.fft.irfft(response, self.length)[..., :length]


class TransposedLinear(nn.Module):
    """A linear map of the channels of (batch, channels, time)."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.empty(outputs, inputs)), nn.Parameter(torch.empty(outputs, 1))

    def forward(self, x: Tensor) -> Tensor:
        return torch.einsum("vu,bul->bvl", self.weight, x) + self.bias


class Layer(nn.Module):
    """Convolution by FFT, GELU, gated linear map; (batch, channels, time)."""

    def __init__(self, channels: int, pairs: int, directions: int, length: int, dropout: float) -> None:
        super().__init__()
        self.D = nn.Parameter(torch.empty(1, channels))
        self.kernel = nn.ModuleDict({"kernel": Kernel(channels, pairs, directions, length)})
        self.dropout = nn.Dropout1d(dropout)
        self.output_linear = nn.Sequential(TransposedLinear(channels, 2 * channels), nn.GLU(dim=1))

    def forward(self, u: Tensor) -> Tensor:
        length = u.shape[-1]
        kernel = self.kernel["kernel"](length)
        k = functional.pad(kernel[0], (0, length))
        if len(kernel) == 2:
            k = k + functional.pad(kernel[1].flip(-1), (length, 0))
        n = 2 * length
        y = torch.fft.irfft(torch.fft.rfft(u, n) * torch.fft.rfft(k, n), n)[..., :length]
        y = y + u * self.D.unsqueeze(-1)
        return self.output_linear(self.dropout(functional.gelu(y)))


class Stack(nn.Module):
    """Layers with residuals and LayerNorms after them; (batch, channels, time)."""

    def __init__(self, config, directions: int) -> None:  # type: ignore[no-untyped-def]
        super().__init__()
        size = config.hidden_size
        sizes = (size, config.state_size // 2, directions, config.l_max, config.dropout)
        self.s4_layers = nn.ModuleList(Layer(*sizes) for _ in range(config.n_layers))
        self.norms = nn.ModuleList(nn.LayerNorm(size) for _ in range(config.n_layers))
        self.dropout = nn.Dropout1d(config.dropout)

    def forward(self, x: Tensor) -> Tensor:
        for layer, norm in zip(self.s4_layers, self.norms, strict=True):
            x = norm((x + self.dropout(layer(x))).transpose(1, 2)).transpose(1, 2)
        return x


class NaiveS4(Stack):
    """The supervised baseline."""

    def __init__(self, ours: nn.Module) -> None:
        super().__init__(ours.config, directions=2)
        self.encoder = nn.Conv1d(12, ours.config.hidden_size, 1)
        copy_weights(self, ours, get_model_spec("s4"))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:  # type: ignore[override]
        x = super().forward(self.encoder(torch.nan_to_num(x)))
        return x.transpose(1, 2), x.mean(-1)

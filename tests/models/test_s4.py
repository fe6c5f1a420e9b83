"""S4's kernel and convolution against independent formulas."""

from __future__ import annotations

import copy
import pickle

import pytest
import torch

from hf_ecg_bench.models.s4.configuration_s4 import S4Config
from hf_ecg_bench.models.s4.convolution import circular, fft_length, long_convolution
from hf_ecg_bench.models.s4.kernel import hippo_legs, kernel_basis, kernel_values
from hf_ecg_bench.models.s4.layers import S4Kernel
from hf_ecg_bench.models.s4.modeling_s4 import S4Model
from tests.models.fills import classifier, fill


def test_hippo_constants_are_the_published_ones():
    B, P, w = hippo_legs(8)
    frequency = torch.tensor([19.85741, 5.35421, 1.95779, 0.42749], dtype=torch.float64)
    torch.testing.assert_close(w.imag, frequency, rtol=0, atol=1e-5)
    torch.testing.assert_close(w.real, torch.full((4,), -0.5, dtype=torch.float64))
    for found, expected in (
        (B.abs(), [5.15563, 1.84387, 1.17496, 0.79946]),
        (P.abs(), [3.64558, 1.30381, 0.83082, 0.56531]),
    ):
        torch.testing.assert_close(found, torch.tensor(expected, dtype=torch.float64), rtol=0, atol=1e-5)


def cauchy_kernel(kernel: S4Kernel, C: torch.Tensor, length: int) -> torch.Tensor:
    """The paper's own formula, by FFT nodes and the Woodbury identity; length = l_max, even."""
    B, P, Q, w = (torch.view_as_complex(getattr(kernel, name).double().contiguous()) for name in "BPQw")
    dt = kernel.log_dt.double().exp()[:, None]
    omega = torch.exp(-2j * torch.pi * torch.arange(length // 2, dtype=torch.float64) / length)
    z = 2 * (1 - omega) / (1 + omega)

    def r(a, b):
        v, poles = (a * b)[..., None], (w * dt)[..., None]
        return dt * (v / (z - poles) + v.conj() / (z - poles.conj())).sum(dim=-2)

    row = torch.view_as_complex(C.double().contiguous())
    values = (r(B, row) - r(B, Q) * r(P, row) / (1 + r(P, Q))) * 2 / (1 + omega)
    last = (dt * (B * row).sum(dim=-1, keepdim=True).real).to(values.dtype)  # the limit at omega = -1
    return torch.fft.irfft(torch.cat([values, last], dim=-1), length)


@pytest.fixture
def kernel() -> S4Kernel:
    torch.manual_seed(0)
    return S4Kernel(S4Config(hidden_size=16, l_max=50)).double()


def plain_dynamics(kernel: S4Kernel):
    """dA and dB on the conjugate-completed state, and the uncorrected C, without any shortcut."""
    B, P, Q, w = (torch.view_as_complex(getattr(kernel, name).contiguous()) for name in "BPQw")
    both = lambda v: torch.cat([v, v.conj()], dim=-1)  # noqa: E731
    A = torch.diag_embed(both(w)) - both(P[0])[..., :, None] * both(Q[0])[..., None, :]
    half = kernel.log_dt.exp()[:, None, None] / 2
    eye = torch.eye(A.shape[-1], dtype=A.dtype)
    dA = torch.linalg.solve(eye - half * A, eye + half * A)
    dB = torch.linalg.solve(eye - half * A, 2 * half * both(B[0])[..., None])
    stored = both(torch.view_as_complex(kernel.C.detach().contiguous()))[..., None, :]
    C = stored @ torch.linalg.inv(eye - torch.linalg.matrix_power(dA, kernel.l_max))
    return dA, dB, C


def values(kernel: S4Kernel, length: int) -> torch.Tensor:
    return kernel_values(kernel.C.detach(), kernel_basis(*kernel.dynamics(), kernel.l_max, length), length)


def test_kernel_equals_cauchy_formula_and_recurrence(kernel):
    found = values(kernel, 130)
    for length in (1, 7, 50, 64):  # however rows and columns are split
        torch.testing.assert_close(values(kernel, length), found[..., :length], rtol=1e-11, atol=1e-12)
    torch.testing.assert_close(found[..., :50], cauchy_kernel(kernel, kernel.C.detach(), 50), rtol=1e-9, atol=1e-11)
    dA, dB, C = plain_dynamics(kernel)
    for step in range(130):  # beyond l_max too
        torch.testing.assert_close(found[..., step], (C @ dB)[..., 0, 0].real, rtol=1e-9, atol=1e-11)
        dB = dA @ dB


def test_initial_kernel_does_not_depend_on_l_max():
    """The stored C is corrected for l_max, so that the drawn C stands behind it whatever l_max is."""
    kernels = []
    for l_max in (50, 64):
        torch.manual_seed(1)
        kernel = S4Kernel(S4Config(hidden_size=16, l_max=l_max)).double()
        kernels.append(values(kernel, 80))
    torch.testing.assert_close(*kernels, rtol=1e-3, atol=1e-4)  # C is stored in float32


@pytest.mark.parametrize("length", [1, 7, 50])
@pytest.mark.parametrize("both", [True, False])
def test_convolution_equals_a_sum(length, both):
    u, k0, k1 = fill("u", (2, length, 3)), fill("k0", (3, length)), fill("k1", (3, length))
    kernel = circular(k0, k1 if both else None, fft_length(2 * length))
    expected = torch.zeros_like(u)
    for t in range(length):
        for s in range(length if both else t + 1):
            expected[:, t] += u[:, s] * (k0[:, t - s] if s <= t else k1[:, s - t - 1])
    found = long_convolution(u, kernel).permute(1, 2, 0)
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("trained", [(True, True), (True, False), (False, True)])
def test_convolution_gradient(trained):
    u, kernel = fill("u", (2, 5, 3)).requires_grad_(trained[0]), fill("k", (3, 10)).requires_grad_(trained[1])
    assert torch.autograd.gradcheck(long_convolution, (u, kernel))


def test_recorded_graphs_convolve_by_plain_operators(monkeypatch):
    """While a graph is recorded there is no loop over samples; the numbers and gradients are the same."""
    results = []
    for recording in (False, True):
        monkeypatch.setattr(torch.compiler, "is_compiling", lambda recording=recording: recording)
        u, kernel = fill("u", (2, 5, 3)).requires_grad_(), fill("k", (3, 10)).requires_grad_()
        y = long_convolution(u, kernel)
        y.square().sum().backward()
        results.append((y, u.grad, kernel.grad))
    for eager, recorded in zip(*results, strict=True):
        torch.testing.assert_close(eager, recorded, rtol=1e-12, atol=1e-12)


def test_fft_lengths():
    assert [fft_length(n) for n in (1, 2, 5, 7, 9, 500, 600, 2000)] == [2, 2, 5, 8, 10, 512, 640, 2048]


def test_longer_input_leaves_the_model_as_it_was():
    model = classifier("s4").eval()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    short = fill("short", (1, 12, 50)).float()
    with torch.no_grad():
        first = model(short).logits
        model(fill("long", (1, 12, 333)).float())
        assert torch.equal(model(short).logits, first)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_kernel_stays_in_float32():
    model = S4Model(S4Config(hidden_size=16, n_layers=1, l_max=50))
    for dtype in (torch.bfloat16, torch.float16):
        with torch.autocast("cpu", dtype=dtype):
            assert all(kernel.dtype == torch.float32 for kernel in model.layers.kernels(50))
            assert model(torch.zeros(1, 12, 50)).last_hidden_state.shape == (1, 50, 16)
        half = copy.deepcopy(model).to(dtype)
        assert all(kernel.dtype == torch.float32 for kernel in half.layers.kernels(50))
        assert half(torch.zeros(1, 12, 50)).last_hidden_state.dtype == dtype


def test_kernels_are_kept_until_anything_changes():
    """Whatever way a parameter changes, and in whatever mode the kernels were first computed."""
    layers = S4Model(S4Config(hidden_size=16, n_layers=2, l_max=50)).eval().layers
    with torch.inference_mode():
        first = layers.kernels(50)
        assert layers.kernels(50) is first
    assert not first[0].is_inference()

    def fresh() -> bool:
        with torch.no_grad():
            found, right = layers.kernels(50), copy.deepcopy(layers).kernels(50)
        torch.testing.assert_close(found, right, rtol=0, atol=0)
        same = found is layers.kept
        layers.kept = found
        return not same

    layers.kept = first
    assert not fresh()
    layers[0].kernel.C.data.mul_(2)
    assert fresh()
    with torch.no_grad():
        layers[1].D += 1
    assert fresh()
    layers.load_state_dict({name: value + 0.1 for name, value in layers.state_dict().items()})
    assert fresh()
    layers[0].kernel.C = torch.nn.Parameter(layers[0].kernel.C.detach() + 1)
    assert fresh()
    layers.double()
    assert fresh()
    assert not fresh()
    with torch.no_grad():
        assert layers.kernels(51)[0].dtype == torch.float64
    assert fresh()  # only the last length is kept


def test_kept_kernels_do_not_travel():
    model = S4Model(S4Config(hidden_size=16, n_layers=1, l_max=50)).eval()
    names = set(model.state_dict())
    with torch.no_grad():
        model(torch.zeros(1, 12, 50))
    assert not model.layers._kernels.empty
    assert set(model.state_dict()) == names
    for copied in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):  # noqa: S301
        assert copied.layers._kernels.empty
        assert copied.layers._basis.empty


def test_kernels_are_trained_in_eval_mode_too():
    layers = S4Model(S4Config(hidden_size=16, n_layers=1, l_max=50)).eval().layers
    with torch.no_grad():
        layers.kernels(50)
    layers.kernels(50)[0].sum().backward()
    assert layers[0].kernel.C.grad is not None
    assert layers[0].D.grad is not None
    layers.requires_grad_(False)
    assert not layers.kernels(50)[0].requires_grad


def test_only_outputs_and_linear_maps_learn():
    model = classifier("s4")
    assert {name.rsplit(".", 1)[1] for name, _ in model.named_parameters()} == {"weight", "bias", "C", "D"}
    assert {name.rsplit(".", 1)[1] for name, _ in model.encoder.named_buffers()} == {"log_dt", "B", "P", "Q", "w"}


def test_dropout_drops_whole_channels():
    layer = S4Model(S4Config(hidden_size=64, n_layers=1, dropout=0.5)).layers[0]
    factors = layer._kept_channels(torch.zeros(3, 50, 64))
    assert factors.shape == (3, 1, 64)
    assert set(factors.unique().tolist()) == {0.0, 2.0}

"""The layers of HuBERT-ECG and ECG-FM against torch's own operators and transformers' HubertModel."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
import torch
from torch.nn import functional
from transformers import HubertConfig, HubertModel

from hf_ecg_bench.errors import ContractError
from hf_ecg_bench.models.hubert_ecg.configuration_hubert_ecg import HubertEcgConfig
from hf_ecg_bench.models.hubert_ecg.modeling_hubert_ecg import HubertEcgModel
from hf_ecg_bench.models.hubert_ecg.spec import SPEC
from hf_ecg_bench.models.layers.dropout import dropout
from hf_ecg_bench.models.layers.postnorm import PostNormTransformer
from hf_ecg_bench.models.layers.postnorm_extractor import convolution, normed_convolution
from hf_ecg_bench.models.layers.postnorm_position import PositionalConvolution
from hf_ecg_bench.models.trace import Trace
from tests.models.fills import fill, filled


def tiny(**options) -> HubertEcgConfig:
    return HubertEcgConfig(**{**SPEC.tiny, **options})


@pytest.mark.parametrize(("kernel", "stride", "time"), [(3, 2, 40), (3, 2, 41), (2, 2, 41), (10, 4, 63), (4, 3, 30)])
def test_convolution_is_torch_s(kernel, stride, time):
    x, weight = fill("x", (2, time, 5)).requires_grad_(), fill("w", (7, 5, kernel)).requires_grad_()
    found = convolution(x, weight, stride)
    expected = functional.conv1d(x.mT, weight, stride=stride).mT
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-12)
    for ours, theirs in zip(
        torch.autograd.grad(found.square().sum(), (x, weight)),
        torch.autograd.grad(expected.square().sum(), (x, weight)),
        strict=True,
    ):
        torch.testing.assert_close(ours, theirs, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize(("kernel", "stride", "channels"), [(10, 4, 1), (2, 2, 3)])
def test_norm_in_the_kernel_is_group_norm(kernel, stride, channels):
    x = fill("x", (2, 60, channels)).requires_grad_()
    weight = fill("w", (8, channels, kernel)).requires_grad_()
    norm = filled(torch.nn.GroupNorm(8, 8))
    expected = norm(functional.conv1d(x.mT, weight, stride=stride)).mT
    found = normed_convolution(x, weight, stride, norm)
    torch.testing.assert_close(found, expected, rtol=1e-10, atol=1e-11)
    inputs = (x, weight, norm.weight, norm.bias)
    for ours, theirs in zip(
        torch.autograd.grad(found.pow(3).sum(), inputs), torch.autograd.grad(expected.pow(3).sum(), inputs), strict=True
    ):
        torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=1e-9)


def test_norm_of_a_kernel_that_cancels_the_signal():
    """A difference filter on a slow, offset signal: its output is a millionth of its input."""
    x = (5 + torch.linspace(0, 1, 400, dtype=torch.float64).square() * 1e-3).view(1, -1, 1)
    weight = torch.tensor([[[1.0, -1.0]]], dtype=torch.float64)
    norm = torch.nn.GroupNorm(1, 1).double()
    norm.eps = 1e-20
    exact = norm(functional.conv1d(x.mT, weight, stride=2)).mT
    found = normed_convolution(x, weight, 2, norm)
    torch.testing.assert_close(found, exact, rtol=1e-6, atol=1e-6)


def test_constant_signal_through_the_norm():
    norm = filled(torch.nn.GroupNorm(4, 4))
    found = normed_convolution(torch.ones(1, 30, 1).double(), fill("w", (4, 1, 3)), 2, norm)
    torch.testing.assert_close(found, norm.bias.expand_as(found))


@pytest.mark.parametrize("tokens", [1, 2, 7, 8, 33])
@pytest.mark.parametrize("batch", [1, 3])
def test_positions_are_a_weight_normalised_convolution(tokens, batch):
    layer = filled(PositionalConvolution(tiny(position_kernel=16)))
    x = fill("x", (batch, tokens, 32)).requires_grad_()
    plain = torch.nn.Conv1d(32, 32, 16, padding=8, groups=4).double()
    plain = torch.nn.utils.parametrizations.weight_norm(plain, dim=2)
    plain.parametrizations.weight.original0.data.copy_(layer.gain)
    plain.parametrizations.weight.original1.data.copy_(layer.direction)
    plain.bias.data.copy_(layer.bias)
    expected, found = plain(x.mT)[..., :-1].mT, layer(x)
    torch.testing.assert_close(found, expected, rtol=1e-11, atol=1e-11)
    ours = torch.autograd.grad(found.square().sum(), (x, *layer.parameters()))
    theirs = torch.autograd.grad(
        expected.square().sum(),
        (x, plain.parametrizations.weight.original0, plain.parametrizations.weight.original1, plain.bias),
    )
    for a, b in zip(ours, theirs, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-10)


def test_positions_in_single_precision_at_full_size():
    """The spectrum's rounding is no worse than the convolution's."""
    layer = filled(PositionalConvolution(HubertEcgConfig()))
    x = fill("x", (2, 93, 768))
    with torch.no_grad():
        exact = layer(x)
        layer, x = layer.float(), x.float()
        direct = torch.cat([layer(row.unsqueeze(0)) for row in x])
        for found in (layer(x), direct):
            assert (found - exact).abs().max() < 2e-6 * exact.abs().max()
    assert layer(x.bfloat16()).dtype == torch.bfloat16


def test_fresh_positions_have_the_norm_of_their_direction():
    layer = PositionalConvolution(tiny())
    torch.testing.assert_close(layer.gain, layer.direction.norm(dim=(0, 1)).view(1, 1, -1))
    assert layer.direction.std().item() == pytest.approx(2 / (8 * 32) ** 0.5, rel=0.1)
    assert not layer.bias.any()


def hubert(config: HubertEcgConfig) -> HubertModel:
    """transformers' own network of the same sizes."""
    return HubertModel(
        HubertConfig(
            hidden_size=config.hidden_size,
            num_hidden_layers=config.n_layers,
            num_attention_heads=config.n_heads,
            intermediate_size=config.intermediate_size,
            conv_dim=[config.extractor_width] * 5,
            conv_kernel=config.extractor_kernels,
            conv_stride=config.extractor_strides,
            num_conv_pos_embeddings=config.position_kernel,
            num_conv_pos_embedding_groups=config.position_groups,
            mask_time_prob=0.0,
        )
    ).double()


@pytest.mark.parametrize("batch", [1, 2])
def test_network_is_transformers_hubert(batch):
    ours = HubertEcgModel(tiny(preprocessing="original")).double().eval()
    theirs = hubert(ours.config).eval()
    theirs.load_state_dict({n: fill(n, tuple(v.shape), 0, 0.3) for n, v in theirs.state_dict().items()})
    tensors = {}
    for name, value in theirs.state_dict().items():
        for pattern, replacement in SPEC.renames:
            name = re.sub(pattern, replacement, name)
        tensors[name] = value
    tensors.pop("masked_spec_embed", None)  # there when the configuration masks
    ours.load_state_dict(tensors)
    x = fill("x", (batch, 12, 100))
    with torch.no_grad():
        found = ours(x, output_hidden_states=True, output_attentions=True)
        expected = theirs(x.flatten(1), output_hidden_states=True)
    torch.testing.assert_close(found.last_hidden_state, expected.last_hidden_state, rtol=1e-10, atol=1e-10)
    for a, b in zip(found.hidden_states, expected.hidden_states, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-10)
    assert [tuple(weights.shape) for weights in found.attentions] == [(batch, 4, 18, 18)] * 2


def test_layer_drop_skips_whole_layers_in_train_mode_only():
    model = PostNormTransformer(tiny(layer_drop=0.5, hidden_dropout=0, attention_dropout=0, activation_dropout=0))
    x = torch.randn(2, 9, 32)
    skipped = 0
    torch.manual_seed(0)
    for _ in range(50):
        trace = Trace(hidden_states=True, attentions=True)
        model.train()(x, trace)
        states = trace.hidden_states
        same = sum(torch.equal(before, after) for before, after in pairwise(states))
        assert len(trace.attentions) == 2 - same
        skipped += same
    assert 30 < skipped < 70
    assert model.eval()._skipped() == [False, False]


def test_dropout_share_scale_and_seed():
    x = torch.ones(1000, 333, requires_grad=True)
    torch.manual_seed(3)
    y = dropout(x, 0.1)
    assert (y == 0).float().mean().item() == pytest.approx(0.1, abs=2e-3)
    assert y.detach().unique().tolist() == pytest.approx([0, 1 / 0.9], rel=1e-4)
    assert y.mean().item() == pytest.approx(1, abs=2e-3)
    torch.testing.assert_close(torch.autograd.grad(y.sum(), x)[0], y.detach())
    torch.manual_seed(3)
    assert torch.equal(dropout(x, 0.1), y)
    assert not torch.equal(dropout(x, 0.1), y)
    # Neighbours share a random number but not their fate.
    kept = (y.detach() != 0).double().flatten()
    assert abs(torch.corrcoef(torch.stack([kept[:-1], kept[1:]]))[0, 1]) < 0.01
    assert dropout(x, 0.1, training=False) is x
    assert dropout(x, 0.0) is x
    for dtype in (torch.bfloat16, torch.float16, torch.float64):
        assert dropout(x.detach().to(dtype), 0.5).dtype == dtype


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_heads": 5}, "n_heads"),
        ({"position_groups": 5}, "position_groups"),
        ({"position_kernel": 7}, "even"),
        ({"extractor_kernels": [3]}, "one convolution each"),
        ({"layer_drop": 1.0}, "layer_drop"),
    ],
)
def test_contradictions_are_refused(options, message):
    with pytest.raises(ContractError, match=message):
        tiny(**options)

"""ECGFM-KED: its initialisation, its shortcuts, its lengths."""

from __future__ import annotations

import math

import pytest
import torch

from hf_ecg_bench.errors import ContractError
from hf_ecg_bench.models.ecgfm_ked.configuration_ecgfm_ked import EcgfmKedConfig
from hf_ecg_bench.models.ecgfm_ked.modeling_ecgfm_ked import EcgfmKedConvNorm, EcgfmKedModel
from hf_ecg_bench.models.layers.convolution import halve_by_mean
from tests.models.fills import classifier, fill


@pytest.fixture(scope="module")
def small() -> EcgfmKedModel:
    torch.manual_seed(0)
    return EcgfmKedModel(EcgfmKedConfig(stem_widths=[16, 16, 32], widths=[16, 16, 16, 16], depths=[2, 1, 1, 1])).eval()


@pytest.mark.parametrize(("samples", "tokens"), [(5000, 157), (1000, 32), (1237, 39), (250, 8), (1, 1)])
def test_tokens(small, samples, tokens):
    assert small(torch.zeros(1, 12, samples)).last_hidden_state.shape == (1, tokens, 64)


def test_a_fresh_block_is_its_shortcut(small):
    x = fill("x", (2, 9, 64)).float().abs()
    torch.testing.assert_close(small.stages[0][1](x), x)  # relu changes nothing that is positive
    assert small.stages[1][0].shortcut is None  # the length changes, the channels do not
    torch.testing.assert_close(small.stages[1][0](x), halve_by_mean(x))


def test_fresh_weights_are_fastais(small):
    units = [(name, unit) for name, unit in small.named_modules() if isinstance(unit, EcgfmKedConvNorm)]
    assert len(units) == 3 + 5 * 3 + 1
    for name, unit in units:
        fan_in = unit.conv.weight[0].numel()
        assert float(unit.conv.weight.detach().std()) == pytest.approx(math.sqrt(2 / fan_in), rel=0.15), name
        assert set(unit.norm.weight.tolist()) == {0.0 if name.endswith("convs.2") else 1.0}, name
        assert not unit.norm.bias.any()


def test_rate_is_a_field_of_the_configuration():
    config = EcgfmKedConfig(sampling_rate=100)
    assert (config.sampling_rate, config.window_seconds, config.hidden_size) == (100, 10, 768)
    assert EcgfmKedConfig().sampling_rate == 500


def test_contradictions_are_refused():
    with pytest.raises(ContractError, match="expansion"):
        EcgfmKedConfig(hidden_size=512)
    with pytest.raises(ContractError, match="kernel_size must be odd"):
        EcgfmKedConfig(kernel_size=4)
    with pytest.raises(ContractError, match="transpose"):  # the reference turns it round without a word
        classifier("ecgfm_ked")(torch.zeros(2, 50, 12))

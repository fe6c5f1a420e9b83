"""MERL: one configuration for two architectures."""

from __future__ import annotations

import pytest
import torch

from hf_ecg_bench.errors import ContractError, UnknownNameError
from hf_ecg_bench.models.merl.configuration_merl import MerlConfig
from hf_ecg_bench.models.merl.modeling_merl import MerlModel
from hf_ecg_bench.models.param_groups import param_groups
from tests.models.fills import classifier


def test_defaults_follow_the_backbone():
    resnet, vit = MerlConfig(), MerlConfig(backbone="vit")
    assert (resnet.sampling_rate, resnet.window_seconds, resnet.hidden_size) == (500, 2.5, 512)
    assert resnet.fixed_length is None
    assert (vit.sampling_rate, vit.window_seconds, vit.hidden_size, vit.fixed_length) == (500, 10, 192, 5000)
    assert MerlConfig(window_seconds=10).window_seconds == 10
    again = MerlConfig.from_dict(vit.to_dict())
    assert (again.backbone, again.window_seconds, again.hidden_size) == ("vit", 10, 192)


def test_contradictions_are_refused():
    with pytest.raises(UnknownNameError, match="did you mean 'resnet'"):
        MerlConfig(backbone="resnet18")
    with pytest.raises(ContractError, match="last as hidden_size"):
        MerlConfig(hidden_size=192)
    with pytest.raises(ContractError, match="depth per width"):
        MerlConfig(depths=[2, 2])
    with pytest.raises(ContractError, match="5 heads"):
        MerlConfig(backbone="vit", n_heads=5)
    with pytest.raises(ContractError, match="exactly 75 samples, found 100"):
        classifier("merl", variant="vit")(torch.zeros(1, 12, 100))
    with pytest.raises(ContractError, match="no attention layers"):
        classifier("merl")(torch.zeros(1, 12, 100), output_attentions=True)


@pytest.mark.parametrize(("samples", "tokens"), [(1250, 79), (5000, 313), (1237, 78), (1, 1)])
def test_tokens_of_the_resnet(samples, tokens):
    model = MerlModel(MerlConfig(widths=[16] * 4, depths=[1] * 4)).eval()
    output = model(torch.zeros(1, 12, samples))
    assert output.last_hidden_state.shape == (1, tokens, 16)
    torch.testing.assert_close(output.pooler_output, output.last_hidden_state.mean(dim=1))


def test_norm_of_the_vit_comes_after_pooling():
    model = classifier("merl", variant="vit").encoder.eval()
    output = model(torch.randn(2, 12, 75))
    pooled = torch.nn.functional.layer_norm(output.last_hidden_state.mean(dim=1), (32,))
    torch.testing.assert_close(output.pooler_output, pooled)


def test_the_vit_is_trained_in_groups():
    """The benchmark's groups name the ResNet's layers only, which would leave the ViT untrained."""
    with torch.device("meta"):
        model = classifier("merl", small=False, backbone="vit")
    groups = {group["name"]: sum(p.numel() for p in group["params"]) for group in param_groups(model, 1.0, 0.0)}
    block = 3 * 192**2 + 3 * 192 + 192**2 + 192 + 8 * 192**2 + 768 + 192 + 4 * 192
    assert groups == {"head": 3 * 192 + 3, "late": 9 * block + 2 * 192, "early": 3 * block + 192 * 600 + 100 * 192}

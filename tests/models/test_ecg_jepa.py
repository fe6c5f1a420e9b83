"""ECG-JEPA: attention along leads and across them, positions, leads used, initialisation."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch

from hf_ecg_bench.errors import ContractError
from hf_ecg_bench.models.ecg_jepa.attention import attend_lead_patch, lead_patch_mask
from hf_ecg_bench.models.ecg_jepa.configuration_ecg_jepa import EcgJepaConfig
from hf_ecg_bench.models.ecg_jepa.modeling_ecg_jepa import EcgJepaModel, position_table
from hf_ecg_bench.models.layers.attention import PackedSelfAttention, attend
from hf_ecg_bench.models.registry import get_model_spec
from tests.models.fills import classifier, fill, filled, tiny_windows


def test_mask_lets_57_of_400_through():
    mask = lead_patch_mask(8, 50)
    assert mask.shape == (400, 400)
    assert mask.sum(dim=1).unique().tolist() == [57]
    assert mask[0, :50].all()
    assert mask[0, 50::50].all()
    assert not mask[0, 51]


@pytest.mark.parametrize(("leads", "patches"), [(8, 5), (3, 1), (1, 4)])
def test_scores_where_the_mask_allows_them_equal_the_masked_attention(leads, patches):
    query, key, value = (fill(name, (2, 3, leads, patches, 4)).requires_grad_() for name in "qkv")
    expected, _ = attend(*(x.flatten(2, 3) for x in (query, key, value)), mask=lead_patch_mask(leads, patches))
    found = attend_lead_patch(query, key, value)
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-13)
    want = torch.autograd.grad(expected.square().sum(), (query, key, value))
    for gradient, right in zip(torch.autograd.grad(found.square().sum(), (query, key, value)), want, strict=True):
        torch.testing.assert_close(gradient, right, rtol=1e-10, atol=1e-11)


def test_fused_attention_under_the_mask_gives_the_same():
    """What accelerators run."""
    attention = filled(classifier("ecg_jepa")).encoder.blocks[0].attention
    x = fill("tokens", (2, 32, 32))
    with torch.no_grad():
        fused, _ = PackedSelfAttention.forward(attention, x, lead_patch_mask(8, 4))
        torch.testing.assert_close(attention(x)[0], fused, rtol=1e-12, atol=1e-13)


def test_first_half_of_the_table_is_the_patch_the_second_the_lead():
    table = position_table(50, 768).view(8, 50, 2, 384)
    assert torch.equal(table[0, :, 0], table[7, :, 0])
    assert torch.equal(table[:, 0, 1], table[:, 49, 1])
    assert float(table[0, 3, 0, 0]) == pytest.approx(0.14112)
    assert float(table[5, 0, 1, 192]) == pytest.approx(0.283662)


def test_parameters_of_the_published_size():
    with torch.device("meta"):
        model = EcgJepaModel(EcgJepaConfig())
    assert sum(p.numel() for p in model.parameters()) == get_model_spec("ecg_jepa").parameters == 85_067_520
    assert len(list(model.parameters())) == 136
    assert set(model.state_dict()) - {name for name, _ in model.named_parameters()} == {"position_embedding"}


def test_eight_leads_are_read():
    model = filled(classifier("ecg_jepa")).encoder
    x = tiny_windows("ecg_jepa").double()
    with torch.no_grad():
        plain = model(x).last_hidden_state
        for lead in range(12):
            changed = x.clone()
            changed[:, lead] += 1
            assert torch.equal(model(changed).last_hidden_state, plain) == (2 <= lead < 6), lead


def test_every_block_adds_the_positions():
    model = filled(classifier("ecg_jepa")).encoder
    for block in model.blocks:  # what is left of a block is its input
        for linear in (block.attention.proj, block.fc2):
            linear.weight.data.zero_()
            linear.bias.data.zero_()
    with torch.no_grad():
        states = model(tiny_windows("ecg_jepa").double(), output_hidden_states=True).hidden_states
    for before, after in pairwise(states):
        torch.testing.assert_close(after - before, model.position_embedding.expand_as(before), rtol=0, atol=1e-12)


def test_attention_weights_are_zero_where_the_mask_is():
    model = filled(classifier("ecg_jepa"))
    with torch.no_grad():
        for weights in model(tiny_windows("ecg_jepa").double(), output_attentions=True).attentions:
            assert torch.equal(weights != 0, model.encoder.mask.expand_as(weights))


def test_fresh_weights_start_as_in_the_authors_code():
    model = classifier("ecg_jepa", hidden_size=64, intermediate_size=128).encoder
    assert float(model.patch_embedding.weight.detach().std()) == pytest.approx(0.02, rel=0.1)
    for depth, block in enumerate(model.blocks, start=1):
        for linear, std in (
            (block.attention.qkv, 0.02),
            (block.fc1, 0.02),
            (block.attention.proj, 0.02 / (2 * depth) ** 0.5),
            (block.fc2, 0.02 / (2 * depth) ** 0.5),
        ):
            assert float(linear.weight.detach().std()) == pytest.approx(std, rel=0.1)
            assert linear.bias is None or not linear.bias.any()


def test_configuration_is_checked():
    with pytest.raises(ContractError, match="all 12"):
        EcgJepaConfig(n_leads=8)
    with pytest.raises(ContractError, match="n_heads 5"):
        EcgJepaConfig(n_heads=5)
    with pytest.raises(ContractError, match="exactly 2500"):
        EcgJepaConfig().check_length(2450)

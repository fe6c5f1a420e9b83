"""ST-MEM: separators and positions, the norm of pooled features alone, both public files, initialisation."""

from __future__ import annotations

import pytest
import torch

from hf_ecg_bench.errors import CheckpointError, ContractError
from hf_ecg_bench.models.conversion.names import SECOND_COPY, account
from hf_ecg_bench.models.registry import get_model_spec
from hf_ecg_bench.models.st_mem.configuration_st_mem import StMemConfig
from hf_ecg_bench.models.st_mem.embedding import lead_table, position_table, with_separators, without_separators
from hf_ecg_bench.models.st_mem.modeling_st_mem import StMemModel
from tests.models.fills import classifier, fill, filled

SPEC = get_model_spec("st_mem")


def test_table_of_positions_separators_and_leads():
    positions, separator, leads = fill("pos", (1, 6, 8)), fill("sep", (8,)), fill("leads", (3, 8))
    table = lead_table(positions, separator, leads, n_patches=2)
    assert table.shape == (3, 4, 8)
    for lead in range(3):
        rows = [positions[0, 0] + separator, positions[0, 1], positions[0, 2], positions[0, 5] + separator]
        torch.testing.assert_close(table[lead], torch.stack(rows) + leads[lead])


def test_separators_are_put_around_each_lead_and_taken_away():
    patches = fill("patches", (2, 3, 4, 8))
    tokens = with_separators(patches, torch.zeros(3, 6, 8, dtype=torch.float64))
    assert tokens.shape == (2, 18, 8)
    assert not tokens[:, [0, 5, 6, 11, 12, 17]].any()
    assert torch.equal(without_separators(tokens, 3), patches.flatten(1, 2))


def test_position_table_has_zero_rows_for_separators():
    table = position_table(30, 768)
    assert table.shape == (1, 32, 768)
    assert not table[0, [0, 31]].any()
    assert float(table[0, 2, 0]) == pytest.approx(0.841471)  # patch 1
    assert float(table[0, 1, 384]) == 1


def test_pooled_features_are_normalised_and_tokens_are_not():
    model = filled(classifier("st_mem")).encoder
    with torch.no_grad():
        output = model(fill("x", (2, 12, 60)), output_hidden_states=True)
        pooled = model.norm(output.last_hidden_state.mean(dim=1))
    assert output.last_hidden_state.shape == (2, 12 * 4, 32)
    assert torch.equal(output.pooler_output, pooled)
    assert output.hidden_states[-1].shape == (2, 12 * 6, 32)
    assert torch.equal(without_separators(output.hidden_states[-1], 12), output.last_hidden_state)


def test_lengths():
    config = StMemConfig()
    for samples in (75, 600, 2250):
        config.check_length(samples)
    for samples in (0, 601, 2325):
        with pytest.raises(ContractError, match=f"at most 2250, found {samples}"):
            config.check_length(samples)
    with pytest.raises(ContractError, match="n_heads 5"):
        StMemConfig(n_heads=5)


def public_names() -> list[str]:
    """The encoder's 166 names in the file without decoder."""
    blocks = ("attn.norm", "attn.fn.to_qkv", "attn.fn.to_out.0", "ff.norm", "ff.fn.net.0", "ff.fn.net.3")
    modules = [f"to_patch_embedding.{n}" for n in (1, 2, 3)] + ["norm"]
    modules += [f"block{block}.{part}" for block in range(12) for part in blocks]
    names = [f"{module}.{kind}" for module in modules for kind in ("weight", "bias")]
    return [*names, "pos_embedding", "sep_embedding", *(f"lead_embeddings.{lead}" for lead in range(12))]


DECODER = ["mask_embedding", "decoder_pos_embed", "to_decoder_embedding.weight", "decoder_blocks.0.attn.norm.weight"]


def full_file() -> dict[str, torch.Tensor]:
    """Names of the file with the decoder, the patch embedding twice; small tensors."""
    tensors = {f"encoder.{name}": torch.full((1,), float(index)) for index, name in enumerate(public_names())}
    again = {name.removeprefix("encoder."): value for name, value in tensors.items() if "to_patch_embedding" in name}
    return tensors | again | {name: torch.zeros(1) for name in DECODER}


def test_both_public_files_name_the_same_model():
    with torch.device("meta"):
        model = StMemModel(StMemConfig())
    expected = set(model.state_dict())
    alone = account(SPEC, {name: torch.zeros(1) for name in public_names()}, "encoder.pth")
    assert len(alone.ours) == len(expected) == 166
    assert set(alone.ours.values()) == expected
    assert alone.ignored == {}
    whole = account(SPEC, full_file(), "full.pth")
    assert {name.removeprefix("encoder."): ours for name, ours in whole.ours.items()} == alone.ours
    assert sum(reason == SECOND_COPY for reason in whole.ignored.values()) == 6
    assert set(DECODER) < set(whole.ignored)
    assert sum(p.numel() for p in model.parameters()) == SPEC.parameters == 85_126_038
    assert len(list(model.parameters())) == 165


def test_second_patch_embedding_must_equal_the_first():
    tensors = full_file()
    tensors["to_patch_embedding.2.bias"] = tensors["to_patch_embedding.2.bias"] + 1
    with pytest.raises(CheckpointError, match="second copy"):
        account(SPEC, tensors, "full.pth")


def test_fresh_weights_start_as_in_the_authors_code():
    model = classifier("st_mem").encoder
    linears = [model.patch_embedding.linear]
    for block in model.blocks:
        linears += [block.attention.qkv, block.attention.proj, block.fc1, block.fc2]
    for linear in linears:
        bound = (6 / sum(linear.weight.shape)) ** 0.5
        assert 0.95 * bound < float(linear.weight.detach().abs().max()) <= bound
        assert not linear.bias.any()
    embeddings = torch.stack([model.sep_embedding, *model.lead_embeddings])
    assert float(embeddings.detach().std()) == pytest.approx(0.02, rel=0.2)

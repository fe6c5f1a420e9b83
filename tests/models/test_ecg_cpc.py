"""ECG-CPC: causal layers, any length, and pretraining against the reference's own steps and a plain loop."""

from __future__ import annotations

import math

import pytest
import torch
from safetensors.torch import load_file
from torch.nn import functional
from transformers import AutoModel

from hf_ecg_bench.errors import CheckpointError, ContractError
from hf_ecg_bench.models.ecg_cpc.configuration_ecg_cpc import EcgCpcConfig
from hf_ecg_bench.models.ecg_cpc.contrastive import cpc_loss, draw_negatives
from hf_ecg_bench.models.ecg_cpc.modeling_ecg_cpc import EcgCpcModel
from hf_ecg_bench.models.ecg_cpc.pretraining import (
    EcgCpcForPreTraining,
    build_pretraining_model,
    load_pretraining_checkpoint,
    pretraining_groups,
)
from hf_ecg_bench.models.ecg_cpc.spec import SPEC, options_from
from hf_ecg_bench.models.loading import load_model
from hf_ecg_bench.models.saving import save_model
from tests.models.fills import classifier, fill, filled
from tests.models.oracles import load_oracle

GROUPS = {"head": "head_ssl", "late": "S4 predictor", "early": "convolutional encoder"}


def tiny(**fields) -> EcgCpcConfig:
    return EcgCpcConfig(**{**SPEC.tiny, "predicted_step": 3, "n_negatives": 5, **fields})


def test_tokens_see_no_later_samples():
    model = filled(classifier("ecg_cpc")).encoder
    x = fill("x", (1, 12, 90))
    changed = x.clone()
    changed[..., 61:] += 1  # token i reads samples 2i - 1 to 2i + 1
    with torch.no_grad():
        before, after = model(x).last_hidden_state[0], model(changed).last_hidden_state[0]
    assert before.shape == (45, 32)
    same = (before - after).abs().amax(dim=1) < 1e-12
    assert same.tolist() == [True] * 30 + [False] * 15


@pytest.mark.parametrize("samples", [1, 2, 75, 100, 263])
def test_any_length_and_beyond_l_max(samples):
    """A longer window's first tokens are the shorter window's, except that the end is padded by zeros."""
    model = filled(classifier("ecg_cpc")).encoder
    x = fill("long", (1, 12, 400))
    state = {name: value.clone() for name, value in model.state_dict().items()}
    with torch.no_grad():
        whole, part = model(x).last_hidden_state, model(x[..., :samples]).last_hidden_state
    assert part.shape[1] == math.ceil(samples / 2)
    sure = samples // 2
    torch.testing.assert_close(part[:, :sure], whole[:, :sure], rtol=1e-10, atol=1e-11)
    assert all(torch.equal(value, state[name]) for name, value in model.state_dict().items())


def test_l_max_comes_from_the_file():
    name = "predictor.predictor.s4_layers.{}.kernel.kernel.omega"
    assert options_from({name.format(0): (301, 2), name.format(1): (301, 2)}) == {"l_max": 600}
    with pytest.raises(CheckpointError, match="found 301, 601"):
        options_from({name.format(0): (301, 2), name.format(1): (601, 2)})
    with pytest.raises(CheckpointError, match="no such tensor"):
        options_from({"D": (1, 512)})


def plain_loss(predictions, codes, negatives, step):
    """The definition, position by position."""
    loss, hits = predictions.new_zeros(()), 0.0
    for i, drawn in enumerate(negatives):
        batch = torch.arange(len(codes))
        candidates = torch.cat([codes[batch, i + step, None], codes[batch[:, None], drawn]], dim=1)
        logits = torch.einsum("bd,bkd->bk", predictions[:, i], candidates)
        loss = loss + functional.cross_entropy(logits, torch.zeros(len(codes), dtype=torch.long))
        hits += float((logits.argmax(dim=1) == 0).double().mean())
    return loss, hits / len(negatives)


@pytest.mark.parametrize(("tokens", "step", "number"), [(20, 14, 128), (9, 3, 2), (4, 3, 5), (30, 1, 7)])
def test_loss_is_the_definition(tokens, step, number):
    tensors = [fill(name, (3, tokens, 6), std=3).requires_grad_() for name in ("predictions", "codes")]
    negatives = draw_negatives(3, tokens, number, step, torch.Generator().manual_seed(0))
    results = []
    for function in (lambda *a: cpc_loss(*a), lambda *a: plain_loss(*a, step)):
        loss, accuracy = function(*tensors, negatives)
        results.append((loss, float(accuracy), *torch.autograd.grad(2 * loss, tensors)))
    for found, expected in zip(*results, strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-11, atol=1e-12)


def test_loss_of_large_logits_is_finite():
    predictions, codes = (1e3 * fill(name, (2, 12, 4)).float() for name in ("p", "z"))
    predictions.requires_grad_()
    loss, _ = cpc_loss(predictions, codes, draw_negatives(2, 12, 8, 2))
    loss.backward()
    assert torch.isfinite(loss)
    assert torch.isfinite(predictions.grad).all()


def test_negatives_are_the_reference_draws():
    tokens, step, batch, number = 40, 14, 3, 128
    torch.manual_seed(7)
    expected = []
    for i in range(tokens - step):
        drawn = torch.randint(0, tokens - 1, (batch * number,))
        expected.append((drawn + (drawn >= i + step)).view(batch, number))
    torch.manual_seed(7)
    found = draw_negatives(batch, tokens, number, step)
    assert torch.equal(found, torch.stack(expected))
    assert not (found == torch.arange(step, tokens).view(-1, 1, 1)).any()
    assert found.min() == 0
    assert found.max() == tokens - 1


def test_pretraining_model_learns_saves_and_becomes_a_backbone(tmp_path):
    torch.manual_seed(0)
    model = EcgCpcForPreTraining(tiny()).train()
    optimizer = torch.optim.AdamW(pretraining_groups(model, 1e-2, factors=(1, 1, 1)))
    x = fill("x", (2, 12, 100)).float()
    x[0, 0, :5] = float("nan")
    losses = []
    for step in range(8):
        output = model(x, generator=torch.Generator().manual_seed(step))
        optimizer.zero_grad()
        output.loss.backward()
        assert all(parameter.grad is not None for parameter in model.parameters())
        optimizer.step()
        losses.append(output.loss.item())
    assert losses[0] == pytest.approx((50 - 3) * math.log(6), rel=0.5)
    assert losses[-1] < 0.8 * losses[0]
    assert 0 <= float(output.accuracy) <= 1

    model.eval().save_pretrained(tmp_path / "pretrained")
    same = EcgCpcForPreTraining.from_pretrained(tmp_path / "pretrained")
    generators = (torch.Generator().manual_seed(1) for _ in range(2))
    with torch.no_grad():
        a, b = (m(x, generator=g).loss for m, g in zip((model, same), generators, strict=True))
        assert torch.equal(a, b)
        features = AutoModel.from_pretrained(tmp_path / "pretrained")(x).pooler_output
        assert torch.equal(features, model.encoder(x).pooler_output)
    save_model(model.encoder, tmp_path / "backbone")
    tuned = load_model(tmp_path / "backbone", target_names=["a", "b"])
    assert tuned.head.weight.shape == (2, 32)
    assert torch.equal(tuned.encoder.layers[0].D, model.encoder.layers[0].D)
    with pytest.raises(ContractError, match="6 samples are 3 tokens: none is 3 ahead"):
        model(x[..., :6])


def test_pretraining_in_half_precision_keeps_its_loss_in_float32():
    model = EcgCpcForPreTraining(tiny())
    x = fill("x", (2, 12, 100)).float()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert model(x).loss.dtype == torch.float32
    assert model.to(torch.bfloat16)(x).loss.dtype == torch.float32


def test_defaults_are_the_published_size():
    assert sum(parameter.numel() for parameter in EcgCpcModel(EcgCpcConfig()).parameters()) == SPEC.parameters


@pytest.fixture(scope="module")
def oracle(shared):
    return load_oracle(shared)


@pytest.mark.shared
@pytest.mark.parametrize("mode", [pytest.param("eval_mode", marks=pytest.mark.slow), "train_mode"])
def test_pretraining_follows_the_reference(oracle, shared, mode):
    facts = oracle.load_manifest("ecg_cpc")["train"]["pretraining"]
    expected = facts["modes"][mode]
    negatives = load_file(shared / "oracles" / "ecg_cpc" / "io.safetensors")["main/cpc_negatives"].long()
    model = build_pretraining_model(oracle.checkpoint("ecg_cpc"), "oracle", "").double()
    for layer in model.encoder.layers:
        layer.dropout = 0.0
    model.train(mode == "train_mode")
    x = oracle.inputs("ecg_cpc")["main"].double()
    groups = pretraining_groups(model, weight_decay=facts["weight_decay"])
    for group in groups:
        known = facts["groups"][GROUPS[group["name"]]]
        assert group["lr"] == pytest.approx(known["lr"])
        assert len(group["params"]) == known["tensors"]
    optimizer = torch.optim.AdamW(groups)
    losses, accuracies = [], []
    for step, drawn in enumerate(negatives):
        output = model(x, negatives=drawn)
        losses.append(output.loss.item())
        accuracies.append(float(output.accuracy))
        optimizer.zero_grad()
        output.loss.backward()
        if step == 0:
            for group in groups:
                norm = torch.cat([p.grad.flatten() for p in group["params"]]).norm().item()
                assert norm == pytest.approx(expected["grad_norm_step0"][GROUPS[group["name"]]], rel=1e-7)
        optimizer.step()
    assert losses == pytest.approx(expected["loss64"], rel=1e-8)
    assert accuracies == pytest.approx(expected["accuracy"], rel=1e-6)


@pytest.mark.shared
def test_negatives_are_the_stored_ones(oracle, shared):
    facts = oracle.load_manifest("ecg_cpc")["train"]["pretraining"]
    stored = load_file(shared / "oracles" / "ecg_cpc" / "io.safetensors")["main/cpc_negatives"].long()
    torch.manual_seed(facts["seed"])
    batch, tokens = stored.shape[2], stored.shape[1] + facts["steps_predicted"]
    for expected in stored:
        found = draw_negatives(batch, tokens, facts["n_false_negatives"], facts["steps_predicted"])
        assert torch.equal(found, expected)


@pytest.mark.shared
def test_public_file_for_further_pretraining(oracle, tmp_path):
    oracle.save_checkpoint("ecg_cpc", tmp_path / "last.ckpt")
    model = load_pretraining_checkpoint(tmp_path / "last.ckpt")
    weights = oracle.checkpoint("ecg_cpc")["state_dict"]
    assert torch.equal(model.head.weight, weights["ts_encoder.head_ssl.proj.0.weight"])
    assert (model.config.l_max, model.config.source_file) == (1200, "last.ckpt")
    assert not model.training
    del weights["ts_encoder.head_ssl.proj.0.weight"]
    with pytest.raises(CheckpointError, match=r"1 of \d+ tensors are missing: head.weight"):
        build_pretraining_model({"state_dict": weights}, "file", "")

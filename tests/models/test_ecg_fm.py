"""ECG-FM: its frozen extractor, its pooling, its files."""

from __future__ import annotations

import pytest
import torch
from transformers import AutoModel, AutoModelForSequenceClassification

from hf_ecg_bench.errors import ContractError, UnknownNameError
from hf_ecg_bench.models.ecg_fm.configuration_ecg_fm import EcgFmConfig
from hf_ecg_bench.models.ecg_fm.modeling_ecg_fm import EcgFmModel
from hf_ecg_bench.models.ecg_fm.spec import SPEC
from hf_ecg_bench.models.saving import save_model
from tests.models.fills import classifier, tiny_windows


def extractor_trains(model: torch.nn.Module) -> set[bool]:
    return {p.requires_grad for name, p in model.named_parameters() if "extractor." in name}


def test_extractor_is_frozen_after_loading_too(tmp_path):
    model = classifier("ecg_fm")
    assert extractor_trains(model) == {False}
    assert extractor_trains(EcgFmModel(model.config)) == {False}
    save_model(model, tmp_path / "model")
    for auto in (AutoModel, AutoModelForSequenceClassification):
        loaded = auto.from_pretrained(tmp_path / "model")
        assert extractor_trains(loaded) == {False}
        assert loaded.transformer.norm.weight.requires_grad if auto is AutoModel else loaded.head.weight.requires_grad
    model(tiny_windows("ecg_fm"), labels=torch.zeros(2, 3)).loss.backward()
    without = {name for name, p in model.named_parameters() if p.grad is None}
    assert without == {name for name, _ in model.named_parameters() if name.startswith("encoder.extractor.")}


def test_extractor_can_be_trained(tmp_path):
    save_model(classifier("ecg_fm", freeze_extractor=False), tmp_path / "model")
    model = AutoModelForSequenceClassification.from_pretrained(tmp_path / "model")
    assert extractor_trains(model) == {True}
    model(tiny_windows("ecg_fm"), labels=torch.zeros(2, 3)).loss.backward()
    assert all(p.grad is not None for p in model.parameters())


def test_only_the_dropout_inside_the_feed_forward_is_on():
    config = EcgFmConfig()
    dropouts = (config.hidden_dropout, config.attention_dropout, config.layer_drop, config.activation_dropout)
    assert dropouts == (0, 0, 0, 0.1)


def test_poolings():
    tokens = torch.tensor([[[1.0, 0.0], [3.0, 4.0]]])
    model = EcgFmModel(EcgFmConfig(**SPEC.tiny))
    assert model.pool(tokens).tolist() == [[2.0, 2.0]]
    model.config.pooling = "nonzero_mean"
    assert model.pool(tokens).tolist() == [[2.0, 4.0]]
    with pytest.raises(UnknownNameError, match="mean"):
        EcgFmConfig(pooling="means")


def test_shortest_window():
    model = EcgFmModel(EcgFmConfig(**SPEC.tiny)).eval()
    assert model(torch.randn(1, 12, 16)).last_hidden_state.shape == (1, 1, 32)
    assert model(torch.randn(2, 12, 1237)).last_hidden_state.shape == (2, 77, 32)
    with pytest.raises(ContractError, match="at least 16 samples, found 15"):
        model(torch.randn(1, 12, 15))

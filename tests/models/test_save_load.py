"""What is saved comes back bit for bit through every Auto class; what is missing is said or refused."""

from __future__ import annotations

import json
import logging

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import (
    AutoConfig,
    AutoFeatureExtractor,
    AutoModel,
    AutoModelForSequenceClassification,
)

from hf_ecg_bench.errors import CheckpointError, ContractError, UnknownNameError
from hf_ecg_bench.models.feature_extraction import EcgFeatureExtractor
from hf_ecg_bench.models.loading import fresh_spec, load_model
from hf_ecg_bench.models.registry import get_model_spec, list_models, model_class
from hf_ecg_bench.models.saving import save_model
from tests.models.fills import classifier, filled, tiny_windows

every_model = pytest.mark.parametrize("model_id", list_models())


@pytest.fixture(autouse=True)
def poison_freed_memory():
    """Uninitialised tensors are taken from freed memory: fill some with NaN, so that they show."""
    blocks = [torch.full((size,), float("nan")) for size in (8, 32, 96, 512, 1024, 4096, 65536) for _ in range(20)]
    del blocks


def same_state(a: torch.nn.Module, b: torch.nn.Module) -> None:
    """All parameters and all buffers, persistent or not."""
    for kind in ("named_parameters", "named_buffers"):
        ours, theirs = dict(getattr(a, kind)()), dict(getattr(b, kind)())
        assert ours.keys() == theirs.keys()
        for name, value in ours.items():
            assert torch.equal(value, theirs[name]), name
            assert not value.is_meta


@every_model
@pytest.mark.parametrize("head", ["linear", "attention"])
def test_round_trip_is_bit_identical(model_id, head, tmp_path):
    model = filled(classifier(model_id, head)).float()  # statistics of BatchNorm too
    save_model(model, tmp_path / "model")
    loaded = AutoModelForSequenceClassification.from_pretrained(tmp_path / "model")
    assert type(loaded) is type(model)
    same_state(model, loaded)
    volatile = {"dtype": None, "_name_or_path": None}
    assert loaded.config.to_dict() | volatile == model.config.to_dict() | volatile
    backbone = AutoModel.from_pretrained(tmp_path / "model")
    assert type(backbone) is type(model.encoder)
    same_state(model.encoder, backbone)
    x = tiny_windows(model_id)
    with torch.no_grad():
        assert torch.equal(model(x).logits, loaded(x).logits)
        assert torch.equal(model(x).pooler_output, backbone(x).pooler_output)
    assert AutoConfig.from_pretrained(tmp_path / "model").model_type == model.config.model_type
    assert isinstance(AutoFeatureExtractor.from_pretrained(tmp_path / "model"), EcgFeatureExtractor)


@every_model
def test_backbone_gets_a_sane_fresh_head_and_says_so(model_id, tmp_path, caplog):
    backbone = filled(classifier(model_id)).float().encoder
    save_model(backbone, tmp_path / "backbone")
    with caplog.at_level(logging.WARNING):
        model = load_model(tmp_path / "backbone", target_names=["a", "b"], head="attention", seed=3)
    same_state(model.encoder, backbone)
    size = model.config.hidden_size
    assert model.config.id2label == {0: "a", 1: "b"}
    assert float(model.head.query.detach().std()) == pytest.approx(size**-0.5, rel=0.5)
    assert float(model.head.k_proj.weight.detach().std()) == pytest.approx((3 * size) ** -0.5, rel=0.2)
    again = load_model(tmp_path / "backbone", target_names=["a", "b"], head="attention", seed=3)
    same_state(model, again)


@every_model
def test_other_targets_get_a_fresh_head(model_id, tmp_path):
    save_model(classifier(model_id, n_targets=3), tmp_path / "model")
    for names, head in ((["a", "b"], None), (["a", "b", "c"], "attention")):
        model = load_model(tmp_path / "model", target_names=names, head=head)
        logits = model(tiny_windows(model_id)).logits.detach()
        assert logits.shape == (2, len(names))
        assert float(logits.abs().max()) < 100


@every_model
def test_head_follows_the_target_names_not_their_number(model_id, tmp_path):
    """Two targets named otherwise fit the stored head's shape, but it was not trained for them."""
    save_model(
        load_model(model_id, pretrained=False, target_names=["a", "b"], **get_model_spec(model_id).tiny),
        tmp_path / "model",
    )
    stored = load_file(tmp_path / "model" / "model.safetensors")
    heads = {name for name in stored if name.startswith("head.")}
    kept = load_model(tmp_path / "model", target_names=["a", "b"]).state_dict()
    fresh = load_model(tmp_path / "model", target_names=["c", "d"], seed=3)
    assert fresh.config.id2label == {0: "c", 1: "d"}
    again = load_model(tmp_path / "model", target_names=["c", "d"], seed=3)
    same_state(fresh, again)
    assert heads
    for name, value in fresh.state_dict().items():
        if name in stored:
            assert torch.equal(kept[name], stored[name]), name
            assert torch.equal(value, stored[name]) == (name not in heads), name
    size = fresh.config.hidden_size
    assert torch.isfinite(fresh.head.weight).all()
    assert float(fresh.head.weight.detach().std()) == pytest.approx((3 * size) ** -0.5, rel=0.4)
    assert not fresh.training
    assert not fresh.head.training


def test_kinds_belong_to_the_targets(tmp_path):
    """A head for a number is none for yes or no; what a number was scaled with stays with it."""
    options = {"target_names": ["a", "age"], "target_mean": [0.0, 60.0], "target_std": [1.0, 9.0]}
    tiny = get_model_spec("s4").tiny
    model = load_model("s4", target_kinds=["binary", "regression"], **options, **tiny)
    save_model(model, tmp_path / "model")
    same = load_model(tmp_path / "model", target_names=["a", "age"], target_kinds=["binary", "regression"])
    assert torch.equal(same.head.weight, model.head.weight)
    assert (same.config.target_mean, same.config.target_std) == ([0.0, 60.0], [1.0, 9.0])
    other = load_model(tmp_path / "model", target_names=["a", "age"])
    assert not torch.equal(other.head.weight, model.head.weight)
    assert other.config.target_mean is None


def test_folder_named_like_a_model_is_not_taken_for_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    save_model(load_model("s4", n_layers=1, hidden_size=16), tmp_path / "s4")
    fresh = load_model("s4", pretrained=False, **get_model_spec("s4").tiny)
    assert fresh.training
    assert fresh.config.n_layers == get_model_spec("s4").tiny["n_layers"]
    assert load_model("./s4").config.n_layers == 1


@every_model
def test_fresh_initialisation_is_drawn_and_sane(model_id):
    """Each architecture has its own (see the tests of the model): here only what holds for all of them."""
    for variant in (None, *get_model_spec(model_id).tiny_variants):
        torch.manual_seed(0)
        model = classifier(model_id, variant=variant)
        torch.manual_seed(0)
        same_state(model, classifier(model_id, variant=variant))
        torch.manual_seed(1)
        other = dict(classifier(model_id, variant=variant).named_parameters())
        layers = torch.nn.Linear | torch.nn.Conv1d | torch.nn.Conv2d
        weights = {f"{name}.weight" for name, module in model.named_modules() if isinstance(module, layers)}
        assert weights
        for name, value in (*model.named_parameters(), *model.named_buffers()):
            assert torch.isfinite(value).all(), name
            assert float(value.detach().float().abs().max()) < 100, name
            if name in weights:
                assert not torch.equal(value, other[name]), name
                assert 1e-3 < float(value.detach().std()) < 1, name
        with torch.no_grad():
            assert torch.isfinite(model.eval()(tiny_windows(model_id)).logits).all()


@pytest.mark.parametrize("model_id", ["ecg_founder", "net1d", "s4"])
def test_fresh_convolutions_and_linear_maps_start_as_in_torch(model_id):
    """transformers' default would redraw every layer from N(0, 0.02) and zero the biases."""
    model = classifier(model_id)
    for name, module in model.named_modules():
        if isinstance(module, torch.nn.Linear | torch.nn.Conv1d) and module.weight.numel() > 200:
            bound = module.weight[0].numel() ** -0.5
            assert float(module.weight.detach().std()) == pytest.approx(bound / 3**0.5, rel=0.2), name
            if module.bias is not None:
                assert 0 < float(module.bias.detach().abs().max()) <= bound, name


@every_model
def test_seed_makes_the_same_model(model_id):
    options = {"pretrained": False, "target_names": ["a"], **get_model_spec(model_id).tiny}
    state = torch.random.get_rng_state()
    same_state(load_model(model_id, seed=5, **options), load_model(model_id, seed=5, **options))
    assert torch.equal(state, torch.random.get_rng_state())
    one, two = (load_model(model_id, seed=seed, **options).head.weight for seed in (5, 6))
    assert not torch.equal(one, two)


@every_model
def test_frozen_backbone_stays_frozen_through_saving_and_train(model_id, tmp_path):
    model = classifier(model_id, freeze_backbone=True)
    save_model(model, tmp_path / "model")
    for candidate in (model, AutoModelForSequenceClassification.from_pretrained(tmp_path / "model")):
        candidate.train()
        assert candidate.training
        assert candidate.head.training
        assert not any(module.training for module in candidate.encoder.modules())
        trainable = {name for name, p in candidate.named_parameters() if p.requires_grad}
        assert trainable
        assert all(name.startswith("head.") for name in trainable)


@every_model
def test_damaged_folders_are_refused(model_id, tmp_path):
    folder = save_model(classifier(model_id), tmp_path / "model")
    weights = folder / "model.safetensors"
    tensors = load_file(weights)
    body = next(name for name in tensors if name.startswith("encoder."))

    def with_tensors(changed):
        save_file(changed, weights, metadata={"format": "pt"})
        with pytest.raises(CheckpointError) as error:
            AutoModelForSequenceClassification.from_pretrained(folder)
        return error.value.message

    assert body in with_tensors({name: value for name, value in tensors.items() if name != body})
    assert "encoder.extra" in with_tensors(tensors | {"encoder.extra": torch.zeros(3)})
    assert "part of the head" in with_tensors({n: v for n, v in tensors.items() if n != "head.bias"})
    weights.write_bytes(weights.read_bytes()[: weights.stat().st_size // 2])
    with pytest.raises(CheckpointError, match="damaged"):
        load_model(folder)
    weights.unlink()
    with pytest.raises(CheckpointError, match="no weights"):
        load_model(folder)


def test_checkpoint_of_another_model_is_refused(tmp_path):
    folder = save_model(classifier("net1d"), tmp_path / "model")
    with pytest.raises(CheckpointError):
        model_class("s4", "ForSequenceClassification").from_pretrained(folder)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"model_type": "bert"}))
    with pytest.raises(CheckpointError):
        load_model(folder)


def test_names_are_checked():
    with pytest.raises(UnknownNameError, match="did you mean 'net1d'"):
        load_model("net1dd")
    with pytest.raises(UnknownNameError, match="did you mean 'dropout'"):
        load_model("s4", droput=0.1)
    with pytest.raises(UnknownNameError, match="head"):
        load_model("s4", target_names=["a"], head="linaer")
    with pytest.raises(UnknownNameError, match="target kind"):
        load_model("s4", target_names=["a"], target_kinds=["ordinal"])
    with pytest.raises(ContractError, match="2 entries for 1"):
        load_model("s4", target_names=["a"], target_kinds=["binary", "binary"])
    with pytest.raises(CheckpointError, match="no public weights"):
        load_model("s4", pretrained=True)
    with pytest.raises(ContractError, match="without target_names"):
        load_model("s4", target_kinds=["binary"])
    for name, options in (("s4-tiny", {}), ("merl-vit", {"pretrained": False})):
        with pytest.raises(UnknownNameError, match="names published weights"):
            load_model(name, **options)
    assert fresh_spec("ecg_founder") is None
    assert fresh_spec("ecg-bench/s4").id == "s4"


@every_model
def test_input_shape_is_checked(model_id):
    model = classifier(model_id)
    samples = get_model_spec(model_id).tiny_samples
    with pytest.raises(ContractError, match="transpose"):
        model(torch.zeros(2, samples, 12))
    with pytest.raises(ContractError, match=rf"\(2, 8, {samples}\)"):
        model(torch.zeros(2, 8, samples))


@every_model
def test_missing_samples_count_as_zero(model_id):
    model = classifier(model_id).eval()
    x = tiny_windows(model_id)
    x[0, 2, 5:20] = float("nan")
    with torch.no_grad():
        assert torch.equal(model(x).logits, model(torch.nan_to_num(x)).logits)


@every_model
def test_full_size_has_the_declared_parameters(model_id):
    with torch.device("meta"):
        backbone = model_class(model_id, "Model")(model_class(model_id, "Config")())
    spec = get_model_spec(model_id)
    assert sum(p.numel() for p in backbone.parameters()) == spec.parameters
    assert backbone.config.hidden_size == spec.hidden_size
    assert (backbone.config.sampling_rate, backbone.config.window_seconds) == (
        spec.sampling_rate,
        spec.window_seconds,
    )

"""Published slips, repeated on purpose: each does what it says, and only where it can."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from safetensors.torch import load_file

from hf_ecg_bench.errors import TrainingError, UnknownNameError
from hf_ecg_bench.models import registry
from hf_ecg_bench.models.loading import load_model
from hf_ecg_bench.models.saving import save_model
from hf_ecg_bench.models.spec import Fault
from hf_ecg_bench.training.faults import FAULTS, fault_effect
from hf_ecg_bench.training.modes import get_mode
from tests.training.small import small_spec

ALL = tuple(Fault(fault, f"what {fault} does") for fault in FAULTS)


@pytest.fixture
def backbone(tmp_path, monkeypatch):
    """A narrow ECGFounder, whose declaration is given every fault."""
    spec = dataclasses.replace(registry.get_model_spec("ecg_founder"), faults=ALL)
    monkeypatch.setattr("hf_ecg_bench.models.ecg_founder.spec.SPEC", spec)
    torch.manual_seed(1)
    model = load_model("ecg_founder", pretrained=False, base_width=16, widths=[16] * 4, depths=[1] * 4)
    return save_model(model, tmp_path / "founder")


def adapted(backbone, synthetic_folder, output_dir, **changes):
    """The result, the weights before and the backbone's weights after a run of one epoch."""
    from hf_ecg_bench.training.run import run

    spec = small_spec(
        synthetic_folder, output_dir, model=str(backbone), model_options={}, overrides={"epochs": 1}, limit=64,
        n_resamples=20, examples=0, **changes,
    )  # fmt: skip
    result = run(spec, lambda _: None)
    before = load_file(backbone / "model.safetensors")
    after = load_file(output_dir / "model" / "model.safetensors")
    return result, before, {name: after[f"encoder.{name}"] for name in before}


def test_head_only_groups_train_the_head_alone(backbone, synthetic_folder, tmp_path):
    result, before, after = adapted(
        backbone, synthetic_folder, tmp_path / "run", mode="finetune", fault="head_only_groups"
    )
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert result.hyperparameters["fault"] == "head_only_groups"
    assert result.hyperparameters["layer_factors"] == (1.0, 0.0, 0.0)
    assert "what head_only_groups does" in result.warnings[0]


def test_unloaded_weights_start_from_noise(backbone, synthetic_folder, tmp_path):
    _, before, after = adapted(backbone, synthetic_folder, tmp_path / "run", mode="linear", fault="unloaded_weights")
    assert not any(torch.equal(before[name], after[name]) for name in before if name.endswith("conv1.weight"))


def test_drifting_batch_norm_moves_a_frozen_backbones_statistics():
    from hf_ecg_bench.training.faults import make_faulty

    model = load_model("ecg_founder", pretrained=False, target_names=["a"], freeze_backbone=True, base_width=16,
                       widths=[16], depths=[1])  # fmt: skip
    assert not model.train().encoder.training
    make_faulty(model, FAULTS["drifting_batch_norm"], seed=0)
    assert model.train().encoder.training
    assert not any(parameter.requires_grad for parameter in model.encoder.parameters())


def test_faults_are_refused_where_they_mean_nothing():
    linear = get_mode("linear")
    with pytest.raises(UnknownNameError, match="did you mean 'unloaded_weights'"):
        fault_effect("unloaded_weight", "s4", linear)
    with pytest.raises(TrainingError, match="is not one of s4's"):
        fault_effect("unloaded_weights", "s4", linear)
    for fault, mode in (("head_only_groups", "linear"), ("drifting_batch_norm", "finetune")):
        assert not FAULTS[fault].applies(get_mode(mode))


@pytest.mark.parametrize("model_id", registry.list_models())
def test_declared_faults_exist(model_id):
    assert {fault.id for fault in registry.get_model_spec(model_id).faults} <= set(FAULTS)

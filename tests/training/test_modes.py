"""Every mode end to end, on a small pretrained backbone with late and early layers."""

from __future__ import annotations

import dataclasses
import re

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from hf_ecg_bench.files import sha256_file
from hf_ecg_bench.models.registry import get_model_spec
from hf_ecg_bench.results.predictions import read_predictions
from hf_ecg_bench.results.schema import Result
from hf_ecg_bench.training.modes import MODES, get_mode
from tests.training.small import small_spec


@pytest.fixture(scope="module")
def backbone(tmp_path_factory):
    """A folder as `convert` writes it, of a narrow ECGFounder with random weights."""
    from hf_ecg_bench.models.loading import load_model
    from hf_ecg_bench.models.saving import save_model

    torch.manual_seed(0)
    model = load_model(
        "ecg_founder", pretrained=False, base_width=16, widths=[16] * 4, depths=[1] * 4, window_seconds=2.5
    )
    return save_model(model, tmp_path_factory.mktemp("models") / "founder")


@pytest.mark.parametrize("mode", [name for name in MODES if MODES[name].pretrained])
def test_mode_trains_what_it_says(mode, backbone, synthetic_folder, tmp_path):
    from transformers import AutoModelForSequenceClassification

    from hf_ecg_bench.training.run import run

    spec = small_spec(
        synthetic_folder, tmp_path / "run", model=str(backbone), mode=mode, model_options={}, overrides={"epochs": 1},
        merge_adapter=get_mode(mode).adapter, limit=64, n_resamples=20, examples=0,
    )  # fmt: skip
    result = run(spec, lambda _: None)
    assert result.model["digest"] == sha256_file(backbone / "model.safetensors")
    before, after = (
        load_file(backbone / "model.safetensors"),
        load_file(spec.output_dir / "model" / "model.safetensors"),
    )
    moved = {name for name, value in before.items() if not torch.equal(value, after[f"encoder.{name}"])}
    if get_mode(mode).freeze:
        assert not moved
        assert result.cost["trainable_parameters"] < result.cost["parameters"]
    elif get_mode(mode).adapter:
        targets = [re.compile(pattern) for pattern in get_model_spec("ecg_founder").lora_targets]
        layers = {name.removesuffix(".weight") for name in before}
        adapted = {name for name in layers if any(target.fullmatch(f"encoder.{name}") for target in targets)}
        assert moved == {f"{name}.weight" for name in adapted}
        assert result.cost["trainable_parameters"] < result.cost["parameters"]
    else:
        early = {name for name in before if name.startswith(("first_conv", "stage_list.0")) and ".bn" not in name}
        late = {name for name in before if name.startswith("stage_list.3") and ".bn" not in name}
        assert early
        assert late
        assert early | late <= moved
    model = AutoModelForSequenceClassification.from_pretrained(spec.output_dir / "model")
    assert model.config.head == get_mode(mode).head
    assert tuple(model.config.id2label.values()) == read_predictions(spec.output_dir).names
    assert Result.load(spec.output_dir).mode == mode


def test_weights_changed_under_the_same_path_are_another_run(backbone, synthetic_folder, tmp_path):
    import shutil

    from safetensors.torch import save_file

    from hf_ecg_bench.errors import TrainingError
    from hf_ecg_bench.training.run import run

    folder = shutil.copytree(backbone, tmp_path / "model")
    spec = small_spec(
        synthetic_folder, tmp_path / "run", model=str(folder), mode="linear", model_options={}, overrides={"epochs": 1}
    )
    run(spec, lambda _: None)
    tensors = load_file(folder / "model.safetensors")
    save_file({name: value + 1 for name, value in tensors.items()}, folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(TrainingError, match=r"inputs\.model is "):
        run(dataclasses.replace(spec), lambda _: None)


def test_tail_of_the_run_is_the_extractors(backbone, synthetic_folder, tmp_path):
    from transformers import AutoFeatureExtractor

    from hf_ecg_bench.training.run import run

    overrides = {"epochs": 1, "tail": "shift"}
    spec = small_spec(
        synthetic_folder, tmp_path / "run", model=str(backbone), mode="linear", model_options={}, overrides=overrides
    )
    run(spec, lambda _: None)
    extractor = AutoFeatureExtractor.from_pretrained(spec.output_dir / "model")
    assert len(extractor(np.zeros((3000, 12)), sampling_rate=500)["input_values"]) == 3

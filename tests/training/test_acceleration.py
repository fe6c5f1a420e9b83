"""Gradient checkpointing and torch.compile: what they change is time and memory, not the result."""

from __future__ import annotations

import dataclasses
import os

import numpy as np
import pytest
import torch

from hf_ecg_bench.results.predictions import read_predictions
from tests.training.small import small_spec


@pytest.fixture(scope="module")
def plain(synthetic_folder, tmp_path_factory):
    """A finished run without either, and without dropout, which compiled code draws otherwise: (spec, predictions)."""
    from hf_ecg_bench.training.run import run

    spec = small_spec(
        synthetic_folder,
        tmp_path_factory.mktemp("runs") / "plain",
        model_options={"hidden_size": 16, "n_layers": 1, "dropout": 0.0},
    )
    run(spec, lambda _: None)
    return spec, read_predictions(spec.output_dir).predictions


def with_override(spec, output_dir, **overrides):
    """The run with other hyperparameters: (result, predictions, lines said)."""
    from hf_ecg_bench.training.run import run

    said: list[str] = []
    other = dataclasses.replace(spec, output_dir=output_dir, overrides={**spec.overrides, **overrides})
    return run(other, said.append), read_predictions(output_dir).predictions, said


@pytest.mark.parametrize(("mode", "on"), [("finetune", True), ("lora", True), ("linear", False), ("frozen", False)])
def test_which_modes_recompute_blocks(mode, on, tmp_path):
    """The Trainer is asked for it by a name that it takes, without a warning; else a note says why not."""
    import warnings

    from transformers import TrainingArguments

    from hf_ecg_bench.training.loop.setup import _checkpointing
    from hf_ecg_bench.training.modes import get_mode
    from hf_ecg_bench.training.protocol import protocol_of

    said: list[str] = []
    options = _checkpointing(protocol_of("paper", {"gradient_checkpointing": True}), get_mode(mode), said.append)
    with warnings.catch_warnings():
        warnings.simplefilter("error", FutureWarning)
        arguments = TrainingArguments(output_dir=str(tmp_path), report_to="none", use_cpu=True, **options)
    assert any(getattr(arguments, name) for name in options) is on
    assert bool(said) is not on
    assert _checkpointing(protocol_of("paper", {}), get_mode(mode), said.append) == {}


@pytest.mark.slow
def test_gradient_checkpointing_is_on_and_changes_no_number(plain, tmp_path, monkeypatch):
    """Every block is computed twice in a step; the run's predictions stay what they were."""
    from hf_ecg_bench.models import checkpointing

    calls = []
    original = checkpointing.CheckpointedBlock.__call__

    def counted(self, function, *args):
        calls.append(torch.is_grad_enabled())
        return original(self, function, *args)

    monkeypatch.setattr(checkpointing.CheckpointedBlock, "__call__", counted)
    spec, expected = plain
    result, found, _ = with_override(spec, tmp_path / "lighter", gradient_checkpointing=True)
    assert any(calls)
    assert result.hyperparameters["gradient_checkpointing"]
    np.testing.assert_allclose(found, expected, atol=1e-6)


@pytest.mark.slow
def test_gradient_checkpointing_of_a_frozen_backbone_is_a_note(plain, synthetic_folder, tmp_path):
    from hf_ecg_bench.training.run import run

    spec, _ = plain
    said: list[str] = []
    run(
        small_spec(
            synthetic_folder, tmp_path / "linear", model=str(spec.output_dir / "model"), mode="linear",
            model_options={}, overrides={"gradient_checkpointing": True, "epochs": 1},
        ),
        said.append,
    )  # fmt: skip
    assert any("--gradient-checkpointing changes nothing in mode linear" in line for line in said)


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["scratch", "lora"])
def test_compiled(plain, synthetic_folder, tmp_path, mode, monkeypatch):
    """The same numbers but for rounding, nothing left in the environment, and whole files."""
    from hf_ecg_bench.models.loading import load_model
    from hf_ecg_bench.training.run import run

    before = dict(os.environ)
    spec, _ = plain
    if mode == "lora":
        spec = dataclasses.replace(spec, model=str(spec.output_dir / "model"), mode="lora", model_options={})
    eager = dataclasses.replace(spec, output_dir=tmp_path / "eager")
    run(eager, lambda _: None)
    compiled = []
    monkeypatch.setattr(torch.nn.Module, "compile", _noted(torch.nn.Module.compile, compiled))
    result, found, _ = with_override(spec, tmp_path / "compiled", compile=True)
    assert compiled
    assert result.hyperparameters["compile"]
    np.testing.assert_allclose(found, read_predictions(eager.output_dir).predictions, rtol=1e-3, atol=1e-4)
    assert {k: v for k, v in os.environ.items() if "DYNAMO" in k} == {k: v for k, v in before.items() if "DYNAMO" in k}
    names = {name for name, _ in load_model(tmp_path / "compiled" / "model").named_parameters()}
    assert names == {name for name, _ in load_model(eager.output_dir / "model").named_parameters()}


def _noted(function, calls):
    def compile_(self, *args, **kwargs):
        calls.append(type(self).__name__)
        return function(self, *args, **kwargs)

    return compile_

"""Mode lora as a run: what is trained, saved, merged, resumed, read again, refused."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
import torch

from hf_ecg_bench.errors import TrainingError
from hf_ecg_bench.results.predictions import read_predictions
from hf_ecg_bench.results.schema import Result
from tests.training.small import small_spec


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    """Weights to adapt: a tiny S4 backbone in a folder."""
    from hf_ecg_bench.models.loading import load_model
    from hf_ecg_bench.models.saving import save_model

    model = load_model("s4", seed=0, pretrained=False, hidden_size=16, n_layers=2)
    return save_model(model, tmp_path_factory.mktemp("base") / "s4")


def lora_spec(data, base, output_dir, **changes):
    """Two epochs of mode lora, with dropout, so that a resumed run must find its random numbers again."""
    overrides = changes.pop("overrides", {})
    if overrides.get("adapter") != "ia3":  # which has neither
        overrides = {"adapter_rank": 4, "adapter_dropout": 0.2, **overrides}
    values = {"model": str(base), "mode": "lora", "model_options": {}, "limit": 64, "n_resamples": 20, "examples": 0}
    return small_spec(data, output_dir, **{**values, "overrides": overrides, **changes})


@pytest.fixture(scope="module")
def finished(synthetic_folder, base, tmp_path_factory):
    """A finished run: (spec, result, lines said)."""
    from hf_ecg_bench.training.run import run

    said: list[str] = []
    spec = lora_spec(synthetic_folder, base, tmp_path_factory.mktemp("runs") / "lora")
    return spec, run(spec, said.append), said


def first_logits(folder, data):
    """The first windows of the test records through the model of a folder."""
    from datasets import load_dataset
    from transformers import AutoFeatureExtractor

    from hf_ecg_bench.models.loading import load_model

    records = load_dataset(str(data), split="test").with_format("numpy")[:4]
    extractor = AutoFeatureExtractor.from_pretrained(folder)
    x = extractor(records["signal"][0], sampling_rate=int(records["sampling_rate"][0]), return_tensors="pt")
    with torch.no_grad():
        return load_model(folder)(**x).logits


def test_files_facts_and_predictions(finished, base, synthetic_folder):
    from hf_ecg_bench.models.resolve import weights_digest

    spec, result, said = finished
    folder = spec.output_dir / "model"
    assert {file.name for file in folder.iterdir()} == {
        "README.md", "adapter_config.json", "adapter_model.safetensors", "config.json", "preprocessor_config.json"
    }  # fmt: skip
    adapter = Result.load(spec.output_dir).model["adapter"]
    assert adapter["kind"] == "lora"
    assert adapter["base"] == {"name": str(base), "digest": weights_digest(base), "revision": None}
    targets = len(result.metrics["targets"])
    assert adapter["head"] == 17 * targets
    assert adapter["trained"] == 2 * 4 * (16 + 32) + adapter["head"]
    assert any(f"{adapter['trained']:,} of {adapter['total']:,}" in line for line in said)
    stored = read_predictions(spec.output_dir)
    labels = stored.kinds.count("binary")
    mine = first_logits(folder, synthetic_folder)[:, :labels].sigmoid().mean(0).numpy()
    np.testing.assert_allclose(mine, stored.predictions[0, :labels], atol=2e-6)


def test_resumed_equals_uninterrupted(finished, tmp_path, monkeypatch):
    """Killed while the second epoch's checkpoint is written, and started again: the same adapters, bit for bit."""
    from hf_ecg_bench.training.loop.trainer import EcgTrainer
    from hf_ecg_bench.training.run import run

    spec, _, _ = finished
    killed = dataclasses.replace(spec, output_dir=tmp_path / "killed")
    original = EcgTrainer._save_checkpoint

    def killed_on_second_save(self, *args, **kwargs):
        if self.state.epoch > 1.5:
            raise KeyboardInterrupt
        original(self, *args, **kwargs)

    monkeypatch.setattr(EcgTrainer, "_save_checkpoint", killed_on_second_save)
    with pytest.raises(KeyboardInterrupt):
        run(killed, lambda _: None)
    (checkpoint,) = (killed.output_dir / "checkpoints").glob("checkpoint-*")
    assert (checkpoint / "adapter_model.safetensors").exists()
    assert not (checkpoint / "model.safetensors").exists()
    monkeypatch.undo()
    result = run(killed, lambda _: None)
    assert result.environment["resumed"]
    for name in ("predictions.parquet", "model/adapter_model.safetensors"):
        assert (killed.output_dir / name).read_bytes() == (spec.output_dir / name).read_bytes(), name


def test_merged_on_request_and_by_the_verb(finished, synthetic_folder, tmp_path, capsys):
    from hf_ecg_bench.cli.main import main
    from hf_ecg_bench.training.run import run

    spec, _, _ = finished
    merged = dataclasses.replace(spec, output_dir=tmp_path / "merged", merge_adapter=True)
    result = run(merged, lambda _: None)
    assert result.model["adapter"]["merged"]
    assert (merged.output_dir / "predictions.parquet").read_bytes() == (
        spec.output_dir / "predictions.parquet"
    ).read_bytes()
    assert main(["merge", str(spec.output_dir), "--output-dir", str(tmp_path / "by_verb"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["kind"] == "lora"
    expected = first_logits(spec.output_dir / "model", synthetic_folder)
    for folder in (merged.output_dir / "model", tmp_path / "by_verb"):
        assert not (folder / "adapter_config.json").exists()
        torch.testing.assert_close(first_logits(folder, synthetic_folder), expected, rtol=1e-5, atol=2e-6)
    weights = [folder / "model.safetensors" for folder in (merged.output_dir / "model", tmp_path / "by_verb")]
    assert weights[0].read_bytes() == weights[1].read_bytes()
    assert main(["merge", str(tmp_path / "by_verb"), "--output-dir", str(tmp_path / "again")]) == 2
    assert "holds no adapters" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["linear", "frozen", "finetune", "lora"])
def test_a_run_can_start_from_adapters(finished, synthetic_folder, tmp_path, mode):
    from hf_ecg_bench.training.run import run

    folder = finished[0].output_dir / "model"
    spec = small_spec(synthetic_folder, tmp_path / mode, model=str(folder), mode=mode, model_options={})
    result = run(spec, lambda _: None)
    assert result.model["digest"]
    assert first_logits(spec.output_dir / "model", synthetic_folder).shape[1] == len(result.metrics["targets"])


@pytest.mark.slow
def test_embeddings_of_adapters(finished, synthetic_folder):
    from hf_ecg_bench.embedding.embedder import Embedder

    folder = finished[0].output_dir / "model"
    adapted, plain = Embedder(folder), Embedder(finished[0].model)
    signal = np.random.default_rng(0).normal(size=(2500, 12)).astype(np.float32)
    found, other = (embedder(signal, 500, check_leads=False) for embedder in (adapted, plain))
    assert found.shape == (16,)
    assert not np.allclose(found, other, atol=1e-5)
    assert adapted.digest != plain.digest


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["dora", "ia3"])
def test_other_kinds_run(synthetic_folder, base, tmp_path, kind):
    from hf_ecg_bench.training.run import run

    spec = lora_spec(synthetic_folder, base, tmp_path / kind, overrides={"adapter": kind})
    result = run(spec, lambda _: None)
    assert result.model["adapter"]["kind"] == kind
    stored = read_predictions(spec.output_dir)
    labels = stored.kinds.count("binary")
    mine = first_logits(spec.output_dir / "model", synthetic_folder)[:, :labels].sigmoid().mean(0).numpy()
    np.testing.assert_allclose(mine, stored.predictions[0, :labels], atol=2e-6)


@pytest.mark.slow
def test_random_weights_on_purpose_are_saved_as_a_whole(synthetic_folder, tmp_path):
    """Nobody could load the base of adapters again that was drawn at random."""
    from hf_ecg_bench.models.loading import load_model
    from hf_ecg_bench.models.registry import get_model_spec
    from hf_ecg_bench.models.saving import save_model
    from hf_ecg_bench.training.run import run

    faulty = next(
        model_id
        for model_id in ("ecg_cpc", "st_mem", "ecg_jepa", "merl", "ecg_fm", "hubert_ecg", "ecg_founder", "ecgfm_ked")
        if any(fault.id == "unloaded_weights" for fault in get_model_spec(model_id).faults)
    )
    tiny = get_model_spec(faulty)
    model = load_model(faulty, seed=0, pretrained=False, **tiny.tiny)
    folder = save_model(model, tmp_path / "base")
    spec = lora_spec(synthetic_folder, folder, tmp_path / "run", fault="unloaded_weights")
    result = run(spec, lambda _: None)
    assert result.model["adapter"]["merged"]
    assert (spec.output_dir / "model" / "model.safetensors").exists()


@pytest.mark.slow
def test_gradient_checkpointing_changes_no_number(finished, synthetic_folder, tmp_path):
    from hf_ecg_bench.training.run import run

    spec, _, _ = finished
    lighter = dataclasses.replace(
        spec, output_dir=tmp_path / "lighter", overrides={**spec.overrides, "gradient_checkpointing": True}
    )
    run(lighter, lambda _: None)
    first, second = (read_predictions(s.output_dir).predictions for s in (spec, lighter))
    np.testing.assert_allclose(first, second, atol=1e-6)


@pytest.mark.parametrize("changes", [{"merge_adapter": True}, {"overrides": {"adapter": "dora"}}])
def test_settings_of_adapters_without_adapters_are_refused(tmp_path, changes):
    with pytest.raises(TrainingError, match=r"mode 'finetune' trains no adapters: (merge_)?adapter.*\n.*--mode lora"):
        small_spec(tmp_path, tmp_path / "run", mode="finetune", **changes)


def test_a_model_without_weights_is_refused(synthetic_folder, tmp_path):
    from hf_ecg_bench.training.run import run

    with pytest.raises(TrainingError, match="'s4' has none"):
        run(small_spec(synthetic_folder, tmp_path / "run", mode="lora", model_options={}), lambda _: None)

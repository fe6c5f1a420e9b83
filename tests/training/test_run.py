"""A whole run: its files, its repetition, its resumption, its refusals."""

from __future__ import annotations

import dataclasses
import json
import shutil

import numpy as np
import pytest

from hf_ecg_bench.errors import DataError, EcgBenchError, TrainingError, UnknownNameError
from hf_ecg_bench.results.predictions import read_predictions
from hf_ecg_bench.results.schema import Result
from tests.training.small import small_spec


@pytest.fixture(scope="module")
def finished(synthetic_folder, tmp_path_factory):
    """A finished run: (spec, result, lines said)."""
    from hf_ecg_bench.training.run import run

    said: list[str] = []
    spec = small_spec(synthetic_folder, tmp_path_factory.mktemp("runs") / "first")
    return spec, run(spec, said.append), said


def test_files_of_a_run(finished):
    spec, result, said = finished
    assert {p.name for p in spec.output_dir.iterdir()} == {
        "run.json", "result.json", "predictions.parquet", "validation_predictions.parquet", "examples.npz", "model"
    }  # fmt: skip
    stored = Result.load(spec.output_dir)
    assert stored.status == "complete"
    assert set(stored.metrics["metrics"]) >= {"macro_f1", "sample_fmax", "macro_average_precision", "macro_brier"}
    assert stored.seed == 0
    assert stored.mode == "scratch"
    assert stored.metrics["metrics"]["macro_auroc"]["value"] == pytest.approx(
        result.metrics["metrics"]["macro_auroc"]["value"]
    )
    assert len(stored.history) == 2
    assert stored.selection["best_epoch"] in (1, 2)
    assert stored.cost["trainable_parameters"] == stored.cost["parameters"] > 0
    assert stored.dataset["digest"]
    assert "100" in said[0], "the conversion plan names the model's rate"
    sizes = stored.dataset["records"]
    announced = f"{sizes['train']} train, {sizes['validation']} validation, {sizes['test']} test records"
    assert any(announced in line for line in said)
    assert sum(sizes.values()) <= 320


def test_thresholds_come_from_the_stored_validation_predictions(finished):
    from hf_ecg_bench.evaluation.auroc import macro_auroc
    from hf_ecg_bench.evaluation.summary import summarise
    from hf_ecg_bench.results.validation import read_validation

    spec, result, _ = finished
    own = read_predictions(spec.output_dir)
    validation = read_validation(spec.output_dir, own)
    assert len(validation) == result.dataset["records"]["validation"]
    assert not set(validation.record_id) & set(own.record_id)
    again = summarise(
        own.targets, own.predictions, own.names, own.kinds, own.patient_id, spec.n_resamples,
        validation=(validation.targets, validation.predictions),
    )  # fmt: skip
    assert again["metrics"]["macro_f1"] == result.metrics["metrics"]["macro_f1"]
    assert again["metrics"]["sample_fmax"] == result.metrics["metrics"]["sample_fmax"]
    best = next(epoch for epoch in result.history if epoch["epoch"] == result.selection["best_epoch"])
    labels = [kind == "binary" for kind in validation.kinds]
    found = macro_auroc(validation.targets[:, labels], validation.predictions[:, labels])
    assert found == pytest.approx(best["validation_macro_auroc"], abs=1e-6)


def test_examples_are_plain_arrays(finished):
    spec, _, _ = finished
    with np.load(spec.output_dir / "examples.npz", allow_pickle=False) as examples:
        assert examples["signals"].shape == (2, 5000, 12)
        assert examples["signals"].dtype == np.float32
        assert set(examples["record_id"].tolist()) <= set(read_predictions(spec.output_dir).record_id.tolist())
        assert int(examples["sampling_rate"]) == 500


def test_predictions_are_one_row_per_test_record(finished, synthetic_folder):
    from datasets import load_dataset

    spec, _, _ = finished
    predictions = read_predictions(spec.output_dir)
    test = load_dataset(str(synthetic_folder), split="test")
    assert predictions.record_id.tolist() == test["record_id"][:]
    assert predictions.names[:2] == tuple(test.features["labels"].feature.names[:2])
    binary = np.array([kind == "binary" for kind in predictions.kinds])
    assert ((predictions.predictions[:, binary] >= 0) & (predictions.predictions[:, binary] <= 1)).all()


def test_adapted_model_gives_the_stored_predictions(finished, synthetic_folder):
    import torch
    from datasets import load_dataset
    from transformers import AutoFeatureExtractor, AutoModelForSequenceClassification

    import hf_ecg_bench.models  # noqa: F401

    spec, _, _ = finished
    model = AutoModelForSequenceClassification.from_pretrained(spec.output_dir / "model")
    extractor = AutoFeatureExtractor.from_pretrained(spec.output_dir / "model")
    stored = read_predictions(spec.output_dir)
    record = load_dataset(str(synthetic_folder), split="test").with_format("numpy")[3]
    inputs = extractor(record["signal"], sampling_rate=int(record["sampling_rate"]))
    with torch.no_grad():
        logits = model(**inputs).logits
    n_labels = stored.kinds.count("binary")
    mine = logits[:, :n_labels].sigmoid().mean(0).numpy()
    np.testing.assert_allclose(mine, stored.predictions[3, :n_labels], atol=1e-5)


def test_a_run_can_be_reported(finished, tmp_path):
    """What training writes is what the report reads."""
    from hf_ecg_bench.results.report import write_report

    spec, result, _ = finished
    page = write_report(spec.output_dir, tmp_path / "report").read_text(encoding="utf-8")
    assert f"{result.metrics['metrics']['macro_auroc']['value']:.3f}" in page
    for name in result.metrics["targets"]:
        assert name in page
    assert "allow_pickle" not in page
    for record in np.load(spec.output_dir / "examples.npz")["record_id"].tolist():
        assert record in page


def test_second_start_of_a_finished_run_only_says_so(finished):
    from hf_ecg_bench.training.run import run

    spec, result, _ = finished
    before = (spec.output_dir / "result.json").stat().st_mtime_ns
    said: list[str] = []
    again = run(spec, said.append)
    assert "nothing to do" in said[0]
    assert (spec.output_dir / "result.json").stat().st_mtime_ns == before
    assert again.selection == result.selection


def test_another_run_is_refused_in_the_same_folder(finished):
    from hf_ecg_bench.training.run import run

    spec, _, _ = finished
    with pytest.raises(TrainingError, match=r"seed is 0 there and 1 here.*\n.*--output-dir"):
        run(dataclasses.replace(spec, seed=1))


def test_same_seed_same_result_and_resumed_equals_uninterrupted(finished, tmp_path, monkeypatch):
    """The first start is killed while its second epoch's checkpoint is written; the second one finishes the run."""
    from hf_ecg_bench.training.loop import trainer as trainer_module
    from hf_ecg_bench.training.run import run

    spec, _, _ = finished
    killed = dataclasses.replace(spec, output_dir=tmp_path / "killed")
    original = trainer_module.EcgTrainer._save_checkpoint

    def killed_on_second_save(self, *args, **kwargs):
        if self.state.epoch > 1.5:
            raise KeyboardInterrupt
        original(self, *args, **kwargs)

    monkeypatch.setattr(trainer_module.EcgTrainer, "_save_checkpoint", killed_on_second_save)
    with pytest.raises(KeyboardInterrupt):
        run(killed, lambda _: None)
    (checkpoint,) = (killed.output_dir / "checkpoints").glob("checkpoint-*")
    broken = checkpoint.with_name("checkpoint-99999")  # as a kill in the middle of writing leaves it
    shutil.copytree(checkpoint, broken)
    (broken / "trainer_state.json").write_text('{"epoch": ')
    monkeypatch.undo()
    run(killed, lambda _: None)
    first, second = read_predictions(spec.output_dir), read_predictions(killed.output_dir)
    np.testing.assert_array_equal(first.predictions, second.predictions)
    assert not (killed.output_dir / "checkpoints").exists()


def test_another_seed_another_result(finished, tmp_path):
    from hf_ecg_bench.training.run import run

    spec, _, _ = finished
    other = dataclasses.replace(spec, seed=1, output_dir=tmp_path / "other")
    run(other, lambda _: None)
    assert not np.array_equal(
        read_predictions(spec.output_dir).predictions, read_predictions(other.output_dir).predictions
    )


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"task": "ptbxl_supper"}, UnknownNameError, "did you mean 'ptbxl_super'"),
        ({"mode": "finetun"}, UnknownNameError, "did you mean 'finetune'"),
        ({"mode": "linear"}, TrainingError, "--mode scratch"),
        ({"task": "ptbxl_super"}, DataError, "holds synthetic; task ptbxl_super is about ptbxl"),
        ({"overrides": {"batch_size": 4096}}, TrainingError, "do not fill one batch of 4096"),
        ({"overrides": {"epoch": 3}}, UnknownNameError, "did you mean 'epochs'"),
        ({"overrides": {"epochs": 0}}, TrainingError, "epochs = 0"),
        ({"overrides": {"precision": "float16"}}, UnknownNameError, "did you mean 'fp16'"),
        ({"overrides": {"schedule": "cosin"}}, UnknownNameError, "did you mean 'cosine'"),
        ({"overrides": {"warmup_steps": 5}}, TrainingError, "constant schedule has no warm-up"),
        ({"overrides": {"layer_factors": (1.0, -0.1, 0.0)}}, TrainingError, "layer_factors"),
        ({"model_options": {"hidden_sizes": 16}}, UnknownNameError, "did you mean 'hidden_size'"),
        ({"data": "no/such/folder"}, EcgBenchError, "no/such/folder"),
        ({"model": "s5"}, EcgBenchError, "s4"),
    ],
)
def test_refusals_name_the_remedy_and_leave_nothing_behind(synthetic_folder, tmp_path, changes, error, message):
    from hf_ecg_bench.training.run import run

    folder = tmp_path / "run"
    with pytest.raises(error, match=message):
        run(small_spec(synthetic_folder, folder, **changes), lambda _: None)
    assert not folder.exists() or not any(folder.iterdir())


def test_fraction_out_of_range(synthetic_folder, tmp_path):
    with pytest.raises(TrainingError, match="at most 1"):
        small_spec(synthetic_folder, tmp_path, fraction=1.5)


def test_folder_with_other_files_is_refused(synthetic_folder, tmp_path):
    from hf_ecg_bench.training.run import run

    (tmp_path / "thesis.txt").write_text("precious")
    with pytest.raises(TrainingError, match="is not empty and holds no run"):
        run(small_spec(synthetic_folder, tmp_path), lambda _: None)
    assert (tmp_path / "thesis.txt").read_text() == "precious"


def test_divergence_is_an_error_and_not_a_silent_half(synthetic_folder, tmp_path):
    from hf_ecg_bench.training.run import run

    spec = small_spec(synthetic_folder, tmp_path / "run", overrides={"learning_rate": 1e30})
    with pytest.raises(EcgBenchError, match="diverged"):
        run(spec, lambda _: None)


def test_result_json_is_standard_json(finished):
    spec, _, _ = finished
    json.loads((spec.output_dir / "result.json").read_text(), parse_constant=lambda name: pytest.fail(name))

"""A finished run tested on other data and on disturbed signals: files, numbers, repetition, refusals."""

from __future__ import annotations

import dataclasses
import json
import shutil

import numpy as np
import pytest

from hf_ecg_bench.errors import DataError, UnknownNameError
from hf_ecg_bench.evaluation import macro_auroc
from hf_ecg_bench.results.predictions import read_predictions
from hf_ecg_bench.results.schema import Result
from hf_ecg_bench.robustness.evaluation_files import read_evaluations
from hf_ecg_bench.robustness.perturbations import PERTURBATIONS
from tests.training.small import small_spec


@pytest.fixture(scope="module")
def finished(synthetic_folder, tmp_path_factory):
    """A finished run that nothing more was asked of."""
    from hf_ecg_bench.training.run import run

    spec = small_spec(
        synthetic_folder, tmp_path_factory.mktemp("runs") / "run", overrides={"epochs": 1}, limit=64, n_resamples=20,
        examples=0,
    )  # fmt: skip
    run(spec, lambda _: None)
    return spec


@pytest.fixture(scope="module")
def other_folder(tmp_path_factory):
    """The embedded data of another seed, with some of the first one's recordings."""
    from hf_ecg_bench.data.prepare import prepare

    folder = tmp_path_factory.mktemp("other") / "other"
    prepare("synthetic", raw_dir=None, output_dir=folder, options={"n_records": "100", "seed": "3"})
    return folder


@pytest.fixture
def spec(finished, tmp_path):
    """A copy of the finished run."""
    shutil.copytree(finished.output_dir, tmp_path / "run")
    return dataclasses.replace(finished, output_dir=tmp_path / "run")


def ask(spec, **changes):
    from hf_ecg_bench.training.run import run

    said: list[str] = []
    run(dataclasses.replace(spec, **changes), said.append)
    return said


def test_perturbed_tests_of_a_finished_run(spec):
    before = (spec.output_dir / "result.json").read_bytes()
    said = ask(spec, perturb=("swap_ra_la", "amplitude_double"))
    assert [line.split(":")[0] for line in said] == ["perturbation swap_ra_la", "perturbation amplitude_double"]
    assert (spec.output_dir / "result.json").read_bytes() == before
    folder = spec.output_dir / "evaluations" / "perturbed" / "swap_ra_la"
    content = json.loads((folder / "evaluation.json").read_text())
    clean, perturbed = read_predictions(spec.output_dir), read_predictions(folder)
    assert perturbed.record_id.tolist() == clean.record_id.tolist()
    yes_no = np.array(clean.kinds) == "binary"
    values = [macro_auroc(clean.targets[:, yes_no], p.predictions[:, yes_no]) for p in (perturbed, clean)]
    assert content["metrics"]["metrics"]["macro_auroc"]["value"] == pytest.approx(values[0])
    assert content["difference"]["macro_auroc"]["value"] == pytest.approx(values[0] - values[1])
    assert content["clean_apart_from_stored"] < 1e-6, "the saved model gives the run's own predictions"
    assert not np.allclose(perturbed.predictions, clean.predictions, atol=1e-4)


def test_predictions_are_those_of_the_perturbed_records(spec, synthetic_folder):
    """The saved model on the perturbed signals, the plain way of transformers."""
    import torch
    from datasets import load_dataset
    from transformers import AutoFeatureExtractor, AutoModelForSequenceClassification

    import hf_ecg_bench.models  # noqa: F401

    ask(spec, perturb=("muscle_noise",))
    stored = read_predictions(spec.output_dir / "evaluations" / "perturbed" / "muscle_noise")
    record = load_dataset(str(synthetic_folder), split="test").with_format("numpy")[2]
    signal = PERTURBATIONS["muscle_noise"](record["signal"], 500, str(record["record_id"]))
    inputs = AutoFeatureExtractor.from_pretrained(spec.output_dir / "model")(signal, sampling_rate=500)
    with torch.no_grad():
        logits = AutoModelForSequenceClassification.from_pretrained(spec.output_dir / "model")(**inputs).logits
    yes_no = stored.kinds.count("binary")
    np.testing.assert_allclose(logits[:, :yes_no].sigmoid().mean(0), stored.predictions[2, :yes_no], atol=1e-5)


def test_what_is_finished_is_not_repeated_and_what_is_not_is(spec):
    ask(spec, perturb=("v1_off", "v4_off"))
    folder = spec.output_dir / "evaluations" / "perturbed"
    (folder / "v4_off" / "evaluation.json").unlink()  # as a kill before the end leaves it
    before = (folder / "v1_off" / "evaluation.json").stat().st_mtime_ns
    said = ask(spec, perturb=("v4_off", "v1_off"))
    assert said[0].startswith("1 of 2 perturbations: finished before")
    assert said[1].startswith("perturbation v4_off")
    assert (folder / "v1_off" / "evaluation.json").stat().st_mtime_ns == before
    assert len(ask(spec, perturb=("v1_off", "v4_off"))) == 1
    assert [item["perturbation"]["id"] for item in read_evaluations(spec.output_dir)] == ["v1_off", "v4_off"]


def test_other_data_of_the_same_kind(spec, other_folder, synthetic_folder):
    said = ask(spec, evaluate_on=(str(other_folder),))
    assert said[0].startswith("synthetic: macro AUROC")
    (content,) = read_evaluations(spec.output_dir)
    folder = spec.output_dir / "evaluations" / "synthetic"
    there, home = read_predictions(folder), read_predictions(spec.output_dir)
    info = json.loads((other_folder / "ecg_bench.json").read_text())
    assert content["dataset"]["digest"] == info["digest"]
    assert content["dataset"]["records"] == len(there) == info["splits"]["test"]["records"]
    scored = [name for name, kind in zip(there.names, there.kinds, strict=True) if kind == "binary"]
    scored = [name for name in scored if name not in content["not_scored"]]
    columns = [there.names.index(name) for name in scored]
    values = [macro_auroc(p.targets[:, columns], p.predictions[:, columns]) for p in (there, home)]
    assert content["metrics"]["metrics"]["macro_auroc"]["value"] == pytest.approx(values[0])
    assert content["metrics_home"]["metrics"]["macro_auroc"]["value"] == pytest.approx(values[1])
    gap = content["difference"]["macro_auroc"]
    assert gap["value"] == pytest.approx(values[0] - values[1])
    assert gap["low"] < gap["value"] < gap["high"]
    regression = there.names.index("heart_rate")
    settings = Result.load(spec.output_dir).hyperparameters
    from datasets import load_dataset

    rates = load_dataset(str(other_folder), split="test").with_format("numpy")["targets"][:][:, 0]
    expected = (rates - settings["target_mean"]["heart_rate"]) / settings["target_std"]["heart_rate"]
    np.testing.assert_allclose(there.targets[:, regression], expected, rtol=1e-4, atol=1e-5)
    assert "finished before" in ask(spec, evaluate_on=(str(other_folder),))[0]


def test_recordings_that_were_trained_on_are_left_out(spec, synthetic_folder, tmp_path, monkeypatch):
    """The same recordings dealt to other splits: whatever was in training or validation must not be scored."""
    from datasets import load_dataset

    from hf_ecg_bench.data import synthetic
    from hf_ecg_bench.data.prepare import prepare
    from hf_ecg_bench.robustness.leakage import seen_recordings

    def dealt_anew(record, *args, **options):
        plan = plan_record(record, *args, **options)
        return dataclasses.replace(plan, fold=plan.fold % 10 + 1) if plan.patient_id[-1] in "02468" else plan

    plan_record, folder = synthetic.plan_record, tmp_path / "part"
    monkeypatch.setattr(synthetic, "plan_record", dealt_anew)
    prepare("synthetic", raw_dir=None, output_dir=folder, options={"n_records": "160"})
    seen, why_not = seen_recordings(str(synthetic_folder), str(folder))
    assert why_not is None
    used = set()
    for split in ("train", "validation"):
        used |= set(load_dataset(str(synthetic_folder), split=split)["record_id"][:])
    there = set(load_dataset(str(folder), split="test")["record_id"][:])
    assert seen == there & used
    assert 0 < len(seen) < len(there)
    said = ask(spec, evaluate_on=(str(folder),))
    (content,) = read_evaluations(spec.output_dir)
    left_out = content["dataset"]["excluded"]["test: recordings that the model was trained or selected on"]
    assert left_out == len(seen)
    assert not seen & set(read_predictions(spec.output_dir / "evaluations" / "synthetic").record_id.tolist())
    assert content["dataset"]["records"] == len(there) - len(seen), said


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"perturb": ("mains",)}, UnknownNameError, "did you mean 'mains_60' or 'mains_50'"),
        ({"evaluate_on": ("no/such/folder",)}, DataError, "no/such/folder"),
        ({"evaluate_on": ("georgi",)}, UnknownNameError, "did you mean 'georgia'"),
    ],
)
def test_wrong_names_are_refused_before_anything_is_trained(synthetic_folder, tmp_path, changes, error, message):
    spec = small_spec(synthetic_folder, tmp_path / "run", **changes)
    with pytest.raises(error, match=message):
        ask(spec)
    assert not spec.output_dir.exists()


def test_the_runs_own_data_are_refused(synthetic_folder, tmp_path):
    spec = small_spec(synthetic_folder, tmp_path / "run", evaluate_on=(str(synthetic_folder),))
    with pytest.raises(DataError, match="the data of the run itself"):
        ask(spec)
    assert not spec.output_dir.exists(), "refused before anything is trained"

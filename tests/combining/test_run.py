"""Runs of several models: what they train, save, resume and refuse."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from hf_ecg_bench.combining import load_combination
from hf_ecg_bench.combining.head import CombinedHead
from hf_ecg_bench.errors import CheckpointError, ContractError, TrainingError
from hf_ecg_bench.files import sha256_file
from hf_ecg_bench.results.predictions import read_predictions
from hf_ecg_bench.results.schema import Result
from hf_ecg_bench.training.run import run
from tests.training.small import small_spec


def quiet(message: str) -> None:
    """Say nothing."""


@pytest.fixture(scope="module")
def runs(combined_spec, tmp_path_factory):
    """A finished run of windows of 2.5 s and 10 s in each mode: mode -> (spec, result)."""
    root = tmp_path_factory.mktemp("runs")
    specs = {mode: combined_spec(root / mode, mode=mode) for mode in ("linear", "frozen")}
    return {mode: (spec, run(spec, quiet)) for mode, spec in specs.items()}


@pytest.fixture
def finished(runs):
    return runs["linear"]


both_modes = pytest.mark.parametrize("mode", ["linear", "frozen"])


@both_modes
def test_result_names_all_members(runs, mode, founders):
    spec, result = runs[mode]
    assert result.model["id"] == "ecg_founder+ecg_founder"
    digests = [sha256_file(founders[s] / "model.safetensors") for s in (2.5, 10.0)]
    assert [member["digest"] for member in result.model["members"]] == digests
    assert [plan["target"]["seconds"] for plan in result.signal["members"].values()] == [2.5, 10.0]
    assert result.signal["span_seconds"] == 10.0
    assert json.loads((spec.output_dir / "run.json").read_text())["inputs"]["model"] == "+".join(digests)
    assert result.cost["trainable_parameters"] < result.cost["parameters"]
    assert len(result.features["store"]) == 2
    assert Result.load(spec.output_dir).model == result.model


@both_modes
def test_loaded_it_gives_the_stored_predictions(runs, mode, synthetic_folder):
    """Features are stored in 16 bits; a recording at another rate is resampled for each member."""
    from datasets import load_dataset

    spec, result = runs[mode]
    loaded = load_combination(spec.output_dir / "model")
    stored = read_predictions(spec.output_dir)
    test = load_dataset(str(synthetic_folder), split="test").with_format("numpy")
    scale = np.array([result.hyperparameters["target_std"][name] for name in stored.names])
    middle = np.array([result.hyperparameters["target_mean"][name] for name in stored.names])
    assert loaded.target_names == stored.names
    for row in (0, 5):
        found = loaded.predict(test[row]["signal"], int(test[row]["sampling_rate"]))
        np.testing.assert_allclose((found - middle) / scale, stored.predictions[row], atol=2e-3)
    with pytest.raises(ContractError, match="shorter"):
        loaded.predict(test[0]["signal"][:2500], 500)
    with pytest.raises(ContractError, match="transposed"):
        loaded.predict(test[0]["signal"].T, 500)


def test_report_reads_it(finished, tmp_path):
    from hf_ecg_bench.results.report import build_report

    (section,) = build_report(finished[0].output_dir).sections
    assert "ecg_founder+ecg_founder" in section.title
    assert any(step.startswith("2 ecg_founder: window: 10 s") for step in section.signal_steps)


def test_names_have_an_order(finished, founders):
    spec, _ = finished
    turned = ",".join(reversed(spec.model.split(",")))
    with pytest.raises(TrainingError, match="holds another run"):
        run(dataclasses.replace(spec, model=turned), quiet)


def test_killed_in_its_second_epoch_it_goes_on(runs, tmp_path, monkeypatch):
    from hf_ecg_bench.training.loop.trainer import EcgTrainer

    spec, _ = runs["frozen"]
    killed = dataclasses.replace(spec, output_dir=tmp_path / "killed")
    original = EcgTrainer._save_checkpoint

    def die(self, *args, **kwargs):
        if self.state.epoch > 1.5:
            raise KeyboardInterrupt
        original(self, *args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(EcgTrainer, "_save_checkpoint", die)
        with pytest.raises(KeyboardInterrupt):
            run(killed, quiet)
    result = run(killed, quiet)
    assert result.environment["resumed"]
    np.testing.assert_array_equal(
        read_predictions(killed.output_dir).predictions, read_predictions(spec.output_dir).predictions
    )


def test_a_model_with_itself_is_the_model(combined_spec, synthetic_folder, tmp_path):
    """Its features come from the store of the run of that model alone, and with that run's head it is that run."""
    from datasets import load_dataset

    alone = combined_spec(tmp_path / "alone", (2.5,))
    run(alone, quiet)
    twice = run(combined_spec(tmp_path / "twice", (2.5, 2.5)), quiet)
    one, other = twice.features["store"].values()
    assert one == other
    assert twice.features["extracted"] == 0
    loaded, head = load_combination(tmp_path / "twice" / "model"), load_file(tmp_path / "alone/model/model.safetensors")
    weight = head["head.weight"]
    assert loaded.combined.head.weight.shape == (weight.shape[0], 2 * weight.shape[1])
    with torch.no_grad():
        loaded.combined.head.bias.copy_(head["head.bias"])
        loaded.combined.head.weight.copy_(torch.cat([0.25 * weight, 0.75 * weight], dim=1))
    stored = read_predictions(alone.output_dir)
    labels = np.array([kind == "binary" for kind in stored.kinds])
    record = load_dataset(str(synthetic_folder), split="test").with_format("numpy")[3]
    found = loaded.predict(record["signal"], int(record["sampling_rate"]))
    np.testing.assert_allclose(found[labels], stored.predictions[3, labels], atol=2e-3)


@pytest.mark.slow
@both_modes
@pytest.mark.parametrize(
    ("preprocessing", "members"),
    [("paper", ("ecg_founder", "ecg_cpc", "hubert_ecg", "st_mem")), ("original", ("ecg_founder", "ecg_cpc"))],
)
def test_members_of_other_rates_and_windows(synthetic_folder, tmp_path, preprocessing, members, mode):
    """500, 240, 100 and 250 Hz; windows of 2.5, 2.5, 5 and 2.4 s, or of 10 and 2.5 s; a shifted end."""
    from datasets import load_dataset

    from hf_ecg_bench.models.loading import load_model
    from hf_ecg_bench.models.registry import get_model_spec
    from hf_ecg_bench.models.saving import save_model

    sizes = {"ecg_founder": {"window_seconds": 2.5}, "ecg_cpc": {"l_max": 1200}, "st_mem": {"max_patches": 60}}
    folders = []
    for name in members:
        options = {**get_model_spec(name).tiny, **sizes.get(name, {})}
        folders.append(save_model(load_model(name, pretrained=False, seed=1, **options), tmp_path / name))
    spec = small_spec(
        synthetic_folder, tmp_path / "run", model=",".join(map(str, folders)), mode=mode, model_options={},
        preprocessing=preprocessing, overrides={"tail": "shift"},
    )  # fmt: skip
    result = run(spec, quiet)
    assert result.model["id"] == "+".join(members)
    assert result.signal["span_seconds"] == (5.0 if preprocessing == "paper" else 10.0)
    stored = read_predictions(spec.output_dir)
    labels = np.array([kind == "binary" for kind in stored.kinds])
    record = load_dataset(str(synthetic_folder), split="test").with_format("numpy")[3]
    found = load_combination(spec.output_dir / "model").predict(record["signal"], int(record["sampling_rate"]))
    np.testing.assert_allclose(found[labels], stored.predictions[3, labels], atol=2e-3)


def test_convex_solver_fits_the_features_of_all(finished, tmp_path):
    spec = dataclasses.replace(finished[0], overrides={"solver": "lbfgs"}, output_dir=tmp_path / "run")
    result = run(spec, quiet)
    weights = load_file(tmp_path / "run" / "model" / "heads.safetensors")["head.weight"]
    assert weights.shape[1] == 64
    assert (weights.abs().sum(0) > 0).all()
    assert result.selection["strengths"]


@pytest.mark.parametrize("kind", ["linear", "attention"])
def test_heads_add_up(kind):
    """The logits are those of the members' own parts of the head, added."""
    torch.manual_seed(0)
    shape = (3, 2) if kind == "linear" else (3, 2, 5)
    features = {"0": torch.randn(*shape, 16), "1": torch.randn(*shape, 32).half()}
    head = CombinedHead(kind, [16, 32], 4, None, seed=1)
    logits = head(features).logits
    if kind == "linear":
        own = [
            features["0"].mean(1) @ head.head.weight[:, :16].T,
            features["1"].float().mean(1) @ head.head.weight[:, 16:].T + head.head.bias,
        ]
    else:
        own = [part(x.float().reshape(3, 10, -1)) for part, x in zip(head.head, features.values(), strict=True)]
    torch.testing.assert_close(logits, own[0] + own[1])
    same = CombinedHead("attention", [16, 16], 4, None, seed=1)
    assert not torch.equal(same.head[0].query, same.head[1].query), "two heads that start alike stay alike"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model": "ecg_founder,"}, "a name is missing"),
        ({"model": "ecg_founder,s4"}, "s4 has no pretrained weights"),
        ({"mode": "finetune"}, r"frozen features.*\n.*--mode frozen or linear.*ensemble"),
        ({"overrides": {"features": "reencoded"}}, "--features stored"),
        ({"fault": "unloaded_weights"}, "leave out --fault"),
        ({"model_options": {"base_width": 8}}, "leave out --model-option"),
        ({"evaluate_on": ("georgia",)}, "leave out --evaluate-on"),
        ({"perturb": ("all",)}, "leave out --perturb"),
    ],
)
def test_refusals(synthetic_folder, tmp_path, changes, message):
    values = {"model": "ecg_founder,ecg_cpc", "mode": "linear", "model_options": {}, **changes}
    with pytest.raises(TrainingError, match=message):
        small_spec(synthetic_folder, tmp_path, **values)


def test_a_path_with_a_comma_is_one_model(tmp_path):
    from hf_ecg_bench.combining.members import member_names

    folder = tmp_path / "a,b"
    assert len(member_names(str(folder))) == 2
    folder.mkdir()
    assert member_names(str(folder)) == (str(folder),)
    assert member_names("a, b,c") == ("a", "b", "c")


def test_folders_that_are_not_to_be_trusted(finished, founders, tmp_path, monkeypatch):
    import shutil

    from hf_ecg_bench.models.loading import load_model

    folder = shutil.copytree(finished[0].output_dir / "model", tmp_path / "model")
    with pytest.raises(CheckpointError, match="load_combination"):
        load_model(folder)
    with pytest.raises(CheckpointError, match=r"no combination.json"):
        load_combination(founders[2.5])
    facts = json.loads((folder / "combination.json").read_text())
    changed = tmp_path / "founder"
    shutil.copytree(founders[2.5], changed)
    tensors = load_file(changed / "model.safetensors")
    save_file({name: value + 1 for name, value in tensors.items()}, changed / "model.safetensors", {"format": "pt"})
    facts["members"][0]["source"] = str(changed)
    (folder / "combination.json").write_text(json.dumps(facts))
    with pytest.raises(CheckpointError, match="trained on other weights"):
        load_combination(folder)
    for wrong in ("{", "[]", json.dumps({**facts, "members": 3}), json.dumps({**facts, "target_std": [1]})):
        (folder / "combination.json").write_text(wrong)
        with pytest.raises(CheckpointError, match="damaged"):
            load_combination(folder)
    (folder / "combination.json").write_text(json.dumps({**facts, "version": 9}))
    with pytest.raises(CheckpointError, match="upgrade"):
        load_combination(folder)

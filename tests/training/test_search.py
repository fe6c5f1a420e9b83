"""A search of learning rates: each from the same start, the best on validation kept, killed anywhere and the same."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from hf_ecg_bench.errors import DivergedError, TrainingError
from hf_ecg_bench.training.loop.snapshots import restore_tuned, tuned_tensors
from hf_ecg_bench.training.searching import search, trials
from hf_ecg_bench.training.searching.trials import Trial, rate_name
from hf_ecg_bench.training.spec import RunSpec
from tests.training.fitting_small import linear_spec, narrow_backbone, train

RATES = (3e-4, 3e-2, 1e-3)
# With autocast, which every trial must be trained in, not only the first that a process makes.
SEARCH = {"learning_rates": RATES, "precision": "bf16"}


@pytest.fixture(scope="module")
def backbone(tmp_path_factory):
    return narrow_backbone(tmp_path_factory.mktemp("search"))


@pytest.fixture(scope="module")
def searched(backbone, synthetic_folder, tmp_path_factory):
    """An undisturbed search: (its folder, its outcome)."""
    folder = tmp_path_factory.mktemp("searched")
    return folder, train(linear_spec(backbone, synthetic_folder, folder, overrides=SEARCH))


def test_the_best_rate_is_what_it_is_alone(searched, backbone, synthetic_folder, tmp_path):
    folder, outcome = searched
    chosen = outcome.fitted.chosen["learning_rate"]
    listed = outcome.fitted.selection["trials"]
    assert [trial["learning_rate"] for trial in listed] == list(RATES)
    assert all(trial["epochs"] == 2 for trial in listed)
    values = [trial["best_value"] for trial in listed]
    assert len(set(values)) == 3
    assert chosen == RATES[int(np.argmin(values))], "the synthetic task is selected by its composite score"
    assert chosen != RATES[0], "or else later trials could be trained in another way unseen"
    overrides = {"learning_rate": chosen, "precision": "bf16"}
    alone = train(linear_spec(backbone, synthetic_folder, tmp_path, overrides=overrides))
    np.testing.assert_array_equal(alone.logits, outcome.logits)
    assert alone.fitted.history == outcome.fitted.history
    assert alone.fitted.selection.items() <= outcome.fitted.selection.items()
    (note,) = [note for note in outcome.fitted.notes if "over 3 trials" in note]
    assert "0.0003, 0.03, 0.001" in note
    left = {path.name for path in folder.rglob("*") if path.is_file() and not path.name.endswith(".lock")}
    assert {"trial.json", "best.safetensors"} <= left
    assert len(list(folder.rglob("best.safetensors"))) == 1, "the weights of beaten trials are not kept"
    assert not list(folder.rglob("checkpoint-*"))


@pytest.mark.parametrize(
    "moment",
    [
        "second epoch of the second trial",
        pytest.param("between weights and trial", marks=pytest.mark.slow),
        pytest.param("at the end", marks=pytest.mark.slow),
    ],
)
def test_a_killed_search_ends_as_the_undisturbed_one(
    searched, backbone, synthetic_folder, tmp_path, monkeypatch, moment
):
    spec = linear_spec(backbone, synthetic_folder, tmp_path, overrides=SEARCH)
    with monkeypatch.context() as patch:
        if moment == "at the end":
            patch.setattr(search, "_fitted", killed)
        elif moment == "between weights and trial":
            patch.setattr(trials, "write_json", killed)
        else:
            from hf_ecg_bench.training.loop.trainer import EcgTrainer

            original = EcgTrainer.evaluate

            def evaluate(self, *args, **kwargs):
                if self.args.learning_rate == RATES[1] and self.state.epoch > 1.5:
                    raise KeyboardInterrupt
                return original(self, *args, **kwargs)

            patch.setattr(EcgTrainer, "evaluate", evaluate)
        with pytest.raises(KeyboardInterrupt):
            train(spec)
    again = train(spec)
    _, undisturbed = searched
    np.testing.assert_array_equal(again.logits, undisturbed.logits)
    np.testing.assert_array_equal(again.head, undisturbed.head)
    for name in ("history", "selection", "chosen", "notes"):
        assert getattr(again.fitted, name) == getattr(undisturbed.fitted, name), name
    assert again.fitted.resumed
    assert not undisturbed.fitted.resumed
    trained_again = {line for line in again.said if line.startswith("learning rate")}
    assert ("learning rate 0.0003 (1 of 3)" in trained_again) == (moment == "between weights and trial")


def killed(*args, **kwargs):
    raise KeyboardInterrupt


def test_a_rate_that_diverges_loses_and_is_named(backbone, synthetic_folder, tmp_path):
    spec = linear_spec(backbone, synthetic_folder, tmp_path / "one", overrides={"learning_rates": (1e-2, 1e30)})
    outcome = train(spec)
    assert outcome.fitted.chosen == {"learning_rate": 1e-2}
    assert "diverged" in outcome.fitted.selection["trials"][1]
    assert "training diverged at the learning rates 1e+30" in outcome.fitted.notes
    assert np.isfinite(outcome.logits).all()
    spec = linear_spec(backbone, synthetic_folder, tmp_path / "all", overrides={"learning_rates": (1e30, 1e31)})
    with pytest.raises(DivergedError, match=r"at every learning rate: 1e\+30, 1e\+31"):
        train(spec)


def test_of_equal_values_the_larger_rate_wins():
    found = [Trial(rate, selection={"best_value": value}) for rate, value in ((1e-3, 0.8), (1e-2, 0.8), (1e-1, 0.7))]
    assert search.best_trial(found, "macro_auroc").learning_rate == 1e-2
    assert search.best_trial(found, "composite").learning_rate == 1e-1
    assert search.best_trial([Trial(1e-3, diverged="nan")], "mae") is None


def test_folders_of_rates_differ_where_the_rates_do():
    assert rate_name(1e-3) == "rate-1e-03"
    assert rate_name(3.5e-4) == "rate-3.5e-04"
    rates = [0.1 + step * 2.0**-56 for step in range(8)]
    assert len({rate_name(rate) for rate in rates}) == len(set(rates))


def test_snapshots_bring_back_weights_and_batch_statistics():
    torch.manual_seed(0)
    module = torch.nn.Sequential(torch.nn.Conv1d(2, 3, 3), torch.nn.BatchNorm1d(3), torch.nn.Linear(6, 1))
    module[0].requires_grad_(False)
    start = tuned_tensors(module)
    assert set(start) == {
        *("1.weight", "1.bias", "1.running_mean", "1.running_var", "1.num_batches_tracked", "2.weight", "2.bias")
    }
    optimizer = torch.optim.SGD([p for p in module.parameters() if p.requires_grad], lr=0.1)
    module(torch.randn(4, 2, 8)).sum().backward()
    optimizer.step()
    moved = tuned_tensors(module)
    assert all(not torch.equal(moved[name], start[name]) for name in start)
    restore_tuned(module, start)
    assert all(torch.equal(value, start[name]) for name, value in tuned_tensors(module).items())


@pytest.mark.parametrize(
    ("mode", "overrides", "message"),
    [
        ("linear", {"learning_rate": 1e-3, "learning_rates": (1e-3, 1e-2)}, "both one learning rate and several"),
        ("linear", {"learning_rates": (1e-3, 1e-3)}, "stands there twice"),
        ("finetune", {"solver": "lbfgs"}, "--mode linear"),
        ("frozen", {"solver": "lbfgs"}, "--mode linear"),
        ("linear", {"solver": "lbfgs", "features": "reencoded"}, "--features stored"),
        ("linear", {"solver": "lbfgs", "patience": 3}, "no epochs to choose"),
        ("linear", {"solver": "lbfgs", "learning_rates": (1e-3,)}, "no learning rate"),
        ("linear", {"solver": "lbfgs", "focal_gamma": 1.0}, "not convex"),
        ("linear", {"solver": "lbfgs", "epochs": 3, "batch_size": 9}, "no use of --epochs, --batch-size"),
        ("finetune", {"crops": 1}, "no use of --crops"),
        ("lora", {"features": "reencoded"}, "no use of --features"),
        ("frozen", {"features": "reencoded", "feature_precision": "fp32"}, "no use of --feature-precision"),
        ("lora", {"adapter": "ia3", "adapter_rank": 4}, "no use of --adapter-rank"),
    ],
)
def test_hyperparameters_that_exclude_each_other(tmp_path, mode, overrides, message):
    with pytest.raises(TrainingError, match=message):
        RunSpec("founder", "synthetic", mode, tmp_path, overrides=overrides).hyperparameters()


def test_the_auto_preset_searches_unless_a_rate_is_given(tmp_path):
    auto = RunSpec("founder", "synthetic", "linear", tmp_path, protocol="auto").hyperparameters()
    assert auto.learning_rates == (1e-4, 3e-4, 1e-3, 3e-3)
    assert auto.patience == 10
    given = RunSpec("founder", "synthetic", "linear", tmp_path, protocol="auto", overrides={"learning_rate": 0.1})
    assert given.hyperparameters().learning_rates == ()


@pytest.mark.parametrize("name", ["FSDP", "DEEPSPEED"])
def test_weights_that_no_process_holds_cannot_be_searched(monkeypatch, name):
    monkeypatch.setenv(f"ACCELERATE_USE_{name}", "true")
    with pytest.raises(TrainingError, match="one run per rate"):
        search.search(None, None, None, None)


@pytest.mark.slow
def test_a_search_on_windows_restores_batch_statistics_too(backbone, synthetic_folder, tmp_path):
    outcomes = {}
    for name, overrides in (("search", {"learning_rates": (1e-3, 1e-2)}), ("alone", {"learning_rate": 1e-2})):
        outcomes[name] = train(
            RunSpec(
                str(backbone), "synthetic", "finetune", tmp_path / name, data=str(synthetic_folder),
                overrides={"epochs": 1, "layer_factors": (1.0, 1.0, 1.0), **overrides},
            )
        )  # fmt: skip
    second = outcomes["search"].fitted.selection["trials"][1]
    assert second["best_value"] == outcomes["alone"].fitted.selection["best_value"]
    if outcomes["search"].fitted.chosen["learning_rate"] == 1e-2:
        np.testing.assert_array_equal(outcomes["search"].logits, outcomes["alone"].logits)

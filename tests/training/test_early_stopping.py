"""Stopping early: when, why, and that a kill at any moment changes nothing."""

from __future__ import annotations

import numpy as np
import pytest

from hf_ecg_bench.training.loop.early_stopping import EarlyStopping, stale_epochs
from tests.training.fitting_small import linear_spec, narrow_backbone, train

NAN = float("nan")


@pytest.fixture(scope="module")
def backbone(tmp_path_factory):
    return narrow_backbone(tmp_path_factory.mktemp("stopping"))


@pytest.mark.parametrize(
    ("values", "greater", "stale"),
    [
        ([], True, 0),
        ([0.5], True, 0),
        ([0.5, 0.6, 0.55, 0.6], True, 2),  # equal is not better
        ([0.5, 0.6, 0.55, 0.61], True, 0),
        ([0.5, 0.6, 0.55, 0.61], False, 3),
        ([NAN, NAN], True, 2),
        ([0.5, NAN, 0.4], True, 2),
    ],
)
def test_epochs_since_the_best(values, greater, stale):
    assert stale_epochs(values, greater) == stale


def test_the_reason_names_epoch_value_and_patience():
    stopping = EarlyStopping("macro_auroc", True, 2, lambda _: None)
    log = [{"loss": 1.0}, {"eval_macro_auroc": 0.7}, {"loss": 0.9}, {"eval_macro_auroc": 0.65}]
    assert stopping.reason(log) is None
    log.append({"eval_macro_auroc": 0.7})
    assert stopping.reason(log) == "stopped after epoch 3: no validation macro_auroc better than 0.7000 for 2 epochs"


def standing_still(backbone, data, folder):
    """A run of at most 9 epochs at rate 0: the first epoch stays the best one."""
    return linear_spec(
        backbone, data, folder, overrides={"epochs": 9, "learning_rate": 0.0, "weight_decay": 0.0, "patience": 2}
    )


def test_training_stops_and_a_kill_before_its_end_is_not_trained_on(backbone, synthetic_folder, tmp_path, monkeypatch):
    from hf_ecg_bench.training.loop.trainer import EcgTrainer

    first = train(standing_still(backbone, synthetic_folder, tmp_path / "first"))
    assert first.fitted.selection["best_epoch"] == 1
    assert first.fitted.selection["epochs"] == len(first.fitted.history) == 3
    assert first.fitted.selection["stopped"].startswith("stopped after epoch 3: no validation composite better than")
    assert first.said[-1] == first.fitted.selection["stopped"]

    def kill(*args, **kwargs):
        raise KeyboardInterrupt

    spec = standing_still(backbone, synthetic_folder, tmp_path / "killed")
    with monkeypatch.context() as patch:
        patch.setattr(EcgTrainer, "_finalize_training", kill)  # every checkpoint is written, the best not yet loaded
        with pytest.raises(KeyboardInterrupt):
            train(spec)
    again = train(spec)
    assert not [line for line in again.said if line.startswith("epoch ")], "nothing is trained any more"
    np.testing.assert_array_equal(again.logits, first.logits)
    assert again.fitted.history == first.fitted.history
    assert again.fitted.selection == first.fitted.selection


def test_without_patience_all_epochs_are_trained(backbone, synthetic_folder, tmp_path):
    spec = linear_spec(
        backbone, synthetic_folder, tmp_path, overrides={"epochs": 4, "learning_rate": 0.0, "weight_decay": 0.0}
    )
    selection = train(spec).fitted.selection
    assert selection["epochs"] == 4
    assert "stopped" not in selection

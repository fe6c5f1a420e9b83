"""The parts of training that are pure enough to be tested alone."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest

from hf_ecg_bench.errors import EcgBenchError, TrainingError
from hf_ecg_bench.tasks.targets import multi_hot
from hf_ecg_bench.training.caveats import changed_options
from hf_ecg_bench.training.examples import choose_examples
from hf_ecg_bench.training.loop.batches import EpochSampler, TrainingWindows
from hf_ecg_bench.training.loop.selection import check_selectable, selection_metrics
from hf_ecg_bench.training.protocol import protocol_of
from hf_ecg_bench.training.spec import RunSpec
from hf_ecg_bench.training.surviving.checkpoints import last_complete_checkpoint, seal


def test_multi_hot_counts_repeats_once_and_picks_classes():
    labels = pa.array([[2, 2, 0], [], [1]], pa.list_(pa.int64()))
    np.testing.assert_array_equal(multi_hot(labels, [0, 1, 2]), [[1, 0, 1], [0, 0, 0], [0, 1, 0]])
    np.testing.assert_array_equal(multi_hot(labels, [2, 1]), [[1, 0], [0, 0], [0, 1]])
    np.testing.assert_array_equal(multi_hot(labels.slice(1), [0, 1]), [[0, 0], [0, 1]])


def test_sampler_drops_the_last_incomplete_batch_and_repeats_itself():
    sampler = EpochSampler(range(10), 4, seed=3)
    first = list(sampler)
    assert len(sampler) == len(first) == len(set(first)) == 8
    sampler.set_epoch(1)
    second = list(sampler)
    assert first != second
    assert list(sampler) == second
    sampler.set_epoch(0)
    assert list(sampler) == first


def test_selection_metrics():
    targets = np.array([[1, 0.5], [0, 1.5], [1, np.nan]])
    predictions = np.array([[0.9, 0.0], [0.1, 1.0], [0.8, 9.0]])
    scores = selection_metrics(targets, predictions, np.array([False, True]))
    assert scores == {"macro_auroc": 1.0, "mae": 0.5, "composite": 0.5}


def test_published_protocol_counts_undefined_labels_as_half_and_never_draws_the_last_window():
    targets = np.array([[1.0, 0.0], [0.0, 0.0]])
    predictions = np.array([[0.9, 0.5], [0.1, 0.4]])
    yes_no = np.array([False, False])
    published = RunSpec("s4", "synthetic", "scratch", Path("x"), protocol="published").hyperparameters()
    paper = RunSpec("s4", "synthetic", "scratch", Path("x")).hyperparameters()
    scores = [selection_metrics(targets, predictions, yes_no, p.undefined)["macro_auroc"] for p in (paper, published)]
    assert scores == [1.0, 0.75]
    drawn = []
    for protocol in (paper, published):
        reader = StartsReader()
        windows = TrainingWindows(reader, np.arange(200), np.zeros((200, 1)), 0, last_window=protocol.last_window)
        windows.__getitems__(list(range(200)))
        drawn.append(set(reader.starts.tolist()))
    assert drawn == [{0, 1, 2}, {0, 1}]


class StartsReader:
    """Remembers which windows of 8 samples were asked for, of records of 10."""

    lengths = np.full(200, 10)
    plan = SimpleNamespace(window=8)

    def read(self, records, starts):
        self.starts = starts
        return np.zeros((len(records), 12, 8), np.float32)


def test_unselectable_validation_is_refused():
    with pytest.raises(TrainingError, match="best epoch cannot be picked by macro_auroc"):
        check_selectable(np.zeros((5, 2)), np.array([False, False]), "macro_auroc")
    check_selectable(np.array([[0.0], [1.0]]), np.array([False]), "macro_auroc")
    with pytest.raises(TrainingError, match="mae"):
        check_selectable(np.full((5, 1), np.nan), np.array([True]), "mae")


def test_examples_span_right_to_wrong():
    targets = np.tile([[1.0, 0.0]], (5, 1))
    predictions = np.array([[0.9, 0.1], [0.1, 0.9], [0.5, 0.5], [0.7, 0.3], [0.3, 0.7]])
    chosen = choose_examples(targets, predictions, np.array([False, False]), 3)
    assert chosen.tolist() == [0, 2, 1]
    assert len(choose_examples(targets, predictions, np.array([False, False]), 0)) == 0
    assert len(choose_examples(targets, predictions, np.array([False, False]), 99)) == 5


def test_only_complete_checkpoints_count(tmp_path):
    assert last_complete_checkpoint(tmp_path) is None
    for step, sealed in ((5, True), (10, True), (20, False), (30, True)):
        folder = tmp_path / f"checkpoint-{step}"
        folder.mkdir()
        (folder / "optimizer.pt").write_bytes(b"state")
        if sealed:
            seal(folder, best_step=step, processes=1)
    (tmp_path / "checkpoint-30" / "optimizer.pt").unlink()
    said: list[str] = []
    assert last_complete_checkpoint(tmp_path, said.append) == tmp_path / "checkpoint-10"
    assert len(said) == 1
    assert "checkpoint-30 is damaged (optimizer.pt is missing)" in said[0]


@pytest.mark.parametrize(
    ("dataset", "options", "changed"),
    [
        ("ptbxl", {"splits": "fixed", "min_count": None, "limit": None, "protocol": "corrected"}, []),
        ("ptbxl", {"splits": "largest_folds", "min_count": 3}, ["splits=largest_folds", "min_count=3"]),
        ("code15", {"protocol": "published", "n_folds": 100}, []),
        ("georgia", {"n_folds": 5}, ["n_folds=5"]),
        ("chapman", {"layout": "figshare"}, []),
        ("chapman", {"layout": "challenge"}, ["layout=challenge"]),
        ("mimic_iv_ecg", {"chart_label_min_count": 3}, ["chart_label_min_count=3"]),
        ("synthetic", {"n_records": 320, "limit": 100}, ["limit=100"]),
    ],
)
def test_options_that_make_another_task_are_said(dataset, options, changed):
    assert changed_options(dataset, options) == changed


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"batch_size": 0}, "batch_size = 0: expected at least 1"),
        ({"patience": -1}, "patience = -1: expected 0 or more"),
        ({"focal_gamma": float("nan")}, "focal_gamma = nan: expected 0 or more"),
        ({"learning_rates": (1e-3, 0.0)}, "expected numbers above 0"),
        ({"layer_factors": (1.0, 0.1)}, "expected three numbers"),
        ({"adapter_alpha": 0.0}, "adapter_alpha = 0.0: expected a number above 0"),
        ({"adapter_dropout": 1.0}, "adapter_dropout = 1.0: expected 0 or more, below 1"),
        ({"schedule": "cosin"}, "did you mean 'cosine'"),
        ({"warmup_steps": 5}, "--schedule constant_with_warmup"),
        ({"epoch": 5}, "did you mean 'epochs'"),
        ({"learning_rate": "1e-3"}, "learning_rate = '1e-3': expected a number"),
        ({"epochs": 1.5}, "epochs = 1.5: expected a whole number"),
        ({"epochs": True}, "epochs = True: expected a whole number"),
        ({"compile": "yes"}, "compile = 'yes': expected true or false"),
        ({"learning_rates": ("fast",)}, "learning_rates = 'fast': expected a number"),
        ({"layer_factors": 1.0}, "layer_factors = 1.0: expected several numbers"),
    ],
)
def test_hyperparameters_out_of_range_are_refused(overrides, message):
    with pytest.raises(EcgBenchError, match=message):
        protocol_of("paper", overrides)


@pytest.mark.parametrize("changes", [{"fraction": 0}, {"fraction": 1.5}, {"limit": -1}, {"seed": -1}, {"examples": -1}])
def test_runs_out_of_range_are_refused(changes):
    with pytest.raises(TrainingError, match=str(*changes.values())):
        RunSpec("s4", "synthetic", "scratch", Path("x"), **changes)


def test_an_empty_split_does_not_propose_what_was_done(synthetic_folder):
    from hf_ecg_bench.data.load import load_prepared
    from hf_ecg_bench.tasks import get_task
    from hf_ecg_bench.training.records.of_task import task_records

    prepared = load_prepared(synthetic_folder)
    prepared.splits["test"] = prepared.splits["test"].select([])
    for splits, fix in (("fixed", "--option splits=largest_folds"), ("largest_folds", "or a larger part of it")):
        prepared.info["options"]["splits"] = splits
        with pytest.raises(TrainingError, match=f"'test' has no usable record .*\n  fix: .*{fix}"):
            task_records(prepared, get_task("synthetic"))

"""The joint MIMIC run, from its made-up release to eleven tasks, and its loss and selection by the specification."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from hf_ecg_bench.data.prepare import prepare
from hf_ecg_bench.errors import DataError, PredictionsError
from hf_ecg_bench.evaluation.summary import summarise
from hf_ecg_bench.models.losses import masked_loss
from hf_ecg_bench.results.group_tables import slice_tables
from hf_ecg_bench.results.predictions import read_predictions
from hf_ecg_bench.results.report import write_report
from hf_ecg_bench.results.schema import Result
from hf_ecg_bench.results.slices import parts_of, select_targets, slice_results, target_names, with_slices
from hf_ecg_bench.results.tables import comparison_tables, to_row
from hf_ecg_bench.tasks import get_task
from hf_ecg_bench.training.loop.selection import selection_metrics
from hf_ecg_bench.training.records.parts import part_targets
from tests.data.examples import write_originals
from tests.training.small import small_spec

TASK = get_task("mimic")
N_LABELS, N_NUMBERS = 1092, 35
IS_REGRESSION = np.arange(N_LABELS + N_NUMBERS) >= N_LABELS


@pytest.fixture(scope="module")
def mimic_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("mimic")
    out = folder / "ecg-bench" / "mimic_iv_ecg"
    prepare("mimic_iv_ecg", raw_dir=write_originals("mimic_iv_ecg", folder, 60), output_dir=out, options={})
    return out


@pytest.fixture(scope="module")
def joint(mimic_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    """One epoch of a tiny S4 on all 1,127 targets."""
    from hf_ecg_bench.training.run import run

    folder = tmp_path_factory.mktemp("runs") / "joint"
    overrides = {"batch_size": 16, "epochs": 1}
    spec = small_spec(mimic_folder, folder, task="mimic", overrides=overrides, n_resamples=3, examples=1)
    return folder, run(spec, lambda _: None)


# ---- the loss (datasets.md, section 5) ----------------------------------------------------------------------------


def loss_by_the_specification(logits: np.ndarray, labels: np.ndarray) -> float:
    """Column by column, in the words of the specification."""
    sums = {True: [], False: []}
    for column, regression in enumerate(IS_REGRESSION.tolist()):
        there = ~np.isnan(labels[:, column])
        if not there.any():
            continue
        z, y = logits[there, column], labels[there, column]
        errors = np.abs(z - y) if regression else np.logaddexp(0, z) - y * z
        sums[regression].append(errors.mean())
    return sum(float(np.mean(values)) for values in sums.values() if values)


def made_up_batch(seed: int, batch: int = 12) -> tuple[np.ndarray, np.ndarray]:
    """Logits and labels (batch, 1127): some entries missing, and some columns of both kinds altogether."""
    random = np.random.default_rng(seed)
    logits = random.normal(size=(batch, len(IS_REGRESSION)))
    labels = (random.random(logits.shape) < 0.1).astype(float)
    labels[:, IS_REGRESSION] = random.normal(size=(batch, N_NUMBERS))
    labels[random.random(labels.shape) < 0.3] = np.nan
    labels[:, random.random(len(IS_REGRESSION)) < 0.2] = np.nan
    return logits, labels


@pytest.mark.parametrize("missing", ["some", "all numbers", "all labels", "everything"])
def test_the_loss_is_the_specified_one(missing):
    logits, labels = made_up_batch(0)
    labels[:, IS_REGRESSION & (missing in ("all numbers", "everything"))] = np.nan
    labels[:, ~IS_REGRESSION & (missing in ("all labels", "everything"))] = np.nan
    assert np.isnan(labels).all(axis=0).sum() > 100, "columns without any entry"
    z = torch.tensor(logits, requires_grad=True)
    loss = masked_loss(z, torch.tensor(labels), torch.tensor(IS_REGRESSION))
    loss.backward()
    assert loss.item() == pytest.approx(loss_by_the_specification(logits, labels), rel=1e-12)
    assert torch.isfinite(z.grad).all()
    assert not z.grad[torch.tensor(np.isnan(labels))].any(), "a missing entry pulls nowhere"


def test_micro_batches_add_up_to_the_specified_loss():
    """Also where a column is missing in one micro-batch and there in the other."""
    logits, labels = made_up_batch(1)
    labels[:6, :40] = np.nan
    counts = torch.tensor((~np.isnan(labels)).sum(axis=0))
    parts = [
        masked_loss(torch.tensor(z), torch.tensor(y), torch.tensor(IS_REGRESSION), counts).item()
        for z, y in ((logits[:6], labels[:6]), (logits[6:], labels[6:]))
    ]
    assert sum(parts) == pytest.approx(loss_by_the_specification(logits, labels), rel=1e-12)


# ---- the selection ------------------------------------------------------------------------------------------------


def test_composite_corrected_and_published():
    """(1 - macro AUROC) + MAE pooled over all values; a label of one class is left out, or 0.5 as published."""
    targets = np.array([[1, 1, 0.0, 1.0], [0, 1, 2.0, np.nan], [1, 1, np.nan, np.nan], [0, 1, 1.0, np.nan]])
    predictions = np.array([[0.9, 0.2, 0.5, 3.0], [0.8, 0.3, 2.0, 9.0], [0.7, 0.4, 9.0, 9.0], [0.1, 0.5, 1.0, 9.0]])
    regression = np.array([False, False, True, True])
    auroc, mae = 3 / 4, (0.5 + 0 + 0 + 2.0) / 4  # not the mean of column means, (0.5 / 3 + 2) / 2
    corrected = selection_metrics(targets, predictions, regression, "drop")
    published = selection_metrics(targets, predictions, regression, "half")
    assert corrected["composite"] == pytest.approx(1 - auroc + mae)
    assert published["composite"] == pytest.approx(1 - (auroc + 0.5) / 2 + mae)


# ---- the run ------------------------------------------------------------------------------------------------------


def test_the_parts_of_the_joint_task_are_its_outputs():
    parts = {part.id: target_names(part, {}) for part in parts_of(TASK)}
    assert len(parts) == 11
    assert sorted(name for names in parts.values() for name in names) == sorted(TASK.targets)
    assert [part.id for part in parts_of(get_task("ptbxl_all"))] == ["ptbxl_diag", "ptbxl_form", "ptbxl_rhythm"]
    assert [part.id for part in parts_of(get_task("chapman"))] == ["chapman_rhythm"]
    assert parts_of(get_task("code15")) == (), "CODE-test is another test set, not a part of the outputs"


def test_one_run_is_a_result_of_eleven_tasks(joint):
    folder, result = joint
    predictions = read_predictions(folder)
    assert (predictions.kinds.count("binary"), predictions.kinds.count("regression")) == (N_LABELS, N_NUMBERS)
    assert result.selection["metric"] == "composite"
    (epoch,) = result.history
    assert epoch["validation_composite"] == pytest.approx(1 - epoch["validation_macro_auroc"] + epoch["validation_mae"])
    stored = Result.load(folder)
    assert list(stored.slices) == [part.id for part in parts_of(TASK)]
    for part in parts_of(TASK):
        own = select_targets(predictions, target_names(part, {}), part.id)
        alone = summarise(own.targets, own.predictions, own.names, own.kinds, own.patient_id, n_resamples=3)
        kept = stored.slices[part.id]
        assert kept["n_excluded"] == len(predictions) - len(own)
        assert list(kept["metrics"]["targets"]) == list(part.targets)
        for name, metric in alone["metrics"].items():
            assert kept["metrics"]["metrics"][name]["value"] == pytest.approx(metric["value"], nan_ok=True) or (
                np.isnan(metric["value"]) and kept["metrics"]["metrics"][name]["value"] is None
            )


def test_the_report_shows_the_parts_as_tasks_of_their_own(joint):
    _, result = joint
    tasks, numbers = slice_tables(result, "joint")
    assert [row[0].text for row in tasks.rows] == list(result.slices)
    assert len(numbers.rows) == N_NUMBERS
    age = result.slices["mimic_age"]["metrics"]["targets"]["age"]["mae"]["value"]
    (row,) = [row for row in numbers.rows if row[0].text == "mimic_age"]
    assert float(row[4].text.split()[0]) == pytest.approx(age * result.hyperparameters["target_std"]["age"], rel=1e-2)
    assert row[4].text.endswith("years")
    parts = slice_results(result)
    assert {(part.trained_as, to_row(part)["trained_as"]) for part in parts} == {("mimic", "mimic")}
    assert to_row(result)["trained_as"] == "mimic"


def test_a_leaderboard_has_them_beside_runs_of_the_part_alone(joint):
    """Marked, in a table of their own task."""
    _, result = joint
    alone = replace(next(r for r in slice_results(result) if r.task == "mimic_age"), trained_as=None, mode="linear")
    tables = {table.caption: table for table in comparison_tables(with_slices([result, alone]))}
    assert len(tables) == 12
    marks = [row[2].text for row in tables["Task mimic_age"].rows]
    assert sorted(marks) == ["", "trained as mimic"]
    assert [row[2].text for row in tables["Task mimic_icu"].rows] == ["trained as mimic"]


def test_score_of_a_part(joint, capsys):
    from hf_ecg_bench.cli.main import main

    folder, result = joint
    arguments = ["--n-resamples", "3", "--json"]
    assert main(["score", str(folder), "--task", "mimic_biometrics", *arguments]) in (0, None)
    printed = json.loads(capsys.readouterr().out)
    assert list(printed["targets"]) == list(get_task("mimic_biometrics").targets)
    mine = result.slices["mimic_biometrics"]["metrics"]["metrics"]["pooled_mae"]
    assert printed["metrics"]["pooled_mae"] == pytest.approx(mine)
    with pytest.raises(PredictionsError, match=r"task ptbxl_form: 19 of its 19 targets are not among the 1127"):
        select_targets(read_predictions(folder), [f"x{i}" for i in range(19)], "ptbxl_form")


def test_a_part_with_other_classes_is_refused_before_training(mimic_folder):
    from hf_ecg_bench.data.load import load_prepared

    records = SimpleNamespace(columns=SimpleNamespace(names=TASK.targets[1:]), warnings=[])
    with pytest.raises(DataError, match=f"1 of the .* targets of mimic_[a-z]*, .*: {TASK.targets[0]}"):
        part_targets(load_prepared(mimic_folder), TASK, records)


@pytest.mark.slow
def test_the_page_of_a_joint_run(joint, tmp_path):
    folder, _ = joint
    page = write_report(folder, tmp_path).read_text(encoding="utf-8")
    assert "Tasks that this run serves" in page
    assert page.index("mimic_vital_signs") < page.index("<svg"), "before the figures of 1,127 targets"


@pytest.mark.slow
def test_a_part_alone_runs_too_and_says_what_the_paper_does(mimic_folder, tmp_path):
    from hf_ecg_bench.training.run import run

    overrides = {"batch_size": 16, "epochs": 1}
    result = run(
        small_spec(mimic_folder, tmp_path / "age", task="mimic_age", overrides=overrides, n_resamples=3),
        lambda _: None,
    )
    assert list(result.metrics["targets"]) == ["age"]
    assert result.slices == {}
    assert any("scored as a part of --task mimic" in warning for warning in result.warnings)


@pytest.mark.slow
def test_a_larger_joint_run_learns_and_excludes(tmp_path):
    """Several epochs on more records: the loss falls, every part has its own records."""
    from hf_ecg_bench.training.run import run

    out = tmp_path / "ecg-bench" / "mimic_iv_ecg"
    prepare("mimic_iv_ecg", raw_dir=write_originals("mimic_iv_ecg", tmp_path, 600), output_dir=out, options={})
    result = run(
        small_spec(out, tmp_path / "run", task="mimic", overrides={"epochs": 4}, n_resamples=100), lambda _: None
    )
    losses = [epoch["train_loss"] for epoch in result.history]
    assert losses == sorted(losses, reverse=True)
    assert result.selection["best_value"] == min(epoch["validation_composite"] for epoch in result.history)
    for part in result.slices.values():
        assert part["metrics"]["n"] + part["n_excluded"] == result.metrics["n"]
    assert 0 < result.metrics["metrics"]["composite"]["value"] < 3

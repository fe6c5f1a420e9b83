"""From rows and predictions to the scores of a task."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hf_ecg_bench.evaluation.bootstrap import bootstrap
from hf_ecg_bench.evaluation.comparison import compare
from hf_ecg_bench.results.predictions import read_predictions
from hf_ecg_bench.results.row import Row
from hf_ecg_bench.results.rows import read_rows
from hf_ecg_bench.standings import scoring
from hf_ecg_bench.standings.entry import Entry
from hf_ecg_bench.standings.scoring import score_tasks
from hf_ecg_bench.standings.task_ranking import stand
from tests.standings.fake_grid import LABELS, write_grid, write_run


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_ECG_BENCH_CACHE", str(tmp_path / "cache"))


def scored(folder, **options):
    rows, unreadable = read_rows(folder)
    assert not unreadable
    return score_tasks(rows, folder, **{"n_resamples": 200, **options})


def test_values_and_differences_are_those_of_the_bootstrap_by_patient(tmp_path):
    write_run(tmp_path / "a", model="merl", task="ptb", skill=1.2)
    write_run(tmp_path / "b", model="st_mem", task="ptb", skill=0.8, shuffle=True)
    scores = scored(tmp_path)["ptb"]
    a, b = (read_predictions(tmp_path / name) for name in "ab")
    b = b.take(np.argsort(b.record_id.astype(str)))
    own = bootstrap(a.targets, a.predictions, groups=a.patient_id, n_resamples=200)
    difference = compare(a.targets, a.predictions, b.predictions, groups=a.patient_id, n_resamples=200)
    assert [entry.model for entry in scores.entries] == ["merl", "st_mem"]
    assert scores.unit == "patient"
    assert scores.n_records == 240
    assert scores.value[0] == pytest.approx(own.value)
    assert (scores.low[0], scores.high[0]) == pytest.approx((own.low, own.high))
    np.testing.assert_allclose(scores.samples[0] - scores.samples[1], difference.samples, atol=1e-12)
    assert stand(scores).p[0, 1] == pytest.approx(difference.p)
    np.testing.assert_allclose(scores.targets.value[0], own.per_target.value)
    np.testing.assert_allclose(scores.targets.low[0], own.per_target.low)


def test_seeds_are_averaged_in_every_resample_and_their_sd_stands_beside(tmp_path):
    write_grid(tmp_path, {"merl": 1.0}, ["ptb"], modes=["frozen"], seeds=[0, 1, 2])
    rows, _ = read_rows(tmp_path)
    (scores,) = scored(tmp_path).values()
    values = [row.value for row in rows]
    assert scores.n_seeds.tolist() == [3]
    assert scores.value[0] == pytest.approx(np.mean(values))
    assert scores.seed_sd[0] == pytest.approx(np.std(values, ddof=1))
    single = [score_tasks([row], tmp_path, n_resamples=200)["ptb"].samples[0] for row in rows]
    np.testing.assert_allclose(scores.samples[0], np.mean(single, axis=0))
    assert np.isnan(score_tasks(rows[:1], tmp_path)["ptb"].seed_sd[0])


def test_parts_of_a_joint_run_take_their_columns_and_the_file_is_read_once(tmp_path, monkeypatch):
    parts = {"ptbxl_form": LABELS[:2], "ptbxl_rhythm": LABELS[3:]}
    for seed in (0, 1):
        write_run(tmp_path / f"joint{seed}", model="merl", task="ptbxl_all", skill=1.0, parts=parts, seed=seed)
    write_run(tmp_path / "own", model="st_mem", task="ptbxl_form", labels=LABELS[:2], skill=0.9)
    read = []
    monkeypatch.setattr(scoring, "read_predictions", lambda path: read.append(path) or read_predictions(path))
    scores = scored(tmp_path)
    assert sorted(scores) == ["ptbxl_all", "ptbxl_form", "ptbxl_rhythm"]
    assert len(read) == 3
    joint = read_predictions(tmp_path / "joint0")
    alone = bootstrap(joint.targets[:, 3:], joint.predictions[:, 3:], groups=joint.patient_id, n_resamples=200)
    rows = [row for row in read_rows(tmp_path)[0] if row.folder == "joint0" and row.task == "ptbxl_rhythm"]
    np.testing.assert_allclose(score_tasks(rows, tmp_path, n_resamples=200)["ptbxl_rhythm"].samples[0], alone.samples)
    assert scores["ptbxl_rhythm"].targets.names == LABELS[3:]
    # Another truth for the same labels: it may not stand beside the joint runs.
    assert [item.name for item in scores["ptbxl_form"].excluded] == ["own"]


def test_a_part_that_lacks_records_has_its_own_resamples(tmp_path):
    write_run(tmp_path / "run", model="merl", task="ptbxl_all", skill=1.0, parts={"ptbxl_form": LABELS[:2]})
    predictions = read_predictions(tmp_path / "run")
    targets = predictions.targets.copy()
    targets[:40, :2] = np.nan
    from hf_ecg_bench.results.predictions import write_predictions

    write_predictions(tmp_path / "run" / "predictions.parquet", replace(predictions, targets=targets))
    scores = scored(tmp_path)["ptbxl_form"]
    kept = slice(40, None)
    own = bootstrap(
        targets[kept, :2],
        predictions.predictions[kept, :2],
        groups=predictions.patient_id[kept],
        n_resamples=200,
    )
    assert scores.n_records == 200
    np.testing.assert_allclose(scores.samples[0], own.samples)
    assert "its predictions give" in scores.notes[0], "result.json was written before"


def test_other_test_records_are_left_out_and_named(tmp_path):
    write_grid(tmp_path, {"merl": 1.0, "st_mem": 0.8}, ["ptb"], modes=["frozen"], seeds=[0])
    write_run(tmp_path / "limited", model="s4", task="ptb", skill=1.5, n=60, test_seed=3)
    write_run(tmp_path / "other_truth", model="net1d", task="ptb", skill=1.5, test_seed=99)
    scores = scored(tmp_path)["ptb"]
    assert [entry.model for entry in scores.entries] == ["merl", "st_mem"]
    reasons = {item.name: item.reason for item in scores.excluded}
    assert "60 test records are not the 240" in reasons["limited"]
    assert "their targets are not those" in reasons["other_truth"]


def test_broken_predictions_exclude_a_run_and_not_the_others(tmp_path):
    write_grid(tmp_path, {"merl": 1.0, "st_mem": 0.8}, ["ptb"], modes=["frozen"], seeds=[0])
    write_run(tmp_path / "broken", model="s4", task="ptb", skill=1.5, test_seed=3)
    (tmp_path / "broken" / "predictions.parquet").write_bytes(b"PAR1 nothing")
    scores = scored(tmp_path)["ptb"]
    assert len(scores.entries) == 2
    (out,) = scores.excluded
    assert out.name == "broken"
    assert "cannot be scored" in out.reason
    assert str(tmp_path) not in out.reason


def test_without_predictions_and_published_rows_keep_value_and_interval(tmp_path):
    write_run(tmp_path / "a", model="merl", task="ptb", skill=1.0)
    write_run(tmp_path / "b", model="st_mem", task="ptb", skill=0.8, predictions=False)
    rows, _ = read_rows(tmp_path)
    published = Row(
        "merl", "ptb", "adult", "ptb", "finetune", "macro_auroc", 0.7, 0.6, 0.8, origin="published", audit="x"
    )
    mae = replace(published, mode="linear", metric="pooled_mae", higher_is_better=False)
    scores = score_tasks([*rows, published, mae], tmp_path, n_resamples=100)["ptb"]
    at = scores.entries.index(Entry("merl", "finetune", origin="published"))
    assert (scores.value[at], scores.low[at], scores.high[at]) == (0.7, 0.6, 0.8)
    assert scores.tested.tolist() == [entry == Entry("merl", "frozen") for entry in scores.entries]
    assert [item.reason for item in scores.excluded] == ["scored by pooled_mae, the others by macro_auroc"]
    assert np.isnan(scores.targets.value[at]).all()


def test_smaller_fractions_are_no_entries_and_copies_count_once(tmp_path):
    write_grid(tmp_path, {"merl": 1.0}, ["ptb"], modes=["frozen"], seeds=[0], fractions=[1.0, 0.5])
    write_run(tmp_path / "copy", model="merl", task="ptb", skill=1.0, test_seed=3, mode="frozen")
    scores = scored(tmp_path)["ptb"]
    assert scores.n_seeds.tolist() == [1]
    assert [item.reason for item in scores.excluded] == ["the same run is there twice"]


def test_regression_tasks_are_scored_by_their_own_metric(tmp_path):
    for model, skill in (("merl", 2.0), ("st_mem", 0.5)):
        write_run(tmp_path / model, model=model, task="mimic_age", skill=skill, labels=(), numbers=("age", "bmi"))
    scores = scored(tmp_path)["mimic_age"]
    assert not scores.higher_is_better
    rows, _ = read_rows(tmp_path)
    assert scores.value.tolist() == pytest.approx([row.value for row in rows])
    assert not scores.notes
    assert stand(scores).rank.tolist() == [1, 2]


def test_the_cache_gives_the_same_and_notices_other_predictions(tmp_path, monkeypatch):
    write_grid(tmp_path, {"merl": 1.0, "st_mem": 0.8}, ["ptb"], modes=["frozen"])
    first = scored(tmp_path)["ptb"]
    read = []
    monkeypatch.setattr(scoring, "read_predictions", lambda path: read.append(path) or read_predictions(path))
    again = scored(tmp_path)["ptb"]
    assert not read
    for name in ("value", "low", "high", "samples", "seed_sd"):
        np.testing.assert_array_equal(getattr(first, name), getattr(again, name))
    np.testing.assert_array_equal(first.targets.low, again.targets.low)
    write_run(tmp_path / "runs/merl/ptb/frozen/fraction-1/seed-0", model="merl", task="ptb", skill=0.3, test_seed=3)
    changed = scored(tmp_path)["ptb"]
    assert len(read) == 2, "only the entry whose predictions changed is read"
    assert changed.value[0] < first.value[0]
    assert changed.value[1] == first.value[1]
    for file in (tmp_path / "cache" / "standings").rglob("*.npz"):
        file.write_bytes(b"broken")
    np.testing.assert_array_equal(scored(tmp_path)["ptb"].value, changed.value)


def test_a_folder_that_leaves_the_results_is_not_read(tmp_path):
    write_run(tmp_path / "results" / "a", model="merl", task="ptb", skill=1.0)
    write_run(tmp_path / "secret", model="s4", task="ptb", skill=1.0)
    rows, _ = read_rows(tmp_path / "results")
    evil = replace(rows[0], model="s4", folder="../secret", predictions_digest="1" * 64)
    scores = score_tasks([*rows, evil], tmp_path / "results", n_resamples=50)["ptb"]
    assert [entry.model for entry in scores.entries] == ["merl"]
    assert "points outside" in scores.excluded[0].reason

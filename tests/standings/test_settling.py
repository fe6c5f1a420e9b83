"""Runs of different trainings are never averaged as if they were seeds."""

from __future__ import annotations

import math
import shutil

import pytest

from hf_ecg_bench.results.row import Row
from hf_ecg_bench.results.rows import read_rows
from hf_ecg_bench.standings.entry import Entry
from hf_ecg_bench.standings.scoring import score_tasks
from hf_ecg_bench.standings.selection import best_modes
from hf_ecg_bench.standings.settling import Settled, settle
from tests.standings.fake_grid import LABELS, write_run

ENTRY = Entry("merl", "lora")
NINE = {"epochs": 9, "batch_size": 64, "learning_rate": 1e-3}


def row(settings: str = "aaa", seed: int = 0, validation: float = 0.8, **changes: object) -> Row:
    values: dict[str, object] = {
        "settings": settings,
        "seed": seed,
        "selection_metric": "macro_auroc",
        "selection_value": validation,
        "folder": f"{settings}-{seed}",
        "predictions_digest": f"{settings}{seed}",
        **changes,
    }
    return Row("merl", "ptb", "adult", "ptb", "lora", "macro_auroc", **{"value": 0.7, **values})  # type: ignore[arg-type]


def kept(settled: Settled) -> list[str]:
    return [one.folder for one in settled.kept]


def test_seeds_of_one_training_all_count() -> None:
    rows = [row(seed=seed, validation=math.nan) for seed in range(3)]
    assert settle(ENTRY, rows) == Settled(tuple(rows))


def test_the_better_mean_validation_value_counts_whatever_the_test_value_is() -> None:
    rows = [row("aaa", 0, 0.80, value=0.9), row("aaa", 1, 0.82, value=0.9), row("bbb", 0, 0.83, value=0.5)]
    settled = settle(ENTRY, rows)
    assert kept(settled) == ["bbb-0"]
    assert [(item.row.folder, item.kind) for item in settled.left_out] == [("aaa-0", "settings"), ("aaa-1", "settings")]
    (note,) = settled.notes
    assert "merl/lora: 2 runs are left out" in note
    assert "2 with settings aaa" in note
    assert "best mean validation macro_auroc, 0.83 against 0.81" in note


def test_a_copy_is_no_evidence_for_its_settings() -> None:
    copies = [row("aaa", 0, 0.9, folder=name) for name in "xyz"]
    settled = settle(ENTRY, [*copies, row("aaa", 1, 0.7), row("bbb", 0, 0.82)])
    assert kept(settled) == ["bbb-0"]
    assert sorted((item.row.folder, item.kind) for item in settled.left_out) == [
        ("aaa-1", "settings"), ("x", "settings"), ("y", "copy"), ("z", "copy"),
    ]  # fmt: skip
    assert "2 runs are left out" in settled.notes[0]


def test_of_an_error_the_smaller_counts() -> None:
    rows = [row("aaa", validation=0.5, selection_metric="mae"), row("bbb", validation=0.4, selection_metric="mae")]
    assert kept(settle(ENTRY, rows)) == ["bbb-0"]


def test_ties_go_to_more_seeds_then_to_the_first_digest() -> None:
    assert kept(settle(ENTRY, [row("aaa"), row("bbb"), row("bbb", 1)])) == ["bbb-0", "bbb-1"]
    assert kept(settle(ENTRY, [row("bbb"), row("aaa")])) == ["aaa-0"]


@pytest.mark.parametrize(
    "changes",
    [{"selection_value": math.nan}, {"selection_metric": "loss"}, {"subset": "published"}],
    ids=["unknown", "another metric", "other validation records"],
)
def test_without_comparable_validation_values_most_seeds_count_and_it_is_said(changes: dict[str, object]) -> None:
    settled = settle(ENTRY, [row("aaa", 0, 0.7), row("aaa", 1, 0.7), row("bbb", 0, 0.9, **changes)])
    assert kept(settled) == ["aaa-0", "aaa-1"]
    assert "most seeds (2), as there are no comparable validation values" in settled.notes[0]


def test_the_choice_is_made_at_the_largest_fraction_and_holds_for_the_curve() -> None:
    rows = [row("aaa", 0, 0.9), row("bbb", 0, 0.8), row("aaa", 0, 0.1, fraction=0.5), row("bbb", 0, 0.9, fraction=0.5)]
    settled = settle(ENTRY, rows)
    assert [(one.settings, one.fraction) for one in settled.kept] == [("aaa", 1.0), ("aaa", 0.5)]
    assert "alone were run on all records" in settle(ENTRY, [row("aaa", 0, 0.9, fraction=0.5), row("bbb")]).notes[0]


def test_runs_of_the_task_itself_go_before_parts_of_a_joint_one() -> None:
    settled = settle(ENTRY, [row(seed=0, validation=0.99, trained_as="joint", folder="joint"), row(seed=1)])
    assert kept(settled) == ["aaa-1"]
    assert "joint as the trained task" in settled.notes[0]
    assert "trained on this task alone" in settled.notes[0]
    apart = [row(trained_as="joint", folder="a"), row("bbb", trained_as="joint", validation=0.9, folder="b")]
    assert kept(settle(ENTRY, apart)) == ["b"]


def test_a_copy_counts_once_and_another_outcome_is_said() -> None:
    copy, other = row(folder="z", predictions_digest="aaa0"), row(folder="y", predictions_digest="other", value=0.6)
    settled = settle(ENTRY, [copy, other, row()])
    assert kept(settled) == ["aaa-0"]
    assert {item.row.folder: item.kind for item in settled.left_out} == {"z": "copy", "y": "settings"}
    assert len(settled.notes) == 1
    assert "seed 0 was run twice" in settled.notes[0]
    assert "(0.7000, 0.6000): aaa-0 counts" in settled.notes[0]


def test_a_run_with_predictions_goes_before_one_without() -> None:
    assert kept(settle(ENTRY, [row(folder="a", predictions_digest=""), row(folder="b")])) == ["b"]


def test_another_seed_with_the_same_predictions_is_another_run() -> None:
    assert len(settle(ENTRY, [row(predictions_digest="x"), row(seed=1, predictions_digest="x")]).kept) == 2


def test_published_rows_are_left_alone() -> None:
    rows = [row("", origin="published"), row("", origin="published")]
    assert settle(Entry("merl", "lora", origin="published"), rows).kept == tuple(rows)


# from run folders


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_ECG_BENCH_CACHE", str(tmp_path / "cache"))


def scored(folder, **options):
    return score_tasks(read_rows(folder)[0], folder, n_resamples=20, **options)


def write(folder, name, **changes):
    return write_run(folder / name, **{"model": "merl", "task": "ptb", "skill": 1.0, "n": 80, **changes})


def test_settings_are_said_in_words_and_not_averaged(tmp_path):
    write(tmp_path, "a")
    write(tmp_path, "b", seed=1)
    write(tmp_path, "c", skill=2.0, hyperparameters=NINE)
    scores = scored(tmp_path)["ptb"]
    assert scores.n_seeds.tolist() == [1]
    assert scores.rows[0][0].folder == "c"
    assert scores.value[0] == pytest.approx(scores.rows[0][0].value)
    assert [(item.name, item.kind) for item in scores.excluded] == [("a", "settings"), ("b", "settings")]
    assert "2 with epochs 20" in scores.notes[0]
    assert "runs with epochs 9 count" in scores.notes[0]


def test_settings_that_cannot_be_read_again_are_said_by_their_digest(tmp_path):
    write(tmp_path, "a")
    write(tmp_path, "b", seed=1, hyperparameters=NINE)
    rows = read_rows(tmp_path)[0]
    (tmp_path / "b" / "result.json").unlink()
    note = score_tasks(rows, tmp_path, n_resamples=20)["ptb"].notes[0]
    assert all(f"settings {one.settings}" in note for one in rows)


def test_weights_are_entries_of_their_own_with_their_own_values(tmp_path):
    for name, digest, skill in (("a", "1a" * 32, 0.5), ("b", "2b" * 32, 2.0)):
        write(tmp_path, name, skill=skill, seed=int(name == "b"), model_digest=digest)
    scores = scored(tmp_path)["ptb"]
    assert [entry.key for entry in scores.entries] == ["merl/frozen@1a1a1a1a", "merl/frozen@2b2b2b2b"]
    assert scores.value[0] < scores.value[1]
    assert not scores.excluded
    assert [entry.weights for entry in best_modes({"ptb": scores}).entries] == ["1a1a1a1a", "2b2b2b2b"]
    assert [entry.key for entry in scored(tmp_path, tasks=["ptb"])["ptb"].entries] == [e.key for e in scores.entries]


def test_a_run_that_was_pushed_twice_counts_once(tmp_path):
    write(tmp_path, "a")
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    scores = scored(tmp_path)["ptb"]
    assert scores.n_seeds.tolist() == [1]
    assert [(item.name, item.kind) for item in scores.excluded] == [("b", "copy")]
    assert not scores.notes


def test_a_joint_run_is_no_seed_of_a_run_of_its_own(tmp_path):
    write(tmp_path, "joint", task="all", parts={"part": LABELS[:3]})
    write(tmp_path, "own", task="part", labels=LABELS[:3])
    scores = scored(tmp_path)
    assert [one.folder for one in scores["part"].rows[0]] == ["own"]
    assert [item.name for item in scores["part"].excluded] == ["joint"]
    assert scores["all"].n_seeds.tolist() == [1]

"""Each model's best mode."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hf_ecg_bench.results.row import Row
from hf_ecg_bench.results.rows import read_rows
from hf_ecg_bench.standings.entry import Entry
from hf_ecg_bench.standings.scoring import score_tasks
from hf_ecg_bench.standings.selection import best_modes
from tests.standings.fake_grid import write_run


@pytest.fixture
def folder(tmp_path):
    # On the test records lora is ahead, on the validation records frozen is.
    for task, skill in (("ptb", 1.0), ("georgia", 0.8)):
        for mode, test, validation in (("lora", skill + 0.3, 0.80), ("frozen", skill, 0.85)):
            write_run(
                tmp_path / task / mode,
                model="merl",
                task=task,
                skill=test,
                mode=mode,
                selection={"metric": "macro_auroc", "best_value": validation},
            )
    return tmp_path


def scores_of(rows, folder):
    return score_tasks(rows, folder, n_resamples=20, cache=False)


def test_validation_values_choose_whatever_the_test_values_are(folder):
    rows, _ = read_rows(folder)
    best = best_modes(scores_of(rows, folder))
    assert best.entries == (Entry("merl", "frozen"),)
    assert best.by_test == ()
    assert "validation" in best.notes[0]


def test_a_loss_is_better_when_it_is_lower(folder):
    rows, _ = read_rows(folder)
    turned = [replace(row, selection_metric="composite") for row in rows]
    assert best_modes(scores_of(turned, folder)).entries == (Entry("merl", "lora"),)


def test_without_validation_values_the_choice_by_test_values_is_named(folder):
    rows, _ = read_rows(folder)
    unknown = [replace(row, selection_value=float("nan")) if row.mode == "lora" else row for row in rows]
    published = [
        Row("st_mem", "ptb", "", "ptb", mode, "macro_auroc", value, origin="published")
        for mode, value in (("finetune", 0.9), ("linear", 0.8))
    ]
    best = best_modes(scores_of([*unknown, *published], folder))
    assert best.by_test == best.entries == (Entry("merl", "lora"), Entry("st_mem", "finetune", origin="published"))
    assert "TEST" in best.notes[0]
    assert "merl/lora" in best.notes[0]


def test_one_mode_alone_needs_no_choice(folder):
    rows = [row for row in read_rows(folder)[0] if row.mode == "lora"]
    best = best_modes(scores_of([replace(row, selection_value=float("nan")) for row in rows], folder))
    assert best.entries == (Entry("merl", "lora"),)
    assert best.by_test == ()


def test_only_tasks_that_all_modes_have_count(folder):
    rows, _ = read_rows(folder)
    # lora's only good validation value is on a task that frozen lacks.
    partly = [
        replace(row, selection_value=0.99) if (row.task, row.mode) == ("ptb", "lora") else row
        for row in rows
        if (row.task, row.mode) != ("ptb", "frozen")
    ]
    assert best_modes(scores_of(partly, folder)).entries == (Entry("merl", "frozen"),)

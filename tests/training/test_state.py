"""A run's folder: whose it is, what killed starts left there, and what is said about it."""

from __future__ import annotations

import json

import pytest

from hf_ecg_bench.errors import TrainingError
from hf_ecg_bench.training.surviving.state import (
    CHECKPOINTS,
    RUN_FILE,
    TRIAL_FILE,
    claim,
    only_one,
    release,
    remove_leftovers,
)

IDENTITY = {"model": "s4", "seed": 0, "hyperparameters": {"epochs": 2, "patience": 0}}


def change(folder, **values):
    file = folder / RUN_FILE
    file.write_text(json.dumps({**json.loads(file.read_text()), **values}))


def test_first_and_second_start(tmp_path):
    assert claim(tmp_path / "run", IDENTITY).new
    again = claim(tmp_path / "run", IDENTITY)
    assert not again.new
    assert again.notes == ()


def test_other_flags(tmp_path):
    claim(tmp_path, IDENTITY)
    with pytest.raises(TrainingError) as caught:
        claim(tmp_path, {**IDENTITY, "seed": 1, "hyperparameters": {"epochs": 3, "patience": 0}})
    assert str(caught.value) == (
        f"{tmp_path} holds another run: hyperparameters.epochs is 2 there and 3 here, seed is 0 there and 1 here\n"
        "  fix: choose another --output-dir"
    )


def test_digests_are_short_and_said_only_where_names_are_equal(tmp_path):
    claim(tmp_path, {"model": "a", "inputs": {"model": "0" * 64}})
    with pytest.raises(
        TrainingError, match=r"another run: inputs\.model is '000000000000' there and '111111111111' here\n"
    ):
        claim(tmp_path, {"model": "a", "inputs": {"model": "1" * 64}})
    with pytest.raises(TrainingError, match="another run: model is 'a' there and 'b' here\n"):
        claim(tmp_path, {"model": "b", "inputs": {"model": "1" * 64}})


def test_a_start_by_another_version(tmp_path):
    claim(tmp_path, IDENTITY)
    change(tmp_path, started_by={"hf-ecg-bench": "0.0.9", "torch": "2.0.0"}, hyperparameters={"epochs": 2})
    with pytest.raises(TrainingError, match=r"patience is not set there and 0 here \(started by version 0\.0\.9 of"):
        claim(tmp_path, IDENTITY)
    change(tmp_path, hyperparameters=IDENTITY["hyperparameters"])
    (note,) = claim(tmp_path, IDENTITY).notes
    assert "hf-ecg-bench 0.0.9 to " in note
    assert "torch 2.0.0 to " in note


@pytest.mark.parametrize(("content", "message"), [("{", "is not JSON"), ("[]", "does not describe a run")])
def test_broken_run_file(tmp_path, content, message):
    (tmp_path / RUN_FILE).write_text(content)
    with pytest.raises(TrainingError, match=rf"run\.json {message}"):
        claim(tmp_path, IDENTITY)


def test_leftovers_of_killed_starts_go_and_nothing_else(tmp_path):
    (tmp_path / f".{RUN_FILE}.abc.part").write_text("{")
    (tmp_path / ".mine.part").write_text("precious")
    remove_leftovers(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [".mine.part"], "not yet a run: only what a claim leaves"
    (tmp_path / ".mine.part").unlink()
    claim(tmp_path, IDENTITY)
    (tmp_path / ".model.abc.part").mkdir()
    (tmp_path / ".predictions.parquet.abc.part").write_text("")
    (tmp_path / CHECKPOINTS).mkdir()
    remove_leftovers(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {RUN_FILE, CHECKPOINTS}
    (tmp_path / "result.json").write_text("{}")
    remove_leftovers(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {RUN_FILE, "result.json"}


def test_a_failed_start_leaves_no_trace_unless_something_was_finished(tmp_path):
    for finished in (False, True):
        claim(tmp_path / "run", IDENTITY)
        trial = tmp_path / "run" / CHECKPOINTS / "rate-1e-3"
        (trial / "checkpoint-7").mkdir(parents=True)
        if finished:
            (trial / TRIAL_FILE).write_text("{}")
        release(tmp_path / "run")
        assert (tmp_path / "run").exists() == finished


def test_one_process_at_a_time(tmp_path):
    again = only_one(tmp_path / "run")
    with only_one(tmp_path / "run"), pytest.raises(TrainingError, match="another process is working on"):
        again.__enter__()
    assert list(tmp_path.iterdir()) == []

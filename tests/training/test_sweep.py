"""Several fractions and seeds: a run each, the rest untouched by one that fails."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hf_ecg_bench.cli import sweeping
from hf_ecg_bench.cli.main import main
from hf_ecg_bench.errors import TrainingError, UnknownNameError
from hf_ecg_bench.training import sweep as module
from hf_ecg_bench.training.spec import RunSpec
from hf_ecg_bench.training.sweep import summarise_sweep, sweep, sweep_specs
from tests.scaling.runs import law, make_run


def spec_of(folder: Path, **changes) -> RunSpec:
    return RunSpec(**{"model": "s4", "task": "synthetic", "mode": "scratch", "output_dir": folder, **changes})


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[RunSpec]:
    """Every run that is started; an invented result for each, but a fraction of 1/8 fails."""
    specs: list[RunSpec] = []

    def run(spec: RunSpec, say, *, command: str | None = None):
        specs.append(spec)
        if spec.fraction == 1 / 8:
            raise TrainingError("5 training records do not fill one batch", fix="--batch-size 2")
        if spec.fraction == 1 / 16:
            raise RuntimeError("the device is gone")
        return make_run(spec.output_dir, law(4096 * spec.fraction), fraction=spec.fraction, seed=spec.seed)

    monkeypatch.setattr(module, "run", run)
    return specs


def test_what_is_typed():
    assert sweeping.fractions("1,1/2, 0.25") == [1, 0.5, 0.25]
    assert sweeping.seeds("0,1, 2") == [0, 1, 2]
    for text in ("1,", "half", "1/0", "1/2/3"):
        with pytest.raises(TrainingError, match=r"expected 0\.5 or 1/2"):
            sweeping.fractions(text)
    with pytest.raises(TrainingError, match="as 0,1,2"):
        sweeping.seeds("1.5")


def test_a_folder_per_fraction_and_seed(tmp_path):
    specs = sweep_specs(spec_of(tmp_path, limit=9), [1.0, 0.5], [0, 4])
    assert [str(spec.output_dir.relative_to(tmp_path)) for spec in specs] == [
        "fraction-0.5/seed-0", "fraction-0.5/seed-4", "fraction-1/seed-0", "fraction-1/seed-4",
    ]  # fmt: skip
    assert [(spec.fraction, spec.seed, spec.limit) for spec in specs][1] == (0.5, 4, 9)


@pytest.mark.parametrize(
    ("fractions", "seeds", "message"), [([0.5, 0.5], [0], "stands twice"), ([1.0, 1.5], [0], "at most 1")]
)
def test_lists_that_cannot_be(tmp_path, fractions, seeds, message):
    with pytest.raises(TrainingError, match=message):
        sweep_specs(spec_of(tmp_path), fractions, seeds)


def test_a_single_runs_folder_is_not_mixed_with_a_sweep(tmp_path):
    (tmp_path / "run.json").write_text("{}")
    with pytest.raises(TrainingError, match="holds a single run"):
        sweep_specs(spec_of(tmp_path), [1.0, 0.5], [0])
    with pytest.raises(UnknownNameError, match="hyperparameter"):
        sweep_specs(spec_of(tmp_path / "new", overrides={"epoch": 1}), [1.0, 0.5], [0])


def test_failures_are_kept_apart(tmp_path, started):
    said: list[str] = []
    runs = sweep(sweep_specs(spec_of(tmp_path), [1 / 2, 1 / 8, 1 / 16], [0, 1]), said.append)
    assert len(started) == 6
    assert [type(item.error) for item in runs] == [*[RuntimeError] * 2, *[TrainingError] * 2, *[type(None)] * 2]
    assert "failed, fraction 0.125, seed 0: 5 training records do not fill one batch" in said
    told = summarise_sweep(runs)
    (row,) = told["summary"]
    assert (row["fraction"], row["runs"], row["records"]) == (0.5, 2, 2048)
    values = [item["value"] for item in told["runs"] if "value" in item]
    assert row["mean"] == pytest.approx(sum(values) / 2)
    assert row["seed_sd"] == pytest.approx(abs(values[0] - values[1]) / 2**0.5)
    assert row["low"] < row["mean"] < row["high"]
    assert [item["error"] for item in told["runs"] if "error" in item][2].startswith("5 training records")


def test_where_all_fail_the_first_error_is_the_answer(tmp_path, started):
    with pytest.raises(TrainingError, match="do not fill one batch"):
        sweep(sweep_specs(spec_of(tmp_path), [1 / 8], [0, 1]), lambda line: None)


def test_a_wrong_name_ends_it_at_once(tmp_path, monkeypatch):
    calls = []

    def run(spec, say, *, command=None):
        calls.append(spec)
        raise UnknownNameError("unknown task 'synthetik'")

    monkeypatch.setattr(module, "run", run)
    with pytest.raises(UnknownNameError):
        sweep(sweep_specs(spec_of(tmp_path), [1.0, 0.5], [0, 1]), lambda line: None)
    assert len(calls) == 1


def test_the_command(tmp_path, started, capsys):
    command = ["run", "--model", "s4", "--task", "synthetic", "--mode", "scratch", "--output-dir"]
    code = main([*command, str(tmp_path / "a"), "--fraction", "1,1/2,1/8", "--seed", "0,1", "--json"])
    captured = capsys.readouterr()
    assert code == 2
    assert [row["fraction"] for row in json.loads(captured.out)["summary"]] == [0.5, 1]
    assert "error: fraction 0.125, seed 1: 5 training records" in captured.err
    assert main([*command, str(tmp_path / "b"), "--fraction", "1/16,1/2"]) == 1, "a fault is no user's mistake"
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split("  ") == ["fraction", "records", "runs", "mean macro_auroc", "SD over seeds", "sampling 95 %"]
    assert lines[2].split()[:3] == ["0.5", "2048", "1"]
    assert main([*command, str(tmp_path / "c"), "--fraction", "1,1/2,1"]) == 2
    assert "stands twice" in capsys.readouterr().err


@pytest.mark.slow
def test_a_sweep_of_real_runs_is_not_repeated_and_becomes_a_curve(synthetic_folder, tmp_path):
    from hf_ecg_bench.results.schema import Result
    from hf_ecg_bench.scaling.analysis import analyse
    from tests.training.small import small_spec

    base = small_spec(synthetic_folder, tmp_path / "runs", overrides={"batch_size": 8, "epochs": 3})
    fractions = [1, 1 / 2, 1 / 4, 1 / 8, 1 / 16]
    specs = sweep_specs(base, fractions, [0, 1])
    assert not [item for item in sweep(specs, lambda line: None) if item.error]
    said: list[str] = []
    again = sweep(specs, said.append)
    assert sum("nothing to do" in line for line in said) == 10
    subsets = {(item.spec.fraction, item.spec.seed): item.result.subset for item in again}
    assert subsets[1, 0] == {}
    assert subsets[0.5, 0]["digest"] != subsets[0.5, 1]["digest"]
    stored = Result.load(tmp_path / "runs" / "fraction-0.25" / "seed-1")
    assert stored.subset["records"] == stored.dataset["records"]["train"]
    (curve,) = analyse([tmp_path / "runs"], n_resamples=50)["tasks"]["synthetic"]["curves"]
    assert len(curve["points"]) == 5
    assert curve["points"][0]["error"]["value"] > curve["points"][-1]["error"]["value"]
    assert curve["law"] is not None

"""Averages of finished runs: values, comparisons, files, and what cannot be averaged."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest

from hf_ecg_bench.cli.main import main
from hf_ecg_bench.combining.ensemble import average
from hf_ecg_bench.combining.ensemble_files import read_members, write_ensemble
from hf_ecg_bench.errors import PredictionsError
from hf_ecg_bench.evaluation.differences import summarise_difference
from hf_ecg_bench.evaluation.multiplicity import holm
from hf_ecg_bench.evaluation.summary import summarise
from hf_ecg_bench.evaluation.thresholds import choose_thresholds
from hf_ecg_bench.results.predictions import (
    VALIDATION_FILE,
    align,
    make_predictions,
    read_predictions,
    write_predictions,
)
from hf_ecg_bench.results.schema import Result
from tests.results.fake_run import REGRESSION, make_run

LABELS = ("NORM", "AFIB", "LBBB")


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Three runs on the same records with errors of their own; the second one is the best."""
    root = tmp_path_factory.mktemp("runs")
    for name, noise, model in (("a", 1.5, "s4"), ("b", 0.8, "ecg_founder"), ("c", 2.5, "s4")):
        result = make_run(root / name, labels=LABELS, regression=REGRESSION, model=model, examples=0, n_resamples=20)
        own = read_predictions(root / name)
        labels = np.array([kind == "binary" for kind in own.kinds])
        random = np.random.default_rng(ord(name))
        changed = own.predictions + noise * random.normal(0, 0.5, own.predictions.shape)
        values = np.where(labels, 1 / (1 + np.exp(-changed)), changed).astype(np.float32)
        order = random.permutation(len(own))
        new = make_predictions(own.record_id, own.patient_id, own.targets, values, own.names, own.kinds).take(order)
        write_predictions(root / name / "predictions.parquet", new)
        metrics = summarise(new.targets, new.predictions, new.names, new.kinds, new.patient_id, n_resamples=20)
        Result(**{**vars(result), "metrics": metrics, "seed": ord(name)}).save(root / name)
    return [root / name for name in "abc"]


@pytest.fixture(scope="module")
def ensemble(runs):
    return average(read_members(runs), n_resamples=60)


def test_it_is_the_mean_by_record(runs, ensemble):
    own = [read_predictions(run) for run in runs]
    for row, record in enumerate(ensemble.predictions.record_id[:40]):
        rows = [list(each.record_id).index(record) for each in own]
        mean = np.mean([each.predictions[at] for each, at in zip(own, rows, strict=True)], axis=0)
        np.testing.assert_allclose(ensemble.predictions.predictions[row], mean, rtol=1e-6)
        np.testing.assert_array_equal(ensemble.predictions.targets[row], own[1].targets[rows[1]])


def test_scores_and_differences_share_their_resamples(runs, ensemble):
    own, mean = read_predictions(runs[0]), ensemble.predictions
    assert ensemble.metrics == summarise(
        mean.targets, mean.predictions, mean.names, mean.kinds, mean.patient_id, n_resamples=60
    )
    expected = summarise_difference(
        mean.targets, mean.predictions, own.predictions, mean.names, mean.kinds, mean.patient_id, n_resamples=60
    )
    found = ensemble.differences[str(runs[0])]
    for name, difference in expected.items():
        assert {key: found[name][key] for key in difference} == difference
    for name in expected:
        raw = [each[name]["p"] for each in ensemble.differences.values()]
        adjusted = [each[name]["p_adjusted"] for each in ensemble.differences.values()]
        assert adjusted == pytest.approx(list(holm(raw)))
        assert any(a > p for a, p in zip(adjusted, raw, strict=True)) or max(raw) == 1


def test_best_member_is_told_with_its_price(runs, ensemble):
    values = [run.result.metrics["metrics"]["macro_auroc"]["value"] for run in ensemble.members]
    assert ensemble.metric == "macro_auroc"
    assert ensemble.best == str(runs[int(np.argmax(values))]) == str(runs[1])
    assert "picked on these test records" in ensemble.warnings[0]


def test_command_writes_what_report_and_score_read(runs, tmp_path, capsys):
    from hf_ecg_bench.results.report import build_report

    out = tmp_path / "mean"
    command = ["ensemble", *map(str, runs), "--output-dir", str(out), "--n-resamples", "30"]
    assert main([*command, "--json"]) == 0
    said = capsys.readouterr()
    printed = json.loads(said.out)
    stored = json.loads((out / "ensemble.json").read_text())
    assert printed == stored
    assert stored["best"] == {"run": str(runs[1]), "metric": "macro_auroc", "picked_on": "test"}
    assert [member["seed"] for member in stored["members"]] == [97, 98, 99]
    assert "picked on these test records" in said.err
    table = (out / "ensemble.md").read_text()
    assert table.count("\n| ") == 5  # header, mean and three runs
    assert "p, Holm" in table
    (section,) = build_report(out).sections
    assert section.title.startswith("mean of 2 s4, ecg")
    assert not any("do not belong together" in text for text in section.cautions)
    assert any("picked on these test records" in text for text in section.cautions)
    assert main(["score", str(out), "--against", str(runs[0]), "--n-resamples", "30"]) == 0
    assert "difference macro_auroc" in capsys.readouterr().out
    assert main(command) == 0, "an ensemble may be made again in its folder"
    assert str(runs[2]) in capsys.readouterr().out


def test_seeds_of_one_model_are_an_ensemble(runs):
    found = average(read_members([runs[0], runs[2]]), n_resamples=10)
    assert len(found.differences) == 2


def changed(runs, tmp_path, **changes):
    """The first run, and a copy of the second with other facts."""
    folder = shutil.copytree(runs[1], tmp_path / "other")
    result = Result.load(folder)
    Result(**{**vars(result), **changes}).save(folder)
    return [runs[0], folder]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"task": "ptbxl_super"}, "different tasks: synthetic and ptbxl_super"),
        ({"dataset": {"id": "synthetic", "digest": "0" * 64}}, r"different data \(digests\)"),
        ({"hyperparameters": {"undefined": "half"}}, "rules for undefined labels: drop and half"),
    ],
)
def test_runs_of_other_things_are_refused(runs, tmp_path, changes, message):
    with pytest.raises(PredictionsError, match=message):
        average(read_members(changed(runs, tmp_path, **changes)))


def test_other_records_or_targets_are_refused(runs, tmp_path):
    folders = changed(runs, tmp_path)
    own = read_predictions(folders[1])
    write_predictions(folders[1] / "predictions.parquet", own.take(np.arange(len(own) - 1)))
    with pytest.raises(PredictionsError, match=r"other: .* different records \(300 and 299"):
        average(read_members(folders))
    targets = np.where(own.targets == 1, 0, own.targets)
    other = make_predictions(own.record_id, own.patient_id, targets, own.predictions, own.names, own.kinds)
    write_predictions(folders[1] / "predictions.parquet", other)
    with pytest.raises(PredictionsError, match=r"different targets.*\n.*z-scored"):
        average(read_members(folders))


def test_refusals_of_the_command(runs, tmp_path, capsys):
    def said(*arguments):
        assert main(["ensemble", *map(str, arguments)]) == 2
        return capsys.readouterr().err

    out = ("--output-dir", tmp_path / "out")
    assert "at least two" in said(runs[0], *out)
    assert "given twice" in said(runs[0], runs[0], *out)
    assert "no result.json" in said(runs[0], tmp_path / "absent", *out)
    assert "holds no ensemble" in said(runs[0], runs[1], "--output-dir", runs[2])
    assert not (tmp_path / "out").exists()


def test_undefined_metrics_have_no_p_value(tmp_path):
    for name in "ab":
        make_run(tmp_path / name, labels=("X",), without_positives=("X",), n=40, examples=0, n_resamples=5)
    found = average(read_members([tmp_path / "a", tmp_path / "b"]), n_resamples=5)
    difference = found.differences[str(tmp_path / "a")]["macro_auroc"]
    assert np.isnan(difference["p"])
    assert np.isnan(difference["p_adjusted"])


def test_validation_predictions_are_averaged_too(runs, tmp_path):
    """Thresholds of the mean come from the mean of the validation predictions; one member without: no F1."""
    folders = [shutil.copytree(run, tmp_path / run.name) for run in runs[:2]]
    records = []
    for folder in folders:
        own = read_predictions(folder).take(np.arange(0, 300, 3))
        ids = [f"validation {record}" for record in own.record_id]
        records.append(make_predictions(ids, None, own.targets, own.predictions, own.names, own.kinds))
    records[1] = align(records[0], make_predictions(
        records[0].record_id, None, records[0].targets, records[1].predictions, records[0].names, records[0].kinds
    ))  # fmt: skip
    write_predictions(folders[0] / VALIDATION_FILE, records[0])
    without = average(read_members(folders), n_resamples=10)
    assert without.validation is None
    assert "macro_f1" in without.metrics["left_out"]
    write_predictions(folders[1] / VALIDATION_FILE, records[1])
    ensemble = average(read_members(folders), n_resamples=10)
    mean = (records[0].predictions + records[1].predictions) / 2
    np.testing.assert_allclose(ensemble.validation.predictions, mean, rtol=1e-6)
    labels = np.array([kind == "binary" for kind in records[0].kinds])
    chosen = choose_thresholds(records[0].targets[:, labels], ensemble.validation.predictions[:, labels])
    assert ensemble.metrics["targets"]["NORM"]["threshold"] == chosen.labels[0]
    assert 0 <= ensemble.differences[str(folders[0])]["macro_f1"]["p_adjusted"] <= 1
    write_ensemble(tmp_path / "mean", ensemble)
    np.testing.assert_array_equal(
        read_predictions(tmp_path / "mean" / VALIDATION_FILE).predictions, ensemble.validation.predictions
    )
    write_ensemble(tmp_path / "mean", without)
    assert not (tmp_path / "mean" / VALIDATION_FILE).exists()

"""`score`: thresholds from validation predictions, and differences per target."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from hf_ecg_bench import evaluation as ev
from hf_ecg_bench.cli.main import main
from hf_ecg_bench.results.predictions import VALIDATION_FILE, make_predictions, write_predictions

NAMES, KINDS = ("AFIB", "LBBB", "age"), ("binary", "binary", "regression")


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Two runs' test and validation predictions; b's validation file has its targets in another order."""
    root, rng = tmp_path_factory.mktemp("score"), np.random.default_rng(0)
    targets = np.column_stack([rng.random((260, 2)) < 0.4, rng.normal(size=260)]).astype(np.float32)
    for name, noise in (("a", 0.5), ("b", 1.0)):
        values = targets + noise * rng.normal(size=targets.shape)
        values[:, :2] = 1 / (1 + np.exp(-values[:, :2]))
        for file, rows in (("predictions.parquet", range(160)), (VALIDATION_FILE, range(160, 260))):
            order = [2, 0, 1] if name == "b" and file == VALIDATION_FILE else [0, 1, 2]
            ids = [f"r{row}" for row in rows]
            write_predictions(
                root / name / file,
                make_predictions(
                    ids, None, targets[rows][:, order], values[rows][:, order], [NAMES[k] for k in order],
                    [KINDS[k] for k in order],
                ),
            )  # fmt: skip
    return root


def scored(capsys, *words: object) -> dict:
    assert main(["score", *map(str, words), "--n-resamples", "40", "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_without_thresholds_there_is_no_f1_and_the_reason_is_said(capsys, folder) -> None:
    found = scored(capsys, folder / "a")
    assert "macro_f1" not in found["metrics"]
    assert "needs thresholds from validation predictions" in found["left_out"]["macro_f1"]
    assert "f1" not in found["targets"]["AFIB"]
    assert main(["score", str(folder / "a"), "--n-resamples", "5"]) == 0
    out = capsys.readouterr().out
    assert "macro_f1, micro_f1, sample_fmax: needs thresholds" in out
    assert "--thresholds-from" in out


def test_thresholds_from_a_file_or_a_run(capsys, folder) -> None:
    by_file = scored(capsys, folder / "a", "--thresholds-from", folder / "a" / VALIDATION_FILE)
    by_run = scored(capsys, folder / "a" / "predictions.parquet", "--thresholds-from", folder / "a")
    assert by_file == by_run
    assert set(by_file["targets"]["AFIB"]) >= {"auroc", "average_precision", "f1", "brier", "threshold"}
    assert set(by_file["targets"]["age"]) >= {"mae", "r2"}
    assert by_file["left_out"] == {}


def test_results_give_every_metric_of_a_target(folder, tmp_path) -> None:
    from hf_ecg_bench.results.metrics import METRICS, TARGET_METRICS, metric_estimates
    from hf_ecg_bench.results.target_scores import target_scores
    from tests.results.fake_run import make_run

    rng = np.random.default_rng(1)
    targets = np.column_stack([rng.random((60, 2)) < 0.4, rng.normal(size=60)]).astype(float)
    values = rng.random((60, 3))
    metrics = ev.summarise(targets, values, NAMES, KINDS, n_resamples=5, validation=(targets, values))
    result = make_run(tmp_path, examples=0, n_resamples=5, metrics=metrics)
    assert list(metric_estimates(result)) == list(METRICS)
    label, _, age = target_scores(result)
    assert set(label.others) == {"average_precision", "f1", "brier"}
    assert label.others["f1"].value == metrics["targets"]["AFIB"]["f1"]["value"]
    assert label.threshold == metrics["targets"]["AFIB"]["threshold"]
    assert set(age.others) == {"r2"}
    assert np.isnan(age.threshold)
    assert set(TARGET_METRICS) == {"auroc", "mae", *label.others, *age.others}


def test_targets_in_another_order(capsys, folder) -> None:
    from hf_ecg_bench.results.predictions import read_predictions

    found = scored(capsys, folder / "b", "--thresholds-from", folder / "b")
    validation = read_predictions(folder / "b" / VALIDATION_FILE)
    assert validation.names[1] == "AFIB"
    chosen = ev.choose_thresholds(validation.targets[:, 1:], validation.predictions[:, 1:])
    assert found["targets"]["AFIB"]["threshold"] == pytest.approx(chosen.labels[0])


def test_differences_of_every_metric_and_target(capsys, folder) -> None:
    words = folder / "a", "--against", folder / "b", "--thresholds-from", folder / "a"
    both = scored(capsys, *words, "--against-thresholds-from", folder / "b")
    assert set(both["difference"]) == set(both["metrics"])
    assert all(0 < item["p"] <= 1 for item in both["difference"].values())
    per_target = both["target_differences"]
    assert set(per_target["LBBB"]) == {"auroc", "average_precision", "f1", "brier"}
    assert set(per_target["age"]) == {"mae", "r2"}
    p = [per_target[name]["auroc"]["p"] for name in NAMES[:2]]
    assert [per_target[name]["auroc"]["p_adjusted"] for name in NAMES[:2]] == pytest.approx(list(ev.holm(p)))
    one = scored(capsys, *words)
    assert "macro_f1" in one["metrics"]
    assert "macro_f1" not in one["difference"]
    assert main(["score", *map(str, words), "--n-resamples", "9"]) == 0
    assert "p, Holm over targets" in capsys.readouterr().out


def test_what_thresholds_cannot_come_from(capsys, folder, tmp_path) -> None:
    def refused(*words: object) -> str:
        assert main(["score", *map(str, words), "--n-resamples", "5"]) == 2
        return capsys.readouterr().err

    own = folder / "a" / "predictions.parquet"
    assert "160 of its records are scored too" in refused(own, "--thresholds-from", own)
    (tmp_path / "predictions.parquet").write_bytes(own.read_bytes())
    assert "no validation_predictions.parquet in" in refused(tmp_path, "--thresholds-from", tmp_path)
    assert "without --against" in refused(own, "--against-thresholds-from", own)
    few = make_predictions(["x", "y"], None, np.eye(2), np.eye(2), ["AFIB", "other"])
    write_predictions(tmp_path / "few.parquet", few)
    err = refused(own, "--thresholds-from", tmp_path / "few.parquet")
    assert "2 of 3 targets are not there: LBBB, age" in err

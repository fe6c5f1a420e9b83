"""Learning curves of run folders: which runs are one curve, what is resampled, and what is written."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from hf_ecg_bench.cli.main import main
from hf_ecg_bench.errors import EcgBenchError, UnknownNameError
from hf_ecg_bench.files import dumps_json
from hf_ecg_bench.scaling.analysis import analyse
from hf_ecg_bench.scaling.curve import Curve
from hf_ecg_bench.scaling.resampling import resampled_errors
from tests.scaling.runs import ALL_RECORDS, law, make_run, make_sweep

FRACTIONS = (1.0, 1 / 2, 1 / 4, 1 / 8, 1 / 16)


@pytest.fixture(scope="module")
def two_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs")
    make_sweep(folder / "s4", FRACTIONS)
    make_sweep(folder / "founder", FRACTIONS, better=0.6, model="ecg_founder", mode="linear")
    return folder


@pytest.fixture(scope="module")
def analysed(two_models: Path) -> dict:
    return analyse([two_models], n_resamples=150)["tasks"]["synthetic"]


def test_curves_and_their_laws(analysed: dict) -> None:
    assert analysed["metric"] == "macro_auroc"
    assert analysed["resampling"] == {
        "kind": "test patients, paired over all runs", "reason": None, "resamples": 150,
    }  # fmt: skip
    founder, s4 = analysed["curves"]
    assert [founder["label"], s4["label"]] == ["ecg_founder linear", "s4 scratch"]
    assert [point["records"] for point in s4["points"]] == [256, 512, 1024, 2048, 4096]
    for curve, better in ((s4, 1.0), (founder, 0.6)):
        fitted = curve["law"]
        assert fitted["alpha"]["low"] < 0.4 < fitted["alpha"]["high"]
        assert fitted["offset"]["low"] < 0.1 < fitted["offset"]["high"]
        assert fitted["scale"]["low"] < 2.0 * better < fitted["scale"]["high"]
        assert not curve["notes"]
        end = next(item for item in reversed(curve["drawn"]) if not item["extrapolated"])
        assert end["records"] == ALL_RECORDS
        assert end["value"] == pytest.approx(law(ALL_RECORDS, 2.0 * better), abs=0.03)
        point = curve["points"][-1]
        assert point["seeds"] == [0, 1]
        assert point["error"]["low"] < point["error"]["value"] < point["error"]["high"]
        assert point["seed_sd"] == pytest.approx(np.std(point["runs"], ddof=1))


def test_labels_that_a_model_needs(analysed: dict) -> None:
    answers = analysed["answers"]
    assert len(answers) == 2 * len(FRACTIONS)
    (told,) = [item for item in answers if item["model"] == "ecg_founder linear" and item["other_records"] == 4096]
    true = ALL_RECORDS * 0.6 ** (1 / 0.4)  # 0.6 C N*^-0.4 = C N^-0.4
    assert told["ratio"]["low"] < true / ALL_RECORDS < told["ratio"]["high"]
    assert told["p_not_reached"] < 0.05


def test_shared_test_patients_make_curves_move_together(two_models: Path, tmp_path: Path) -> None:
    from hf_ecg_bench.scaling.reading import group_runs, read_results
    from hf_ecg_bench.scaling.resampling import with_samples

    _, curves = group_runs(read_results([two_models])[0], None)[0]["synthetic"]
    founder, s4 = with_samples(curves, "macro_auroc", 200, 0)
    one, other = founder.sizes[-1][0].samples, s4.sizes[-1][0].samples
    assert one is not None
    assert other is not None
    assert np.corrcoef(one, other)[0, 1] > 0.5


def test_without_predictions_errors_are_normal(tmp_path: Path) -> None:
    make_sweep(tmp_path, FRACTIONS, (0,), predictions=False)
    entry = analyse([tmp_path], n_resamples=100)["tasks"]["synthetic"]
    assert entry["resampling"]["kind"] == "normal errors of test sets"
    assert "no predictions" in entry["resampling"]["reason"]
    (curve,) = entry["curves"]
    assert curve["law"]["alpha"]["low"] < curve["law"]["alpha"]["high"]
    assert any("one run per size" in note for note in curve["notes"])


def test_resamples_without_a_value_are_left_out_for_all(two_models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from hf_ecg_bench.scaling import analysis

    original = analysis.resampled_errors

    def first_undefined(curve, n, seed, number):
        errors = original(curve, n, seed)
        errors[:number, 0] = np.nan
        return errors

    monkeypatch.setattr(analysis, "resampled_errors", lambda *rest: first_undefined(*rest, 5))
    assert analyse([two_models], n_resamples=20)["tasks"]["synthetic"]["resampling"]["resamples"] == 15
    monkeypatch.setattr(analysis, "resampled_errors", lambda *rest: first_undefined(*rest, 20))
    with pytest.raises(EcgBenchError, match=r"none of 20 resamples.*\n.*--n-resamples"):
        analyse([two_models], n_resamples=20)


def test_few_sizes(tmp_path: Path) -> None:
    make_sweep(tmp_path / "three", FRACTIONS[:3])
    make_sweep(tmp_path / "two", FRACTIONS[:2], model="net1d")
    entry = analyse([tmp_path], n_resamples=50)["tasks"]["synthetic"]
    two, three = entry["curves"]
    assert two["law"] is None
    assert "no law is fitted to fewer than 3" in two["notes"][0]
    assert not three["law"]["has_offset"]
    assert three["law"]["offset"] == {"value": 0, "low": 0, "high": 0}
    assert "the offset needs 4" in three["notes"][0]
    assert {(item["model"], item["other"]) for item in entry["answers"]} == {("s4 scratch", "net1d scratch")}


def test_other_settings_are_other_curves(tmp_path: Path) -> None:
    make_sweep(tmp_path / "a", FRACTIONS[:1])
    make_sweep(tmp_path / "b", FRACTIONS[:1], subset={"rule": "published"})
    other = make_run(tmp_path / "c", 0.2).hyperparameters | {"epochs": 9}
    make_run(tmp_path / "d", 0.2, hyperparameters=other)
    make_run(tmp_path / "e", 0.2, fraction=0.5, hyperparameters=other | {"limit": 100, "precision": "bf16"}, seed=3)
    analysis = analyse([tmp_path, tmp_path / "a"], n_resamples=20)
    labels = {curve["label"]: curve for curve in analysis["tasks"]["synthetic"]["curves"]}
    assert set(labels) == {
        "s4 scratch, epochs 3, subset nested", "s4 scratch, epochs 3, subset published",
        "s4 scratch, epochs 9, subset nested",
    }  # fmt: skip
    assert len(labels["s4 scratch, epochs 9, subset nested"]["points"]) == 2
    assert any("same seed and size" in note for note in analysis["notes"]), "c repeats a seed of a"


def test_what_validation_chose_makes_no_other_curve(tmp_path: Path) -> None:
    settings = make_run(tmp_path / "other", 0.2, model="net1d").hyperparameters
    for fraction, strength in zip(FRACTIONS, (1e-4, 1e-2, 1e-3, 1.0, 10.0), strict=True):
        changed = settings | {"solver": "lbfgs", "strength": strength}
        make_run(tmp_path / f"{fraction}", 0.2, fraction=fraction, hyperparameters=changed)
    _, curve = analyse([tmp_path], n_resamples=20)["tasks"]["synthetic"]["curves"]
    assert len(curve["points"]) == len(FRACTIONS)


def test_regression_errors_are_compared_in_one_unit(tmp_path: Path) -> None:
    for fraction in FRACTIONS:
        # A small subset's standard deviation is another one: here half of the whole's.
        make_run(tmp_path / f"{fraction}", law(fraction * 4096), fraction=fraction, std=0.5 if fraction < 1 else 1.0)
    entry = analyse([tmp_path], "macro_mae", n_resamples=50)["tasks"]["synthetic"]
    assert entry["resampling"]["reason"] is None
    assert entry["error"] == "value"
    (curve,) = entry["curves"]
    expected = [np.sqrt(2 / np.pi) * law(point["records"]) for point in curve["points"]]
    assert [point["error"]["value"] for point in curve["points"]] == pytest.approx(expected, rel=0.1)


def test_unusable_runs_are_left_out_and_named(tmp_path: Path) -> None:
    make_sweep(tmp_path, FRACTIONS[:4])
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "result.json").write_text("{")
    said: list[str] = []
    analysis = analyse([tmp_path], n_resamples=20, say=said.append)
    assert len(said) == len(analysis["notes"]) == 1
    assert "not JSON" in said[0]
    assert len(analysis["tasks"]["synthetic"]["curves"][0]["points"]) == 4


def test_mistakes(tmp_path: Path, two_models: Path) -> None:
    with pytest.raises(EcgBenchError, match="no folder"):
        analyse([tmp_path / "nowhere"])
    with pytest.raises(UnknownNameError, match="macro_auroc"):
        analyse([two_models], "macro_aurok")
    with pytest.raises(EcgBenchError, match="at least 1"):
        analyse([two_models], n_resamples=0)


def test_predictions_that_are_not_the_results_are_refused(tmp_path: Path) -> None:
    make_sweep(tmp_path / "runs", FRACTIONS[:3], (0,))
    make_run(tmp_path / "other", 0.4)
    wrong = (tmp_path / "other" / "predictions.parquet").read_bytes()
    (tmp_path / "runs" / "fraction-1" / "seed-0" / "predictions.parquet").write_bytes(wrong)
    reason = analyse([tmp_path / "runs"], n_resamples=20)["tasks"]["synthetic"]["resampling"]["reason"]
    assert "not what result.json says" in reason


def test_seed_luck_widens_the_resamples() -> None:
    runs = tuple(np.array([0.2, 0.21, 0.19]) for _ in range(5))
    sampled = tuple(np.tile(own[:, None], (1, 4000)) for own in runs)
    curve = Curve(np.arange(1.0, 6.0), runs, np.zeros(5), sampled)
    drawn = resampled_errors(curve, 4000, (0,))
    # Nothing but seeds: the SD of a mean of three, and t with 10 degrees of freedom is wider by sqrt(10 / 8).
    assert drawn.std(axis=0) == pytest.approx(0.01 / np.sqrt(3) * np.sqrt(10 / 8), rel=0.1)
    assert drawn.mean(axis=0) == pytest.approx(0.2, abs=5e-4)
    alone = Curve(np.arange(1.0, 6.0), (*runs[:4], runs[4][:1]), np.zeros(5), (*sampled[:4], sampled[4][:1]))
    assert resampled_errors(alone, 4000, (0,))[:, 4].std() == pytest.approx(0.01 * np.sqrt(8 / 6), rel=0.1)


def test_the_command(two_models: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch) -> None:
    command = ["scaling", str(two_models), "--output-dir", str(tmp_path), "--n-resamples", "50"]
    assert main([*command, "--json"]) == 0
    assert {path.name for path in tmp_path.iterdir()} == {
        "scaling.json", "scaling.md", "scaling.tex", "scaling-synthetic.png", "scaling-synthetic.svg",
    }  # fmt: skip
    stored = json.loads((tmp_path / "scaling.json").read_text())
    assert json.loads(capsys.readouterr().out) == stored
    page = (tmp_path / "scaling.md").read_text()
    assert page.count("| s4 scratch |") >= 7
    assert r"\begin{tabular}" in (tmp_path / "scaling.tex").read_text()
    picture = (tmp_path / "scaling-synthetic.svg").read_text()
    for text in ("training records", "1 - Macro AUROC", "ecg_founder linear", "4,096", "16,400"):
        assert text in picture
    again: list[dict] = []
    monkeypatch.setattr("hf_ecg_bench.scaling.writing.write_scaling", lambda analysis, folder: again.append(analysis))
    assert main(command) == 0
    assert "needs, to match" in capsys.readouterr().out
    assert json.loads(dumps_json(again[0])) == stored, "the same runs give the same numbers"


def test_help_needs_no_torch(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["scaling", "--help"])
    assert "examples:" in capsys.readouterr().out

"""Results that earlier versions of this program wrote are read, scored and reported today."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from hf_ecg_bench.cli.main import main
from hf_ecg_bench.errors import PredictionsError
from hf_ecg_bench.evaluation.summary import summarise
from hf_ecg_bench.results.migrations import MIGRATIONS, migrate
from hf_ecg_bench.results.predictions import read_predictions
from hf_ecg_bench.results.rows import read_rows
from hf_ecg_bench.results.schema import PREDICTIONS_FILE, RESULT_FILE, SCHEMA_VERSION, Result

HISTORIC = Path(__file__).parent / "historic"
FOLDERS = sorted(path.parent for path in HISTORIC.glob(f"*/{RESULT_FILE}"))


def raw_of(folder: Path) -> dict:
    return json.loads((folder / RESULT_FILE).read_text())


@pytest.fixture(params=FOLDERS, ids=lambda folder: folder.name)
def folder(request: pytest.FixtureRequest) -> Path:
    return request.param


def test_every_version_before_this_one_is_here() -> None:
    assert {raw_of(folder)["schema_version"] for folder in FOLDERS} >= set(range(1, SCHEMA_VERSION))
    assert set(MIGRATIONS) == set(range(1, SCHEMA_VERSION))


def test_nothing_that_was_written_is_lost(folder: Path) -> None:
    raw, result = raw_of(folder), Result.load(folder)
    assert result.schema_version == SCHEMA_VERSION
    today = asdict(result)
    for name in raw.keys() - {"schema_version", "model"}:
        assert today[name] == raw[name], name
    assert {"id", "source", "digest", "revision", "checkpoint_digest"} == result.model.keys()
    assert result.subset["limit" if "limit" in result.subset else "records"] == 64
    assert result.subset["records"] == 64


def test_saved_again_it_is_a_file_of_today(folder: Path, tmp_path: Path) -> None:
    result = Result.load(folder)
    result.save(tmp_path)
    assert raw_of(tmp_path)["schema_version"] == SCHEMA_VERSION
    assert Result.load(tmp_path) == result


def test_its_row(folder: Path) -> None:
    raw = raw_of(folder)
    [row], unreadable = read_rows(folder)
    assert not unreadable
    assert row.metric == "macro_auroc"
    assert (row.value, row.low, row.high) == tuple(
        raw["metrics"]["metrics"]["macro_auroc"][k] for k in ("value", "low", "high")
    )
    assert (row.model, row.task, row.mode, row.dataset, row.records_train) == (
        "s4",
        "synthetic",
        "scratch",
        "synthetic",
        64,
    )
    assert row.contamination == "none"
    assert row.n_targets == 12
    assert row.n_undefined == 0


def test_its_predictions_score_the_same(folder: Path) -> None:
    stored = read_predictions(folder / PREDICTIONS_FILE)
    now = summarise(stored.targets, stored.predictions, stored.names, stored.kinds, stored.patient_id, n_resamples=20)
    for name, estimate in raw_of(folder)["metrics"]["metrics"].items():
        assert now["metrics"][name]["value"] == pytest.approx(estimate["value"], abs=1e-6), name


@pytest.mark.parametrize("where", [HISTORIC / "v1-d066300", pytest.param(HISTORIC, marks=pytest.mark.slow)])
def test_their_report(tmp_path: Path, where: Path) -> None:
    assert main(["report", str(where), "--output-dir", str(tmp_path / "report")]) == 0
    [written] = (tmp_path / "report").glob("*.html")
    text = written.read_text()
    reported = [folder for folder in FOLDERS if folder.is_relative_to(where)]
    for folder in reported:
        value = raw_of(folder)["metrics"]["metrics"]["macro_auroc"]["value"]
        assert f"{value:.3f}" in text
    assert where != HISTORIC or all(folder.name in text for folder in reported)


@pytest.mark.parametrize("version", [0, -1, None, "2", 1.0, True, SCHEMA_VERSION + 1])
def test_other_versions_are_refused(tmp_path: Path, version: object) -> None:
    raw = raw_of(FOLDERS[0]) | {"schema_version": version}
    (tmp_path / RESULT_FILE).write_text(json.dumps(raw))
    with pytest.raises(PredictionsError) as caught:
        Result.load(tmp_path)
    newer = type(version) is int and version > SCHEMA_VERSION
    assert (caught.value.fix == "pip install --upgrade hf-ecg-bench") == newer


def test_migrating_changes_nothing_in_place() -> None:
    raw = raw_of(FOLDERS[0])
    before = json.dumps(raw)
    migrate(raw, SCHEMA_VERSION)
    assert json.dumps(raw) == before


def test_the_digest_of_the_first_files_was_the_public_checkpoint_s() -> None:
    first = raw_of(HISTORIC / "v1-d066300")
    adapted = first | {"mode": "linear", "model": {"id": "ecg_fm", "source": "folder", "digest": "ab" * 32}}
    model = migrate(adapted, SCHEMA_VERSION)["model"]
    assert model == {"id": "ecg_fm", "source": "folder", "revision": None, "checkpoint_digest": "ab" * 32}
    later = raw_of(HISTORIC / "v1-eb58183")["model"]
    assert migrate(first | {"model": later}, SCHEMA_VERSION)["model"] == later


@pytest.mark.parametrize(
    ("fraction", "limit", "expected"),
    [
        (1.0, 0, {}),
        (1, None, {}),
        (0.5, 0, {"rule": "nested", "fraction": 0.5, "seed": 0, "limit": None, "records": 64}),
        (1.0, 64, {"rule": "limit", "fraction": 1.0, "seed": 0, "limit": 64, "records": 64}),
    ],
)
def test_the_subset_of_the_first_files(fraction: float, limit: int | None, expected: dict) -> None:
    raw = raw_of(HISTORIC / "v1-d066300")
    raw |= {"fraction": fraction, "hyperparameters": {"limit": limit}}
    assert migrate(raw, SCHEMA_VERSION)["subset"] == expected
    for name, broken in (("hyperparameters", []), ("dataset", None), ("dataset", {"records": 3})):
        assert "subset" in migrate(raw | {name: broken}, SCHEMA_VERSION)

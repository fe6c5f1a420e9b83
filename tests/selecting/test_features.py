"""Scores of real stored features: the same store as a run's, training records only, folders as models."""

from __future__ import annotations

import json

import numpy as np
import pytest

from hf_ecg_bench.cli.main import main
from hf_ecg_bench.models.registry import get_model_spec
from hf_ecg_bench.saying import silent
from tests.training.small import small_spec


@pytest.fixture(scope="module")
def backbones(tmp_path_factory):
    """Two folders with random tiny weights."""
    from hf_ecg_bench.models.loading import load_model
    from hf_ecg_bench.models.saving import save_model

    folder = tmp_path_factory.mktemp("backbones")
    for name, seed in (("first", 0), ("second", 1)):
        save_model(load_model("merl", pretrained=False, seed=seed, **get_model_spec("merl").tiny), folder / name)
    return folder


@pytest.mark.slow
def test_store_is_that_of_a_run_and_holds_training_records_only(synthetic_folder, backbones, tmp_path):
    from hf_ecg_bench.features.facts import features_root
    from hf_ecg_bench.selecting.features import training_features
    from hf_ecg_bench.training.run import run

    found = training_features(str(backbones / "first"), "synthetic", str(synthetic_folder), silent)
    stores = {path.name for path in features_root().iterdir() if path.is_dir()}
    assert found.store in stores
    kinds = [json.loads((features_root() / name / "store.json").read_text())["key"]["split"] for name in stores]
    assert "train" in kinds
    assert len(found.features) == len(found.targets) == found.available
    assert np.isfinite(found.features).all()
    spec = small_spec(
        synthetic_folder, tmp_path / "run", model=str(backbones / "first"), mode="linear", model_options={}
    )
    result = run(spec, silent)
    assert result.features["store"]["train"] == found.store


def test_fewer_records_are_some_of_all(synthetic_folder, backbones):
    from hf_ecg_bench.selecting.features import training_features

    whole, part = (
        training_features(str(backbones / "first"), "synthetic", str(synthetic_folder), silent, records=records)
        for records in (0, 50)
    )
    assert (len(part.features), part.available, part.store) == (50, len(whole.features), whole.store)
    assert {row.tobytes() for row in part.features} <= {row.tobytes() for row in whole.features}


def test_select_with_data_scores_folders_and_says_what_it_cannot(capsys, synthetic_folder, backbones, tmp_path):
    models = f"{backbones / 'first'},{backbones / 'second'},{tmp_path}"
    arguments = ["select", "--task", "synthetic", "--data", str(synthetic_folder), "--models", models, "--no-published"]
    assert main([*arguments, "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert [score["model"] for score in answer["transferability"]] == [str(backbones / n) for n in ("first", "second")]
    assert all(0 <= score["probe"] <= 1 and 0 <= score["h_score"] <= 1 for score in answer["transferability"])
    assert [item["model"] for item in answer["not_scored"]] == [str(tmp_path)]
    assert answer["not_scored"][0]["reason"]
    assert {item["mode"] for item in answer["ranked"]} <= {"linear", "frozen"}
    assert main(arguments) == 0
    assert "20-NN AUROC" in capsys.readouterr().out

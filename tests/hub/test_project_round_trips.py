"""What `prepare` and the models write, through the Hub and back."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from datasets import load_dataset
from transformers import AutoModel, AutoModelForSequenceClassification

import hf_ecg_bench.models  # noqa: F401  registers the Auto classes
from hf_ecg_bench.data.load import load_prepared
from hf_ecg_bench.data.prepare import prepare
from hf_ecg_bench.hub import push_folder
from hf_ecg_bench.models.loading import load_model
from tests.hub.test_push_dataset import assert_equal
from tests.support.hub_server import HubServer

SMALL_NET1D = {
    "base_width": 8,
    "widths": [16, 32],
    "depths": [1, 1],
    "kernel_size": 4,
    "group_width": 8,
    "hidden_size": 32,
}
SMALL = {"s4": {"hidden_size": 16, "n_layers": 2}, "net1d": SMALL_NET1D}


def test_prepared_dataset(hub: HubServer, tmp_path: Path) -> None:
    folder = tmp_path / "synthetic"
    prepare("synthetic", raw_dir=None, output_dir=folder, options={"n_records": "60"})
    push_folder("dataset", folder, "ecg-bench/synthetic-60")
    found = load_dataset("ecg-bench/synthetic-60")
    assert_equal(found, load_dataset(str(folder)))
    info = json.loads(hub.files("dataset", "ecg-bench/synthetic-60")["ecg_bench.json"])
    assert found.num_rows == {split: facts["records"] for split, facts in info["splits"].items()}
    assert found["train"].features["labels"].feature.names == info["label_columns"]["labels"]
    benchmark = yaml.safe_load(hub.files("dataset", "ecg-bench/synthetic-60")["eval.yaml"])
    assert benchmark["tasks"] == [{"id": "synthetic", "config": "default", "split": "test"}]
    signal = np.asarray(found["test"][0]["signal"], np.float32)
    assert signal.shape == (int(info["seconds"] * info["sampling_rate"]), 12)


@pytest.mark.parametrize("model_id", ["s4", "net1d"])
def test_backbone(hub: HubServer, tmp_path: Path, model_id: str) -> None:
    model = load_model(model_id, seed=0, pretrained=False, **SMALL[model_id]).eval()
    model.save_pretrained(tmp_path)
    assert push_folder("model", tmp_path) == f"{hub.url}/ecg-bench/{model_id}"
    assert_same_model(AutoModel.from_pretrained(f"ecg-bench/{model_id}"), model, "pooler_output")


@pytest.mark.parametrize("model_id", ["s4", "net1d"])
def test_classifier(hub: HubServer, tmp_path: Path, model_id: str) -> None:
    names = ["NORM", "MI", "heart_rate"]
    kinds = ["binary", "binary", "regression"]
    options = {
        "target_names": names,
        "target_kinds": kinds,
        "head": "attention",
        "seed": 0,
        "pretrained": False,
    }
    model = load_model(model_id, **options, **SMALL[model_id]).eval()
    model.save_pretrained(tmp_path)
    push_folder("model", tmp_path, f"me/{model_id}-adapted")
    found = AutoModelForSequenceClassification.from_pretrained(f"me/{model_id}-adapted")
    assert found.config.id2label == dict(enumerate(names))
    assert found.config.target_kinds == kinds
    assert_same_model(found, model, "logits")


def assert_same_model(found: torch.nn.Module, expected: torch.nn.Module, output: str) -> None:
    """Equal parameters, buffers (persistent or not) and outputs, bit for bit."""
    for tensors in ("named_parameters", "named_buffers"):
        left, right = (dict(getattr(model, tensors)()) for model in (found, expected))
        assert left.keys() == right.keys()
        assert all(torch.equal(left[name], right[name]) for name in left)
    signals = torch.randn(2, 12, 500, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        assert torch.equal(found(signals)[output], expected(signals)[output])


@pytest.mark.slow
def test_rows_and_facts_come_from_one_commit_online_and_offline(hub: HubServer, tmp_path: Path) -> None:
    prepare("synthetic", raw_dir=None, output_dir=tmp_path / "synthetic", options={"n_records": "60"})
    push_folder("dataset", tmp_path / "synthetic", "me/pinned-rows")
    found = load_prepared("me/pinned-rows")
    assert found.revision == hub.repos["datasets", "me/pinned-rows"].branches["main"]
    asked = len(hub.requests)
    code = (
        "from hf_ecg_bench.data.load import load_prepared; found = load_prepared('me/pinned-rows');"
        "print(found.revision, found.splits.num_rows)"
    )
    environment = {**os.environ, "HF_HUB_OFFLINE": "1"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, cwd=tmp_path, capture_output=True, text=True)
    assert done.stdout.strip() == f"{found.revision} {found.splits.num_rows}", done.stderr
    assert len(hub.requests) == asked

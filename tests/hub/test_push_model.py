"""Models to the Hub and back, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from huggingface_hub import hf_hub_download
from safetensors.numpy import load_file, save_file

from hf_ecg_bench.errors import CheckpointError, EcgBenchError, UnknownNameError
from hf_ecg_bench.hub import push_folder
from tests.hub.folders import write_dataset_folder, write_model_folder
from tests.support.hub_server import HubServer


@pytest.mark.parametrize(
    ("model_type", "repo_id"),
    [("tiny_net", "ecg-bench/tiny-net"), ("ecg_bench_hubert_ecg", "ecg-bench/hubert-ecg")],
)
def test_round_trip_to_the_default_repository(hub: HubServer, tmp_path: Path, model_type: str, repo_id: str) -> None:
    weights = write_model_folder(tmp_path, model_type=model_type)
    assert push_folder("model", tmp_path) == f"{hub.url}/{repo_id}"
    found = load_file(hf_hub_download(repo_id, "model.safetensors"))
    assert found.keys() == weights.keys()
    for name, value in weights.items():
        np.testing.assert_array_equal(found[name], value)


def test_sharded_weights_replace_a_single_file(hub: HubServer, tmp_path: Path) -> None:
    write_model_folder(tmp_path / "one")
    push_folder("model", tmp_path / "one")
    write_model_folder(tmp_path / "two")
    (tmp_path / "two" / "model.safetensors").unlink()
    write_shards(tmp_path / "two", {"a": 1, "b": 2})
    push_folder("model", tmp_path / "two")
    names = set(hub.files("model", "ecg-bench/tiny-net"))
    shards = {"model-1.safetensors", "model-2.safetensors", "model.safetensors.index.json"}
    assert names == {"README.md", "config.json", *shards}


def write_shards(folder: Path, tensors: dict[str, int]) -> None:
    """Tensor `name` of that many values in shard number `value`, with an index."""
    for name, value in tensors.items():
        save_file({name: np.ones(value, np.float32)}, folder / f"model-{value}.safetensors")
    index = {"weight_map": {name: f"model-{value}.safetensors" for name, value in tensors.items()}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))


def test_pickles_and_optimizer_states_stay_at_home(
    hub: HubServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_model_folder(tmp_path)
    for name in ("training_args.bin", "optimizer.pt", "pytorch_model.bin", ".cache/x.json"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    push_folder("model", tmp_path)
    assert set(hub.files("model", "ecg-bench/tiny-net")) == {"README.md", "config.json", "model.safetensors"}
    assert "optimizer.pt, pytorch_model.bin, training_args.bin" in caplog.text


@pytest.mark.parametrize(
    ("config", "why"),
    [
        ({"model_type": "merl", "hidden_size": 192}, "means the width 512, this folder has 192 .*ecg-bench/merl-vit"),
        ({"model_type": "merl", "hidden_size": 512, "preprocessing": "original"}, "this folder does `original`"),
    ],
)
def test_another_size_or_preprocessing_must_not_replace_the_usual(
    hub: HubServer, tmp_path: Path, config: dict, why: str
) -> None:
    write_model_folder(tmp_path, **config)
    with pytest.raises(EcgBenchError, match=why):
        push_folder("model", tmp_path)
    assert push_folder("model", tmp_path, "ecg-bench/merl-vit") == f"{hub.url}/ecg-bench/merl-vit"


def test_a_classifier_must_not_replace_a_backbone(hub: HubServer, tmp_path: Path) -> None:
    write_model_folder(tmp_path, architectures=["TinyNetForSequenceClassification"])
    with pytest.raises(EcgBenchError, match="a trained classifier is not the backbone tiny_net") as error:
        push_folder("model", tmp_path)
    assert "--repo YOUR_NAME/NAME" in str(error.value)
    assert push_folder("model", tmp_path, "me/tiny-net-ptbxl") == f"{hub.url}/me/tiny-net-ptbxl"


def damage(folder: Path, how: str) -> None:
    """Make the folder unfit in one way."""
    weights = folder / "model.safetensors"
    match how:
        case "no config":
            (folder / "config.json").unlink()
        case "no model_type":
            write_model_folder(folder, model_type=None)
        case "no weights":
            weights.unlink()
        case "half the weights":
            weights.write_bytes(weights.read_bytes()[:-8])
        case "a pickle by that name":
            weights.write_bytes(b"\x80\x04\x95" + bytes(100))
        case "missing shard":
            write_shards(folder, {"a": 1, "b": 2})
            (folder / "model-2.safetensors").unlink()
        case "shard with other tensors":
            write_shards(folder, {"a": 1, "b": 2})
            save_file({"c": np.ones(2, np.float32)}, folder / "model-2.safetensors")


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("no config", r"no config\.json in"),
        ("no model_type", "no 'model_type'"),
        ("no weights", r"no model\.safetensors"),
        ("half the weights", "not a whole safetensors file"),
        ("a pickle by that name", "not a whole safetensors file"),
        ("missing shard", r"no model-2\.safetensors"),
        ("shard with other tensors", r"not those of model\.safetensors\.index\.json"),
    ],
)
def test_unfit_folders_are_refused(hub: HubServer, tmp_path: Path, how: str, message: str) -> None:
    write_model_folder(tmp_path)
    damage(tmp_path, how)
    with pytest.raises(CheckpointError, match=message) as error:
        push_folder("model", tmp_path, "ecg-bench/tiny-net")
    assert error.value.fix
    assert hub.requests == []


def test_a_dataset_is_no_model(tmp_path: Path) -> None:
    write_dataset_folder(tmp_path / "tiny")
    with pytest.raises(CheckpointError, match=r"no config\.json"):
        push_folder("model", tmp_path / "tiny", "ecg-bench/x")
    with pytest.raises(UnknownNameError, match="did you mean 'dataset'"):
        push_folder("datasets", tmp_path / "tiny", "ecg-bench/x")  # type: ignore[arg-type]

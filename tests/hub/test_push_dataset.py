"""Datasets to the Hub and back: equal features, values and splits, also offline afterwards."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from datasets import DatasetDict, load_dataset
from huggingface_hub import HfApi

from hf_ecg_bench.data.registry import get_dataset_spec
from hf_ecg_bench.errors import DataError, EcgBenchError
from hf_ecg_bench.hub import push_folder
from tests.hub.folders import RECORDS, edit_card, tiny_dataset, write_dataset_folder, write_model_folder
from tests.support.hub_server import HubServer


def assert_equal(found: DatasetDict, expected: DatasetDict) -> None:
    """Same splits in the same order, same features, same rows (NaN equal to NaN, None to None)."""
    assert list(found) == list(expected)
    for split in expected:
        assert found[split].features == expected[split].features
        assert found[split].data.table.schema.names == expected[split].data.table.schema.names
        for left, right in zip(found[split], expected[split], strict=True):
            signals = [np.asarray(row.pop("signal"), np.float32) for row in (left, right)]
            np.testing.assert_array_equal(*signals)
            np.testing.assert_equal(left, right)


def test_round_trip(hub: HubServer, tmp_path: Path) -> None:
    expected = write_dataset_folder(tmp_path / "tiny")
    url = push_folder("dataset", tmp_path / "tiny", "ecg-bench/round-trip")
    assert url == f"{hub.url}/datasets/ecg-bench/round-trip"
    on_disk = {
        file.relative_to(tmp_path / "tiny").as_posix(): file.read_bytes() for file in (tmp_path / "tiny").rglob("*.*")
    }
    assert hub.files("dataset", "ecg-bench/round-trip") == on_disk
    found = load_dataset("ecg-bench/round-trip")
    assert_equal(found, expected)
    assert found["test"].features["labels"].feature.names == ["NORM", "AFIB", "LBBB"]
    assert found["train"].with_format("numpy")[1]["signal"].shape == (21, 12)


def test_reloads_from_the_cache_without_a_network(hub: HubServer, tmp_path: Path) -> None:
    expected = write_dataset_folder(tmp_path / "tiny")
    push_folder("dataset", tmp_path / "tiny", "ecg-bench/offline")
    load_dataset("ecg-bench/offline")
    asked = len(hub.requests)
    code = (
        "import json; from datasets import load_dataset; rows = load_dataset('ecg-bench/offline');"
        "print(json.dumps({split: part[:] for split, part in rows.items()}))"
    )
    environment = {**os.environ, "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert len(hub.requests) == asked
    found = json.loads(done.stdout)
    np.testing.assert_equal(found, {split: rows[:] for split, rows in expected.items()})


def test_streams_and_loads_a_revision(tmp_path: Path) -> None:
    expected = write_dataset_folder(tmp_path / "tiny")
    push_folder("dataset", tmp_path / "tiny", "ecg-bench/streamed")
    HfApi().create_tag("ecg-bench/streamed", tag="1.0.0", repo_type="dataset")
    streamed = load_dataset("ecg-bench/streamed", split="test", revision="1.0.0", streaming=True)
    for left, right in zip(streamed, expected["test"], strict=True):
        np.testing.assert_equal(left, right)


def test_push_to_hub_of_the_library() -> None:
    expected = tiny_dataset()
    expected["fold_1"] = expected["test"]
    expected.push_to_hub("ecg-bench/by-library", num_shards=dict.fromkeys(expected, 2))
    assert_equal(load_dataset("ecg-bench/by-library"), expected)
    expected.push_to_hub("ecg-bench/by-library", "other")
    assert_equal(load_dataset("ecg-bench/by-library", "other"), expected)


def test_a_smaller_push_replaces_the_old_shards(hub: HubServer, tmp_path: Path) -> None:
    write_dataset_folder(tmp_path / "two", shards=2)
    push_folder("dataset", tmp_path / "two", "ecg-bench/again")
    expected = write_dataset_folder(tmp_path / "one", shards=1)
    push_folder("dataset", tmp_path / "one", "ecg-bench/again")
    assert len([name for name in hub.files("dataset", "ecg-bench/again") if name.endswith(".parquet")]) == 3
    assert_equal(load_dataset("ecg-bench/again"), expected)


def test_the_same_push_makes_no_commit(hub: HubServer, tmp_path: Path) -> None:
    write_dataset_folder(tmp_path / "tiny")
    for _ in range(2):
        push_folder("dataset", tmp_path / "tiny", "ecg-bench/same", commit_message="My message")
    titles = [commit.title for commit in hub.repos["datasets", "ecg-bench/same"].history("main")]
    assert titles == ["My message", "initial commit"]


def test_pull_request_leaves_main_alone(hub: HubServer, tmp_path: Path) -> None:
    write_dataset_folder(tmp_path / "tiny")
    push_folder("dataset", tmp_path / "tiny", "ecg-bench/reviewed")
    before = hub.files("dataset", "ecg-bench/reviewed")
    write_dataset_folder(tmp_path / "other", shards=2)
    url = push_folder("dataset", tmp_path / "other", "ecg-bench/reviewed", create_pr=True)
    assert url == f"{hub.url}/datasets/ecg-bench/reviewed/discussions/1"
    assert hub.files("dataset", "ecg-bench/reviewed") == before
    assert "data/test-00001-of-00002.parquet" in hub.files("dataset", "ecg-bench/reviewed", "refs/pr/1")


def test_private(hub: HubServer, tmp_path: Path) -> None:
    write_dataset_folder(tmp_path / "tiny")
    push_folder("dataset", tmp_path / "tiny", "ecg-bench/closed", private=True)
    assert hub.repos["datasets", "ecg-bench/closed"].private
    push_folder("dataset", tmp_path / "tiny", "ecg-bench/open")
    with pytest.raises(EcgBenchError, match="exists and is public"):
        push_folder("dataset", tmp_path / "tiny", "ecg-bench/open", private=True)


def test_other_files_stay_at_home(hub: HubServer, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write_dataset_folder(tmp_path / "tiny")
    (tmp_path / "tiny" / ".env").write_text("HF_TOKEN=hf_mine")
    (tmp_path / "tiny" / "notes.pkl").write_bytes(b"x")
    push_folder("dataset", tmp_path / "tiny", "ecg-bench/selected")
    names = set(hub.files("dataset", "ecg-bench/selected"))
    assert names == {
        "README.md",
        "ecg_bench.json",
        *(f"data/{split}-00000-of-00001.parquet" for split in RECORDS),
    }
    assert "notes.pkl" in caplog.text


@pytest.mark.parametrize("access", ["credentialed", "restricted"])
def test_closed_data_are_refused(hub: HubServer, tmp_path: Path, access: str) -> None:
    write_dataset_folder(tmp_path / "tiny", access=access)
    with pytest.raises(DataError, match=access) as error:
        push_folder("dataset", tmp_path / "tiny", "me/private-copy", private=True)
    assert error.value.fix is not None
    assert "hf-ecg-bench prepare tiny" in error.value.fix
    assert hub.requests == [], "refused before anything was sent"


def damage(folder: Path, how: str) -> None:
    """Make the folder unfit in one way."""
    train = folder / "data" / "train-00000-of-00001.parquet"
    info = folder / "ecg_bench.json"
    match how:
        case "no info":
            info.unlink()
        case "info is no JSON":
            info.write_text("{")
        case "info is a list":
            info.write_text("[]")
        case "no id":
            info.write_text(json.dumps({**json.loads(info.read_text()), "dataset": None}))
        case "no access":
            info.write_text(json.dumps({**json.loads(info.read_text()), "access": None}))
        case "no card":
            (folder / "README.md").unlink()
        case "no configs":
            edit_card(folder, configs=None)
        case "bad YAML":
            (folder / "README.md").write_text("---\nconfigs: [\n---\n")
        case "bad data_files":
            edit_card(folder, configs=[{"config_name": "default", "data_files": "data/*.parquet"}])
        case "missing shard":
            train.unlink()
        case "half a shard":
            train.write_bytes(train.read_bytes()[:-100])
        case "shard of another build":
            train.write_bytes((folder / "data" / "test-00000-of-00001.parquet").read_bytes())
        case "stray file":
            (folder / "old.parquet").write_bytes(train.read_bytes())


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("no info", "no ecg_bench.json in"),
        ("info is no JSON", "is not JSON"),
        ("info is a list", "expected a JSON object, found list"),
        ("no id", "no dataset id"),
        ("no access", "'access' is None"),
        ("no card", "no `configs:`"),
        ("no configs", "no `configs:`"),
        ("bad YAML", "cannot be read"),
        ("bad data_files", "not a list of split and path"),
        ("missing shard", "there is no data/train-"),
        ("half a shard", "not a whole Parquet file"),
        ("shard of another build", "'train': 3"),
        ("stray file", "old.parquet belongs to no split"),
    ],
)
def test_unfit_folders_are_refused(hub: HubServer, tmp_path: Path, how: str, message: str) -> None:
    write_dataset_folder(tmp_path / "tiny")
    damage(tmp_path / "tiny", how)
    with pytest.raises(DataError, match=message) as error:
        push_folder("dataset", tmp_path / "tiny", "ecg-bench/tiny")
    assert error.value.fix
    assert hub.requests == []


def test_a_model_is_no_dataset(tmp_path: Path) -> None:
    write_model_folder(tmp_path)
    with pytest.raises(DataError, match=r"no ecg_bench\.json"):
        push_folder("dataset", tmp_path, "ecg-bench/x")
    with pytest.raises(DataError, match="no folder"):
        push_folder("dataset", tmp_path / "nowhere", "ecg-bench/x")


def test_a_split_without_rows_is_in_no_card(hub: HubServer, tmp_path: Path) -> None:
    expected = write_dataset_folder(tmp_path / "tiny")
    records = {split: {"records": n} for split, n in {**RECORDS, "validation": 0}.items()}
    info = json.loads((tmp_path / "tiny" / "ecg_bench.json").read_text())
    (tmp_path / "tiny" / "ecg_bench.json").write_text(json.dumps({**info, "splits": records}))
    data_files = [{"split": split, "path": f"data/{split}-*.parquet"} for split in ("train", "test")]
    edit_card(tmp_path / "tiny", configs=[{"config_name": "default", "data_files": data_files}])
    empty = expected["validation"].select([])
    empty.to_parquet(tmp_path / "tiny" / "data" / "validation-00000-of-00001.parquet")
    push_folder("dataset", tmp_path / "tiny", "ecg-bench/without-validation")
    assert load_dataset("ecg-bench/without-validation").num_rows == {"train": 5, "test": 3}


@pytest.mark.parametrize(
    ("dataset", "options", "why"),
    [
        ("tiny", {}, "tiny is not a dataset of this project"),
        ("synthetic", {"n_records": 10, "seed": 0}, "built with n_records=10"),
        ("ptbxl", {"splits": "fixed"}, "built from 10 of 21799 records"),
        (
            "ptbxl",
            {"splits": "largest_folds", "min_count": 5},
            "built with min_count=5, splits=largest_folds",
        ),
    ],
)
def test_other_builds_have_no_default_repository(
    hub: HubServer, tmp_path: Path, dataset: str, options: dict[str, object], why: str
) -> None:
    write_dataset_folder(tmp_path / "own", dataset=dataset, options=options)
    with pytest.raises(EcgBenchError, match=why) as error:
        push_folder("dataset", tmp_path / "own")
    assert "--repo YOUR_NAME/NAME" in str(error.value.fix)
    assert hub.requests == []


def test_complete_default_builds_have_one(hub: HubServer, tmp_path: Path) -> None:
    write_dataset_folder(tmp_path / "own", dataset="synthetic", options={"n_records": 2000, "limit": None})
    assert push_folder("dataset", tmp_path / "own") == f"{hub.url}/datasets/ecg-bench/synthetic"


def test_a_folder_cannot_call_closed_data_open(hub: HubServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    closed = replace(get_dataset_spec("synthetic"), access="credentialed")
    monkeypatch.setattr("hf_ecg_bench.data.registry.get_dataset_spec", lambda name: closed)
    write_dataset_folder(tmp_path / "own", dataset="synthetic", access="open")
    with pytest.raises(DataError, match="synthetic is credentialed data"):
        push_folder("dataset", tmp_path / "own", "me/copy")
    assert hub.requests == []

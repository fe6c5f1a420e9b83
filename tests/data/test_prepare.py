"""Prepared folders: the same whatever the processes, interruptions and ways of building."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pytest

from hf_ecg_bench.cli.main import main
from hf_ecg_bench.data import output_folder, shards
from hf_ecg_bench.data.load import load_prepared, require_signals
from hf_ecg_bench.data.prepare import prepare
from hf_ecg_bench.data.registry import get_builder, get_dataset_spec, list_datasets
from hf_ecg_bench.errors import DataError, UnknownNameError
from hf_ecg_bench.hub.dataset_folder import check_dataset_folder
from tests.data.ptbxl_tree import PtbXlTree, digital_ecg, write_record


def files_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*.parquet")}


def assert_equal_rows(a: datasets.DatasetDict, b: datasets.DatasetDict) -> None:
    assert a.keys() == b.keys()
    for split in a:
        assert a[split].features == b[split].features
        assert a[split].data.table.combine_chunks().equals(b[split].data.table.combine_chunks())


@pytest.fixture
def small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shards, "SHARD_RECORDS", 3)


def test_registry() -> None:
    assert "ptbxl" in list_datasets()
    assert get_dataset_spec("ptbxl").sampling_rate == 500


@pytest.mark.usefixtures("small_shards")
def test_output_does_not_depend_on_processes(tree: PtbXlTree, tmp_path: Path) -> None:
    (tree.record(4).with_suffix(".dat")).unlink()
    one = prepare("ptbxl", raw_dir=tree.root, output_dir=tmp_path / "one")
    two = prepare("ptbxl", raw_dir=tree.root, output_dir=tmp_path / "two", num_proc=2)
    assert files_of(tmp_path / "one") == files_of(tmp_path / "two")
    assert "data/train-00003-of-00004.parquet" in files_of(tmp_path / "one")
    assert one.to_dict() == two.to_dict()
    assert one.digests == two.digests
    assert (tmp_path / "one" / "README.md").read_text() == (tmp_path / "two" / "README.md").read_text()
    with pytest.raises(DataError, match="num_proc=0: expected 1 or more"):
        prepare("ptbxl", raw_dir=tree.root, output_dir=tmp_path / "two", num_proc=0)


def test_digest_parts_follow_what_changed(tree: PtbXlTree, tmp_path: Path) -> None:
    def digests(name: str) -> dict[str, str]:
        return prepare("ptbxl", raw_dir=tree.root, output_dir=tmp_path / name).digests

    def changed(name: str) -> set[str]:
        now = digests(name)
        return {part for part in now if now[part] != first[part]}

    first = digests("first")
    assert changed("same") == set()
    tree.rows[0]["scp_codes"] = "{'SR': 1}"
    tree.save()
    assert changed("labels") == {"labels", "dataset"}
    tree.rows[0]["scp_codes"] = "{'NORM': 100.0, 'SR': 0.0}"
    tree.rows[0]["age"] = "57"
    tree.save()
    assert changed("age") == {"demographics", "dataset"}
    tree.rows[0]["age"] = "56"
    tree.save()
    write_record(tree.record(1), digital_ecg(99))
    assert changed("signal") == {"signals", "dataset"}


@pytest.mark.usefixtures("small_shards")
def test_interrupted_prepare_goes_on(tree: PtbXlTree, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "out"
    write = output_folder.write_shard
    written: list[str] = []

    def dies(rows: Any, folder: Path) -> Any:
        if len(written) >= 2:
            raise KeyboardInterrupt
        written.append(rows.shard.name)
        return write(rows, folder)

    monkeypatch.setattr(output_folder, "write_shard", dies)
    with pytest.raises(KeyboardInterrupt):
        prepare("ptbxl", raw_dir=tree.root, output_dir=out)
    with pytest.raises(DataError, match="is an unfinished prepare"):
        load_prepared(out)
    with pytest.raises(DataError, match="holds ptbxl prepared with options"):
        prepare("ptbxl", raw_dir=tree.root, output_dir=out, limit=3)
    kept = {name: os.stat(out / name).st_mtime_ns for name in files_of(out)}
    monkeypatch.setattr(output_folder, "write_shard", write)
    resumed = prepare("ptbxl", raw_dir=tree.root, output_dir=out)
    assert {name: os.stat(out / name).st_mtime_ns for name in kept} == kept
    whole = prepare("ptbxl", raw_dir=tree.root, output_dir=tmp_path / "whole")
    assert files_of(out) == files_of(tmp_path / "whole")
    assert resumed.digests == whole.digests
    assert sorted(path.name for path in out.iterdir()) == ["README.md", "data", "ecg_bench.json", "fingerprints"]


@pytest.mark.usefixtures("small_shards")
def test_second_run_is_complete_and_a_mended_record_rewrites_its_shard(tree: PtbXlTree, tmp_path: Path) -> None:
    out = tmp_path / "out"
    dat = tree.record(5).with_suffix(".dat")
    original = dat.read_bytes()
    dat.write_bytes(original[:100])
    assert prepare("ptbxl", raw_dir=tree.root, output_dir=out).n_excluded == 1
    before = {name: os.stat(out / name).st_mtime_ns for name in files_of(out)}
    again = prepare("ptbxl", raw_dir=tree.root, output_dir=out)
    assert (again.status, again.n_excluded) == ("complete", 1)
    assert "nothing was written" in again.describe()
    dat.write_bytes(original)
    mended = prepare("ptbxl", raw_dir=tree.root, output_dir=out)
    assert (mended.status, mended.kept) == ("built", 12)
    after = {name: os.stat(out / name).st_mtime_ns for name in files_of(out)}
    changed = sorted(name for name in after if after[name] != before[name])
    assert changed == [f"{folder}/train-00001-of-00004.parquet" for folder in ("data", "fingerprints")]
    (out / "data" / "test-00000-of-00001.parquet").unlink()
    assert prepare("ptbxl", raw_dir=tree.root, output_dir=out).status == "built"
    assert load_prepared(out).splits["test"].num_rows == 1


def test_load_dataset_sees_a_folder_prepared_again(tree: PtbXlTree, tmp_path: Path) -> None:
    # The library's cache does not look at local files; a file of the same size would be taken for the old
    # one.
    for age in ("56", "57"):
        tree.rows[0]["age"] = age
        tree.save()
        prepare("ptbxl", raw_dir=tree.root, output_dir=tmp_path / "out")
        assert datasets.load_dataset(str(tmp_path / "out"))["train"][0]["age"] == float(age)


def test_limit(tree: PtbXlTree, tmp_path: Path) -> None:
    ledger = prepare("ptbxl", raw_dir=tree.root, output_dir=tmp_path / "out", limit=10)
    assert (ledger.found, ledger.kept) == (12, 10)
    assert "limited to the first 10 of 12 records" in ledger.notes


def test_native_builder_gives_the_same_rows(tree: PtbXlTree, tmp_path: Path) -> None:
    prepare("ptbxl", raw_dir=tree.root, output_dir=tmp_path / "out")
    prepared = load_prepared(tmp_path / "out")
    builder = get_builder("ptbxl")(data_dir=str(tree.root), cache_dir=str(tmp_path / "cache"))
    builder.download_and_prepare()
    assert_equal_rows(builder.as_dataset(), prepared.splits)
    info = json.loads((Path(builder.cache_dir) / "ecg_bench.json").read_text())
    shards = json.loads((tmp_path / "out" / "ecg_bench.json").read_text()).pop("shards")
    assert shards
    assert info == {key: value for key, value in prepared.info.items() if key != "shards"}
    streamed = list(builder.as_streaming_dataset()["train"])
    assert [row["record_id"] for row in streamed] == prepared.splits["train"]["record_id"][:]


@pytest.mark.usefixtures("small_shards")
def test_native_builder_over_processes(tree: PtbXlTree, tmp_path: Path) -> None:
    (tree.record(4).with_suffix(".dat")).unlink()
    found = []
    for name, num_proc in (("a", None), ("b", 2)):
        builder = get_builder("ptbxl")(data_dir=str(tree.root), cache_dir=str(tmp_path / name), min_count=2)
        builder.download_and_prepare(num_proc=num_proc)
        found.append((builder.as_dataset(), json.loads((Path(builder.cache_dir) / "ecg_bench.json").read_text())))
    assert_equal_rows(found[0][0], found[1][0])
    assert found[0][1] == found[1][1]
    assert found[0][1]["ledger"]["excluded"] == {"missing file": [["4", "no 00004_hr.dat"]]}
    assert found[0][0]["train"].features["labels_super"].feature.names == ["MI", "NORM"]


def test_builders_do_not_collide_and_options_change_the_path(tree: PtbXlTree, tmp_path: Path) -> None:
    cache = str(tmp_path / "cache")
    ptbxl = get_builder("ptbxl")

    class Renamed(ptbxl):  # type: ignore[misc, valid-type]
        SPEC = ptbxl.SPEC.__class__(**{**vars(ptbxl.SPEC), "id": "renamed"})

    builders = [
        ptbxl(data_dir=str(tree.root), cache_dir=cache),
        ptbxl(data_dir=str(tree.root), cache_dir=cache, min_count=3),
        ptbxl(data_dir=str(tree.root), cache_dir=cache, splits="largest_folds"),
        ptbxl(data_dir=str(tree.root), cache_dir=cache, dataset_name="mine"),
        ptbxl(data_dir=str(tree.root), cache_dir=cache, hash="another"),
        ptbxl(data_dir=str(tmp_path), cache_dir=cache),
        Renamed(data_dir=str(tree.root), cache_dir=cache),
    ]
    assert len({builder.cache_dir for builder in builders}) == len(builders)
    with pytest.raises(UnknownNameError, match="unknown option 'min_cuont'; did you mean 'min_count'"):
        ptbxl(data_dir=str(tree.root), cache_dir=cache, min_cuont=3)


def test_rows_have_the_declared_types(tree: PtbXlTree, tmp_path: Path) -> None:
    prepare("ptbxl", raw_dir=tree.root, output_dir=tmp_path / "out")
    train = load_prepared(tmp_path / "out").splits["train"]
    row = train.with_format("numpy")[0]
    assert row["signal"].shape == (5000, 12)
    assert row["signal"].dtype == np.float32
    assert train.features["strat_fold"].dtype == "int32"
    assert len(set(train["record_id"])) == len(train)


def test_card_is_complete(tree: PtbXlTree, tmp_path: Path) -> None:
    prepare("ptbxl", raw_dir=tree.root, output_dir=tmp_path / "out")
    text = (tmp_path / "out" / "README.md").read_text()
    for part in (
        "license: cc-by-4.0",
        "config_name: default",
        "path: data/train-*.parquet",
        "@article{wagner2020ptbxl",
        "Digest: `",
    ):
        assert part in text


def test_metadata_only(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    arguments = ["prepare", "synthetic", "--output-dir", str(out), "--option", "n_records=60", "--metadata-only"]
    assert main(arguments) == 0
    said = capsys.readouterr().out
    full = prepare("synthetic", raw_dir=None, output_dir=tmp_path / "full", options={"n_records": "60"})
    for name, train in full.splits["train"]["labels"]["labels"].items():
        assert [line for line in said.splitlines() if line.split()[:2] == [name, str(train)]]
    prepared = load_prepared(out)
    assert prepared.info["metadata_only"] is True
    assert prepared.info["splits"] == load_prepared(tmp_path / "full").info["splits"]
    assert datasets.load_dataset(str(out))["train"].column_names[:3] == ["record_id", "patient_id", "sampling_rate"]
    with pytest.raises(DataError, match="it has labels and folds, but no signals"):
        require_signals(prepared)
    assert check_dataset_folder(out).default_repo is None
    assert "Signals: none" in (out / "README.md").read_text()
    assert main([*arguments, "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert (printed["status"], printed["kept"], printed["digest"]) == ("complete", 60, prepared.info["digest"])
    with pytest.raises(DataError, match="holds synthetic prepared with options"):
        prepare("synthetic", raw_dir=None, output_dir=out, options={"n_records": "60"})

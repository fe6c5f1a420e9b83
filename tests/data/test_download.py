"""Every dataset from where it is published to a build: its own example tree, served as its origins declare."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from hf_ecg_bench.cli.main import main
from hf_ecg_bench.data.access import how_to_get
from hf_ecg_bench.data.load import read_info
from hf_ecg_bench.data.origins import Figshare, PhysioNet, Unpack, WebFile, Zenodo, describe
from hf_ecg_bench.data.registry import get_dataset_spec, list_datasets
from hf_ecg_bench.downloads.originals import transfer
from hf_ecg_bench.names import INFO_FILE
from tests.data.examples import Example
from tests.support.open_hosts import OpenHosts

CLOSED = sorted(dataset for dataset in list_datasets() if get_dataset_spec(dataset).access != "open")


@pytest.fixture
def hosts(example: Example, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[OpenHosts]:
    """The hosts with the example tree of a dataset that has origins."""
    origins = get_dataset_spec(example.dataset).origins
    if not origins or example.raw is None:
        pytest.skip(f"{example.dataset} is not downloaded")
    hosts = OpenHosts()
    hosts.serve(origins, example.raw)
    monkeypatch.setenv("HF_ECG_BENCH_MIRRORS", hosts.mirrors)
    # The declared sizes are those of the real files: whether they had room here is not what is tested.
    room = shutil.disk_usage(tmp_path)._replace(free=10**13)
    monkeypatch.setattr(transfer.shutil, "disk_usage", lambda _: room)
    yield hosts
    hosts.server.close()


def test_downloaded_and_built_it_is_the_same(example: Example, hosts: OpenHosts, tmp_path: Path, capsys) -> None:
    out = tmp_path / "ecg-bench" / example.dataset
    command = ["prepare", example.dataset, "--download", "--strict", "--output-dir", str(out)]
    assert main(command) == 0
    said = capsys.readouterr()
    raw = out.with_name(f"{out.name}-raw")
    assert re.search(rf"downloaded (\S+) of \1 files into {re.escape(str(raw))}", said.err)
    assert read_info(out / INFO_FILE)["digests"] == example.prepared.info["digests"]
    asked = hosts.server.number()
    assert main(command) == 0
    assert "nothing was downloaded" in capsys.readouterr().err
    assert hosts.server.number() == asked


def test_metadata_alone_is_enough_for_labels_and_folds(
    example: Example, hosts: OpenHosts, tmp_path: Path, capsys
) -> None:
    out = tmp_path / example.dataset
    assert main(["prepare", example.dataset, "--download", "--metadata-only", "--output-dir", str(out)]) == 0
    capsys.readouterr()
    built, complete = read_info(out / INFO_FILE), example.prepared.info
    assert built["splits"] == complete["splits"]
    if not any(getattr(origin, "metadata", None) for origin in get_dataset_spec(example.dataset).origins):
        return  # everything is in one archive
    sent = sum(len(hosts.server.files[asked.path].content) for asked in hosts.server.asked)
    everything = sum(len(file.content) for file in hosts.server.files.values())
    assert sent < 0.5 * everything


def test_the_closed_ones_are_closed() -> None:
    assert {"mimic_iv_ecg", "echonext"} <= set(CLOSED)


@pytest.mark.parametrize("dataset", list_datasets())
def test_what_is_declared(dataset: str) -> None:
    spec = get_dataset_spec(dataset)
    if not spec.needs_raw_dir:
        assert not spec.origins
        return
    assert spec.homepage.startswith("https://")
    if spec.access != "open":
        assert not spec.origins
        assert spec.access_steps
        assert spec.homepage in how_to_get(spec)
        return
    assert spec.origins
    assert not spec.access_steps
    assert "--download" in how_to_get(spec)
    fetched = [origin for origin in spec.origins if not isinstance(origin, Unpack)]
    assert fetched
    for origin in spec.origins:
        assert describe(origin)
        patterns = [*getattr(origin, "include", ()), *(getattr(origin, "metadata", None) or ())]
        for pattern in [*patterns, getattr(origin, "archive", "x")]:
            assert pattern
            assert not pattern.startswith(("/", "./"))
            assert ".." not in pattern
        match origin:
            case PhysioNet():
                assert re.fullmatch(r"[a-z0-9-]+", origin.project)
                assert re.fullmatch(r"\d+\.\d+\.\d+", origin.version)
                assert f"{origin.project}/{origin.version}" in spec.homepage
                assert not origin.strip or origin.strip.endswith("/")
                assert origin.about
                assert origin.metadata
            case Zenodo():
                assert origin.record.isdigit()
                assert origin.record in spec.homepage
            case Figshare():
                assert (origin.article or origin.collection).isdigit()
                assert not (origin.article and origin.collection)
                assert (origin.article or origin.collection) in spec.homepage
            case WebFile():
                assert origin.url.startswith("https://")


@pytest.mark.parametrize("dataset", CLOSED)
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--download"], "it cannot be downloaded without your own access to it"),
        ([], "is built from its original files, and no --raw-dir was given"),
        (["--raw-dir", "{here}", "--push-to-hub"], "its licence forbids passing it on, also to a private repository"),
        (["--raw-dir", "{here}", "--push-to-hub", "me/private"], "its licence forbids passing it on"),
    ],
)
def test_closed_data_is_refused_before_any_work(
    dataset: str, arguments: list[str], message: str, tmp_path: Path, capsys
) -> None:
    out = tmp_path / "out"
    given = [argument.format(here=tmp_path) for argument in arguments]
    assert main(["prepare", dataset, *given, "--output-dir", str(out)]) == 2
    said = capsys.readouterr().err
    assert message in said
    if "--push-to-hub" not in given:
        assert get_dataset_spec(dataset).access_steps.rstrip(".") in said
        assert get_dataset_spec(dataset).homepage in said
    assert sorted(path.name for path in tmp_path.iterdir()) == []


@pytest.mark.parametrize("dataset", CLOSED)
@pytest.mark.parametrize("claimed", ["open", "as it is"])
def test_a_folder_of_closed_data_is_not_pushed(dataset: str, claimed: str, tmp_path: Path, capsys, hub) -> None:
    access = get_dataset_spec(dataset).access if claimed == "as it is" else claimed
    (tmp_path / "ecg_bench.json").write_text(json.dumps({"dataset": dataset, "access": access}))
    assert main(["push", "dataset", str(tmp_path), "--repo", "me/mine", "--private"]) == 2
    assert "its licence forbids passing it on" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["ptbxl", "--download", "--option", "min_cuont=3"], "did you mean"),
        (["ptbxl", "--download", "--connections", "0"], "expected 1 or more"),
        (["ptbxl", "--connections", "8"], "--connections is about downloads\n  fix: add --download"),
        (["ptbxl", "--verify-download"], "--verify-download is about downloads"),
        (["synthetic", "--download"], "synthetic is generated"),
        (["ptbxl"], "--download --output-dir ..., or get the original files from https://physionet.org"),
    ],
)
def test_mistakes_are_named_before_anything_is_fetched(arguments: list[str], message: str, tmp_path, capsys) -> None:
    assert main(["prepare", *arguments, "--output-dir", str(tmp_path / "out")]) == 2
    assert message in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_info_says_where_the_originals_are(capsys) -> None:
    assert main(["info", "ptbxl"]) == 0
    assert "PhysioNet ptb-xl 1.0.3: ptbxl_database.csv" in capsys.readouterr().out
    assert main(["info", "ptbxl", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)["dataset"]["origins"]
    assert (said[0]["project"], said[0]["version"]) == ("ptb-xl", "1.0.3")
    for dataset in CLOSED:
        assert main(["info", dataset]) == 0
        steps = get_dataset_spec(dataset).access_steps.rstrip(".")
        assert steps in " ".join(capsys.readouterr().out.split())

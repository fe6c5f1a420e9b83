"""Private, gated, branches and tags; what cannot go together is said before anything is uploaded."""

from __future__ import annotations

from pathlib import Path

import pytest
from huggingface_hub import HfApi, hf_hub_download

from hf_ecg_bench.cli.main import main
from hf_ecg_bench.errors import EcgBenchError
from hf_ecg_bench.hub import push_folder
from tests.hub.folders import write_dataset_folder, write_model_folder
from tests.support.hub_server import HubServer

REPO = "me/tiny-net"


def test_private_and_gated(hub: HubServer, tmp_path: Path) -> None:
    write_dataset_folder(tmp_path / "tiny")
    push_folder("dataset", tmp_path / "tiny", "me/tiny", private=True, gated="manual")
    info = HfApi().dataset_info("me/tiny")
    assert (info.private, info.gated) == (True, "manual")
    order = [request.path for request in hub.requests if request.method in ("POST", "PUT")]
    assert order.index("/api/datasets/me/tiny/settings") < order.index("/api/datasets/me/tiny/preupload/main")


def test_a_branch_and_a_tag(hub: HubServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_model_folder(tmp_path)
    command = ["push", "model", str(tmp_path), "--repo", REPO]
    assert main([*command, "--revision", "next", "--tag", "v1.0"]) == 0
    assert capsys.readouterr().out.strip() == f"{hub.url}/{REPO}/tree/v1.0"
    assert "config.json" not in hub.files("model", REPO)
    assert "config.json" in hub.files("model", REPO, "next")
    assert (
        Path(hf_hub_download(REPO, "config.json", revision="v1.0")).read_bytes()
        == (tmp_path / "config.json").read_bytes()
    )
    assert main([*command, "--revision", "next", "--tag", "v1.0"]) == 0, "the same again is the same commit"
    write_model_folder(tmp_path, dropout=0.5)
    assert main([*command, "--revision", "next", "--tag", "v1.0"]) == 2
    error = capsys.readouterr().err
    assert "the tag v1.0 of me/tiny-net names another commit" in error
    assert "choose another --tag" in error


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"create_pr": True, "tag": "v1"}, "a pull request goes to main"),
        ({"create_pr": True, "revision": "next"}, "a pull request goes to main"),
        ({"create_pr": True, "gated": "auto"}, "a pull request goes to main"),
        ({"gated": "yes"}, "gated is auto or manual"),
        ({"tag": "a b"}, "no name of a branch or tag"),
        ({"revision": "refs/pr/1"}, "no name of a branch or tag"),
        ({"revision": "-x"}, "no name of a branch or tag"),
        ({"tag": ""}, "no name of a branch or tag"),
    ],
)
def test_what_does_not_go_together(hub: HubServer, tmp_path: Path, options: dict, message: str) -> None:
    write_model_folder(tmp_path)
    with pytest.raises(EcgBenchError, match=message) as error:
        push_folder("model", tmp_path, REPO, **options)
    assert error.value.fix
    assert hub.requests == []

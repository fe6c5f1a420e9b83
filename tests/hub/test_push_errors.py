"""What a user reads when the Hub cannot be written to; never the token."""

from __future__ import annotations

import logging
import time
import traceback
from pathlib import Path

import huggingface_hub
import pytest
from huggingface_hub import HfApi

from hf_ecg_bench.cli.main import main
from hf_ecg_bench.errors import EcgBenchError
from hf_ecg_bench.hub import push_folder
from hf_ecg_bench.hub.remote import Remote
from tests.hub.folders import write_model_folder
from tests.support.hub_faults import Fault
from tests.support.hub_server import HubServer
from tests.support.hub_store import HubError

TOKEN = "hf_SecretSecretSecret"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A model, and a token to look for."""
    write_model_folder(tmp_path)
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    return tmp_path


def refused(folder: Path, repo_id: str = "ecg-bench/tiny-net", **options: bool) -> EcgBenchError:
    with pytest.raises(EcgBenchError) as error:
        push_folder("model", folder, repo_id, **options)
    assert TOKEN not in "".join(traceback.format_exception(error.value))
    assert error.value.fix
    return error.value


@pytest.mark.parametrize("repo_id", ["tiny-net", "a/b/c", "a b/c", "ecg-bench/tiny..net", "/a/b"])
def test_bad_repository_id(hub: HubServer, folder: Path, repo_id: str) -> None:
    error = refused(folder, repo_id)
    assert "no repository id" in error.message
    assert "--repo NAMESPACE/NAME" in str(error.fix)
    assert hub.requests == []


def test_no_token(hub: HubServer, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HF_TOKEN")
    error = refused(folder)
    assert error.message == "cannot push to ecg-bench/tiny-net: no Hugging Face token found"
    assert str(error.fix).startswith("hf auth login, or set HF_TOKEN")
    assert hub.requests == []


def test_token_that_is_not_accepted(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_invalid")
    error = refused(folder)
    assert "does not accept your token" in error.message
    assert "hf auth login" in str(error.fix)


@pytest.mark.parametrize(("token", "namespace"), [("hf_read_only", "ecg-bench"), (TOKEN, "closed-org")])
def test_no_write_permission(
    hub: HubServer, folder: Path, monkeypatch: pytest.MonkeyPatch, token: str, namespace: str
) -> None:
    monkeypatch.setenv("HF_TOKEN", token)
    error = refused(folder, f"{namespace}/tiny-net")
    assert error.message == f"cannot push model {namespace}/tiny-net: your token may not write there"
    assert "--repo YOUR_NAME/tiny-net" in str(error.fix)
    assert "--create-pr" in str(error.fix)
    hub.store.create("models", f"{namespace}/tiny-net")
    assert "may not write there" in refused(folder, f"{namespace}/tiny-net").message
    assert hub.files("model", f"{namespace}/tiny-net") == {}


def test_a_pull_request_needs_no_write_permission(hub: HubServer, folder: Path) -> None:
    hub.store.create("models", "closed-org/tiny-net")
    url = push_folder("model", folder, "closed-org/tiny-net", create_pr=True)
    assert url == f"{hub.url}/closed-org/tiny-net/discussions/1"
    assert "config.json" in hub.files("model", "closed-org/tiny-net", "refs/pr/1")


def test_dead_endpoint(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", "http://127.0.0.1:9")
    error = refused(folder)
    assert error.message == "cannot push model ecg-bench/tiny-net: cannot reach http://127.0.0.1:9 (ConnectError)"
    assert "HF_ENDPOINT" in str(error.fix)


def test_offline_mode(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    error = refused(folder)
    assert "offline mode is on" in error.message
    assert error.fix == "unset HF_HUB_OFFLINE"


def test_other_answers_are_passed_on_without_the_token(
    hub: HubServer, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def overloaded(*args: object, **kwargs: object) -> None:
        raise HubError(422, f"no room left for {TOKEN}")

    monkeypatch.setattr(hub.store, "create", overloaded)
    error = refused(folder)
    assert f"{hub.url} answered 422: no room left for ***" in error.message


def test_a_card_that_the_hub_refuses(folder: Path) -> None:
    (folder / "README.md").write_text("---\nlicense: [mit\n---\n# Tiny\n")
    assert "README.md" in str(refused(folder))


def test_no_token_in_the_logs(
    folder: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    (folder / "extra.bin").write_bytes(b"x")
    with caplog.at_level(logging.DEBUG):
        url = push_folder("model", folder, "ecg-bench/tiny-net")
        push_folder("model", folder, "ecg-bench/tiny-net")
    printed = capfd.readouterr()
    assert "extra.bin" in caplog.text
    assert TOKEN not in caplog.text + printed.out + printed.err + url


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "repos/create"), ("POST", "preupload"), ("PUT", "/lfs/"), ("POST", "/commit/")]
)
@pytest.mark.parametrize("kind", [401, 403, 422, 500, "drop"])
def test_no_token_anywhere_with_debug(
    hub: HubServer,
    folder: Path,
    method: str,
    path: str,
    kind: int | str,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Not in what is printed, not in the traceback of --debug, not in a log of everything."""
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    fault = Fault(method, path, drop="before", times=99) if kind == "drop" else Fault(
        method, path, status=int(kind), times=99, message=f"no room for {TOKEN} in Bearer {TOKEN}"
    )  # fmt: skip
    hub.faults.append(fault)
    with caplog.at_level(logging.DEBUG):
        assert main(["--debug", "push", "model", str(folder), "--repo", "ecg-bench/tiny-net"]) == 2
    printed = capfd.readouterr()
    assert "Traceback" in printed.err
    assert TOKEN not in printed.out + printed.err
    assert TOKEN not in "".join(record.getMessage() for record in caplog.records if not _of_transport(record))


def _of_transport(record: logging.LogRecord) -> bool:
    """The transport's own log of the answers' headers: this test's server is the one that wrote the token there."""
    return record.name.startswith(("httpcore", "httpx"))


def test_no_token_in_what_objects_say_of_themselves(hub: HubServer) -> None:
    remote = Remote("model", "a/b", HfApi(token=TOKEN), TOKEN)
    assert TOKEN not in f"{remote!r} {remote}"
    assert remote.without_token(f"a {TOKEN} b") == "a *** b"

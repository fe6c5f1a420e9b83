"""What is tried again, what never is, and that a commit is made once however often it was sent."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest
from huggingface_hub import HfApi

from hf_ecg_bench.downloads.retries import Retry
from hf_ecg_bench.errors import DownloadError, EcgBenchError
from hf_ecg_bench.hub import push_folder
from hf_ecg_bench.hub.committing import Change, commit
from hf_ecg_bench.hub.remote import Remote
from hf_ecg_bench.models.hub_snapshots import hub_snapshot
from tests.hub.folders import write_model_folder
from tests.support.hub_faults import Drop, Fault
from tests.support.hub_server import HubServer

REPO = "me/tiny-net"


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds that would have been waited."""
    found: list[float] = []
    monkeypatch.setattr(time, "sleep", found.append)
    return found


@pytest.fixture
def remote(hub: HubServer) -> Remote:
    hub.store.create("models", REPO)
    return Remote("model", REPO, HfApi(), "hf_test_token", Retry(wait=0.001))


def titles(hub: HubServer, revision: str = "main") -> list[str]:
    return [item.title for item in hub.repos["models", REPO].history(revision)][:-1]


def one(text: bytes = b"1") -> Change:
    return Change({"a.txt": text, "b.safetensors": text * 9})


STEPS = [
    ("POST", "repos/create"), ("GET", "/api/models/me/tiny-net/revision/main"), ("POST", "preupload"),
    ("POST", "validate-yaml"), ("POST", "objects/batch"), ("PUT", "/lfs/"), ("GET", "/tree/"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path"), STEPS)
@pytest.mark.parametrize("status", [429, 500, 503])
def test_every_step_of_a_push_is_tried_again(
    hub: HubServer, waits: list[float], tmp_path: Path, method: str, path: str, status: int
) -> None:
    write_model_folder(tmp_path)
    hub.faults.append(Fault(method, path, status=status, times=2))
    push_folder("model", tmp_path, REPO)
    assert hub.files("model", REPO)["config.json"] == (tmp_path / "config.json").read_bytes()
    assert len(titles(hub)) == 1
    assert hub.faults[0].seen > 2
    assert waits


@pytest.mark.parametrize("drop", ["before", "upload"])
@pytest.mark.parametrize(("method", "path"), STEPS)
def test_broken_connections(
    hub: HubServer, waits: list[float], tmp_path: Path, method: str, path: str, drop: Drop
) -> None:
    write_model_folder(tmp_path)
    hub.faults.append(Fault(method, path, drop=drop))
    push_folder("model", tmp_path, REPO)
    assert len(titles(hub)) == 1


def test_the_server_says_how_long_to_wait(hub: HubServer, waits: list[float], tmp_path: Path) -> None:
    write_model_folder(tmp_path)
    hub.faults.append(Fault("POST", "repos/create", status=429, headers={"Retry-After": "17"}))
    push_folder("model", tmp_path, REPO)
    assert waits == [17]
    hub.faults[:] = [Fault("POST", "repos/create", status=429, headers={"Retry-After": "3600"}, times=9)]
    with pytest.raises(EcgBenchError, match="it asks to wait longer than 60 s"):
        push_folder("model", tmp_path, REPO)
    assert hub.faults[0].seen == 1


def test_it_gives_up(hub: HubServer, waits: list[float], tmp_path: Path) -> None:
    write_model_folder(tmp_path)
    hub.faults.append(Fault("POST", "/commit/", status=503, times=99))
    with pytest.raises(EcgBenchError, match="answered 503: a fault on purpose") as error:
        push_folder("model", tmp_path, REPO)
    assert "try again later; nothing is lost" in str(error.value.fix)
    assert hub.faults[0].seen == Retry().attempts
    assert sum(waits) < 60
    assert waits == sorted(waits)


@pytest.mark.parametrize("status", [401, 403, 404, 409])
@pytest.mark.parametrize("path", ["/commit/", "preupload"])
def test_what_stays_wrong_is_asked_once(
    hub: HubServer, waits: list[float], tmp_path: Path, status: int, path: str
) -> None:
    write_model_folder(tmp_path)
    hub.faults.append(Fault("POST", path, status=status, times=99))
    with pytest.raises(EcgBenchError) as error:
        push_folder("model", tmp_path, REPO)
    assert error.value.fix
    assert hub.faults[0].seen == 1
    assert waits == []


@pytest.mark.parametrize("drop", ["after", "download"])
@pytest.mark.parametrize("create_pr", [False, True])
def test_a_commit_whose_answer_got_lost_is_not_made_twice(
    hub: HubServer, waits: list[float], remote: Remote, create_pr: bool, drop: Drop
) -> None:
    hub.faults.append(Fault("POST", "/commit/", drop=drop))
    done = commit(remote, lambda parent: one(), "mine", create_pr=create_pr)
    revision = "refs/pr/1" if create_pr else "main"
    assert titles(hub, revision) == ["mine"]
    assert hub.repos["models", REPO].resolve(revision).oid == done.oid
    assert done.pull_request == (f"{hub.url}/{REPO}/discussions/1" if create_pr else None)
    assert len(hub.asked("POST", "/commit/")) == 1
    assert len(hub.repos["models", REPO].pull_requests) == create_pr


def test_a_commit_that_never_arrived_is_sent_again(hub: HubServer, waits: list[float], remote: Remote) -> None:
    hub.faults.append(Fault("POST", "/commit/", drop="upload", times=2))
    hub.faults.append(Fault("POST", "/commit/", status=500, times=1, skip=0))
    commit(remote, lambda parent: one(), "mine")
    assert titles(hub) == ["mine"]
    assert hub.files("model", REPO)["b.safetensors"] == b"1" * 9


def test_nothing_to_change_makes_no_commit(hub: HubServer, remote: Remote) -> None:
    first = commit(remote, lambda parent: one(), "first")
    assert commit(remote, lambda parent: one(), "again") == first
    assert commit(remote, lambda parent: Change(), "nothing") == first
    assert titles(hub) == ["first"]


def test_somebody_else_came_first(hub: HubServer, waits: list[float], remote: Remote) -> None:
    """The parent is another one when the commit arrives: planned and made again on top of that."""
    parents = []

    def plan(parent: str) -> Change:
        parents.append(parent)
        if len(parents) < 3:
            remote.api.upload_file(path_or_fileobj=b"theirs", path_in_repo=f"{len(parents)}.txt", repo_id=REPO)
        return one()

    commit(remote, plan, "mine")
    assert titles(hub)[0] == "mine"
    assert {"1.txt", "2.txt", "a.txt", "b.safetensors"} == set(hub.files("model", REPO))
    assert len(parents) == len(set(parents)) == 3


def test_it_stops_where_others_never_stop(hub: HubServer, waits: list[float], tmp_path: Path) -> None:
    write_model_folder(tmp_path)
    hub.faults.append(Fault("POST", "/commit/", status=412, times=99))
    with pytest.raises(EcgBenchError, match="answered 412") as error:
        push_folder("model", tmp_path, REPO)
    assert "others keep writing there" in str(error.value.fix)
    assert hub.faults[0].seen == 10


def test_many_at_once_lose_nothing(hub: HubServer, remote: Remote) -> None:
    def work(number: int) -> None:
        commit(remote, lambda parent: Change({f"{number}.txt": b"x"}), f"number {number}")

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(hub.files("model", REPO)) == [f"{number}.txt" for number in range(4)]
    assert sorted(titles(hub)) == [f"number {number}" for number in range(4)]


@pytest.mark.parametrize(
    "fault",
    [
        Fault("HEAD", "/resolve/", status=503),
        Fault("GET", "/resolve/", status=500),
        Fault("GET", "/resolve/", drop="before"),
        Fault("GET", "/resolve/", drop="download"),
        Fault("GET", "/api/models/", status=429, headers={"Retry-After": "1"}),
    ],
    ids=lambda fault: f"{fault.method}-{fault.status or fault.drop}",
)
def test_downloads(hub: HubServer, waits: list[float], remote: Remote, tmp_path: Path, fault: Fault) -> None:
    content = tmp_path.name.encode() * 5000  # not in the cache of another test
    commit(remote, lambda parent: Change({"a.json": content}), "mine")
    fault.seen = 0
    hub.faults.append(fault)
    assert (hub_snapshot(REPO, ["*.json"]) / "a.json").read_bytes() == content
    assert fault.seen > 1


def test_a_download_that_is_refused_is_asked_once(hub: HubServer, waits: list[float], remote: Remote) -> None:
    commit(remote, lambda parent: one(), "mine")
    hub.faults.append(Fault("GET", "/api/models/", status=403, times=9))
    with pytest.raises(DownloadError):
        hub_snapshot(REPO, ["*.txt"])
    assert hub.faults[0].seen == 1

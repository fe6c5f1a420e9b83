"""The test Hub against the real client: what the other tests rely on."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi, HfFileSystem
from huggingface_hub.errors import (
    EntryNotFoundError,
    GatedRepoError,
    HfHubHTTPError,
    HTTPError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from tests.support.hub_faults import Drop, Fault
from tests.support.hub_server import HubServer, start_hub_server


@pytest.fixture
def api(hub: HubServer) -> HfApi:
    hub.reset()
    return HfApi()


def test_identity_and_repositories(api: HfApi) -> None:
    assert api.whoami()["name"] == "tester"
    url = api.create_repo("ecg-bench/one", repo_type="dataset")
    assert url.repo_id == "ecg-bench/one"
    assert url.repo_type == "dataset"
    assert api.create_repo("ecg-bench/one", repo_type="dataset", exist_ok=True) == url
    with pytest.raises(HfHubHTTPError) as error:
        api.create_repo("ecg-bench/one", repo_type="dataset")
    assert error.value.response.status_code == 409
    assert api.repo_exists("ecg-bench/one", repo_type="dataset")
    assert not api.repo_exists("ecg-bench/one")
    assert [info.id for info in api.list_datasets(author="ecg-bench", search="ON")] == ["ecg-bench/one"]
    api.delete_repo("ecg-bench/one", repo_type="dataset")
    with pytest.raises(RepositoryNotFoundError):
        api.repo_info("ecg-bench/one", repo_type="dataset")


def test_commits_by_both_ways_of_upload(api: HfApi, hub: HubServer, tmp_path: Path) -> None:
    api.create_repo("ecg-bench/model")
    weights = bytes(range(256)) * 64
    files = {
        "config.json": b"{}",
        "empty.txt": b"",
        "sub/größe.txt": "µV".encode(),
        "model.safetensors": weights,
    }
    for path, content in files.items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_bytes(content)
    first = api.upload_folder(repo_id="ecg-bench/model", folder_path=tmp_path, commit_message="files")
    assert hub.files("model", "ecg-bench/model") == files
    again = api.upload_folder(repo_id="ecg-bench/model", folder_path=tmp_path)
    assert again.oid == first.oid, "unchanged files make no commit"
    uploads = [request for request in hub.requests if request.method == "PUT"]
    assert len(uploads) == 1, "only the safetensors file goes through LFS, once"

    by_path = {file.path: file for file in api.list_repo_tree("ecg-bench/model", recursive=True)}
    assert by_path["model.safetensors"].lfs.size == len(weights)
    assert by_path["empty.txt"].size == 0
    assert "sub" in by_path
    assert api.file_exists("ecg-bench/model", "sub/größe.txt")
    assert [commit.title for commit in api.list_repo_commits("ecg-bench/model")] == [
        "files",
        "initial commit",
    ]
    local = Path(api.hf_hub_download("ecg-bench/model", "model.safetensors"))
    assert local.read_bytes() == weights
    snapshot = Path(api.snapshot_download("ecg-bench/model", local_dir=tmp_path / "copy"))
    assert (snapshot / "sub" / "größe.txt").read_text() == "µV"


def test_commit_operations(api: HfApi, hub: HubServer) -> None:
    api.create_repo("ecg-bench/model")
    operations = [
        CommitOperationAdd("a/1.txt", b"1"),
        CommitOperationAdd("a/2.txt", io.BytesIO(b"2")),
        CommitOperationAdd("b.txt", b"b"),
    ]
    head = api.create_commit("ecg-bench/model", operations, commit_message="three")
    removal = [CommitOperationDelete("a/", is_folder=True)]
    with pytest.raises(HfHubHTTPError) as error:
        api.create_commit("ecg-bench/model", removal, commit_message="late", parent_commit="0" * 40)
    assert error.value.response.status_code == 412
    api.create_commit("ecg-bench/model", removal, commit_message="less", parent_commit=head.oid)
    assert set(hub.files("model", "ecg-bench/model")) == {"b.txt"}
    assert set(hub.files("model", "ecg-bench/model", head.oid)) == {"a/1.txt", "a/2.txt", "b.txt"}
    paths = api.get_paths_info("ecg-bench/model", ["a", "b.txt", "none"], revision=head.oid)
    assert {info.path for info in paths} == {"a", "b.txt"}


def test_branches_tags_and_pull_requests(api: HfApi, hub: HubServer) -> None:
    api.create_repo("ecg-bench/data", repo_type="dataset")
    api.upload_file(path_or_fileobj=b"1", path_in_repo="a.txt", repo_id="ecg-bench/data", repo_type="dataset")
    api.create_tag("ecg-bench/data", tag="1.0.3", repo_type="dataset")
    api.create_branch("ecg-bench/data", branch="next", repo_type="dataset")
    with pytest.raises(HfHubHTTPError):
        api.create_tag("ecg-bench/data", tag="1.0.3", repo_type="dataset")
    request = api.upload_file(
        path_or_fileobj=b"2",
        path_in_repo="a.txt",
        repo_id="ecg-bench/data",
        repo_type="dataset",
        create_pr=True,
    )
    assert request.pr_num == 1
    assert hub.files("dataset", "ecg-bench/data")["a.txt"] == b"1"
    assert hub.files("dataset", "ecg-bench/data", "refs/pr/1")["a.txt"] == b"2"
    assert api.repo_info("ecg-bench/data", repo_type="dataset", revision="refs/pr/1").sha == request.oid
    references = api.list_repo_refs("ecg-bench/data", repo_type="dataset", include_pull_requests=True)
    assert [tag.name for tag in references.tags] == ["1.0.3"]
    assert {branch.name for branch in references.branches} == {"main", "next"}
    assert [pull.ref for pull in references.pull_requests] == ["refs/pr/1"]
    api.merge_pull_request("ecg-bench/data", 1, repo_type="dataset")
    assert hub.files("dataset", "ecg-bench/data")["a.txt"] == b"2"
    assert hub.files("dataset", "ecg-bench/data", "1.0.3")["a.txt"] == b"1"


def test_missing_things_are_told_apart(api: HfApi) -> None:
    with pytest.raises(RepositoryNotFoundError):
        api.hf_hub_download("ecg-bench/none", "a.txt")
    api.create_repo("ecg-bench/some")
    with pytest.raises(EntryNotFoundError):
        api.hf_hub_download("ecg-bench/some", "a.txt")
    with pytest.raises(RevisionNotFoundError):
        api.repo_info("ecg-bench/some", revision="nowhere")
    with pytest.raises(EntryNotFoundError):
        list(api.list_repo_tree("ecg-bench/some", "folder"))


def test_private_repositories_and_tokens(api: HfApi) -> None:
    api.create_repo("ecg-bench/secret", private=True)
    assert api.repo_info("ecg-bench/secret").private
    with pytest.raises(RepositoryNotFoundError):
        api.repo_info("ecg-bench/secret", token=False)
    for token, namespace, status in [
        ("hf_read_only", "ecg-bench", 403),
        ("hf_any", "closed-org", 403),
        ("hf_invalid", "ecg-bench", 401),
    ]:
        with pytest.raises(HfHubHTTPError) as error:
            api.create_repo(f"{namespace}/x", token=token)
        assert error.value.response.status_code == status


def test_ranges_and_file_system(api: HfApi) -> None:
    api.create_repo("ecg-bench/data", repo_type="dataset")
    content = bytes(range(200))
    api.upload_file(path_or_fileobj=content, path_in_repo="x/a.bin", repo_id="ecg-bench/data", repo_type="dataset")
    system = HfFileSystem()
    assert system.ls("datasets/ecg-bench/data/x", detail=False) == ["datasets/ecg-bench/data/x/a.bin"]
    with system.open("datasets/ecg-bench/data/x/a.bin", "rb") as handle:
        handle.seek(100)
        assert handle.read(10) == content[100:110]


def test_servers_are_independent_and_can_be_stopped() -> None:
    other = start_hub_server()
    api = HfApi(endpoint=other.url, token="hf_x")
    api.create_repo("ecg-bench/here")
    assert list(other.repos) == [("models", "ecg-bench/here")]
    other.close()


def test_requests_are_merged_and_conflicts_are_said(api: HfApi, hub: HubServer) -> None:
    api.create_repo("ecg-bench/data", repo_type="dataset")

    def add(path: str, content: bytes, **options: Any) -> Any:
        return api.upload_file(
            path_or_fileobj=content, path_in_repo=path, repo_id="ecg-bench/data", repo_type="dataset", **options
        )

    start = add("a.txt", b"1").oid
    add("b.txt", b"from a request", create_pr=True, parent_commit=start)
    add("a.txt", b"also from one", create_pr=True, parent_commit=start)
    add("a.txt", b"2")
    api.merge_pull_request("ecg-bench/data", 1, repo_type="dataset")
    assert hub.files("dataset", "ecg-bench/data") == {"a.txt": b"2", "b.txt": b"from a request"}
    for number in (1, 2):
        with pytest.raises(HfHubHTTPError) as error:
            api.merge_pull_request("ecg-bench/data", number, repo_type="dataset")
        assert error.value.response.status_code == 409


def test_gates(api: HfApi, hub: HubServer, tmp_path: Path) -> None:
    api.create_repo("ecg-bench/gated")
    api.upload_file(path_or_fileobj=b"1", path_in_repo="a.txt", repo_id="ecg-bench/gated")
    api.update_repo_settings("ecg-bench/gated", gated="manual")
    assert api.repo_info("ecg-bench/gated").gated == "manual"
    assert Path(api.hf_hub_download("ecg-bench/gated", "a.txt")).read_bytes() == b"1"
    for token in (False, "hf_read_only"):
        with pytest.raises(GatedRepoError):
            api.hf_hub_download("ecg-bench/gated", "a.txt", token=token, cache_dir=tmp_path)
    api.update_repo_settings("ecg-bench/gated", gated=False)
    assert api.repo_info("ecg-bench/gated").gated is False


def test_benchmarks_and_evaluation_results(api: HfApi) -> None:
    api.create_repo("ecg-bench/data", repo_type="dataset")
    api.upload_file(
        path_or_fileobj=b"name: x\n", path_in_repo="eval.yaml", repo_id="ecg-bench/data", repo_type="dataset"
    )
    for name, value in (("one", 0.7), ("two", 0.9)):
        api.create_repo(f"me/{name}")
        text = f"- dataset: {{id: ecg-bench/data, task_id: t}}\n  value: {value}\n".encode()
        api.upload_file(path_or_fileobj=text, path_in_repo=".eval_results/t.yaml", repo_id=f"me/{name}")
    (entry,) = api.model_info("me/one", expand=["evalResults"]).eval_results
    assert (entry.dataset_id, entry.task_id, entry.value) == ("ecg-bench/data", "t", 0.7)
    found = api.get_dataset_leaderboard("ecg-bench/data")
    assert [(row.rank, row.model_id, row.value) for row in found] == [(1, "me/two", 0.9), (2, "me/one", 0.7)]


def test_branches_can_be_deleted_and_spaces_created(api: HfApi) -> None:
    api.create_repo("ecg-bench/space", repo_type="space", space_sdk="gradio")
    api.upload_file(path_or_fileobj=b"1", path_in_repo="app.py", repo_id="ecg-bench/space", repo_type="space")
    assert api.space_info("ecg-bench/space").sdk == "gradio"
    api.create_branch("ecg-bench/space", branch="next", repo_type="space")
    api.create_branch("ecg-bench/space", branch="next", repo_type="space", exist_ok=True)
    api.delete_branch("ecg-bench/space", branch="next", repo_type="space")
    assert not api.revision_exists("ecg-bench/space", "next", repo_type="space")
    api.auth_check("ecg-bench/space", repo_type="space")


@pytest.mark.parametrize("status", [401, 403, 404, 409, 412, 422, 429, 500, 503])
def test_faults_come_as_often_as_asked(api: HfApi, hub: HubServer, status: int) -> None:
    api.create_repo("ecg-bench/model")
    hub.faults.append(Fault("GET", "/api/models/ecg-bench/model$", status=status, skip=1))
    api.repo_info("ecg-bench/model")
    with pytest.raises(HfHubHTTPError) as error:
        api.repo_info("ecg-bench/model")
    assert error.value.response.status_code == status
    api.repo_info("ecg-bench/model")


@pytest.mark.parametrize(("drop", "done"), [("before", False), ("upload", False), ("after", True), ("download", True)])
def test_connections_break_where_asked(api: HfApi, hub: HubServer, drop: Drop, done: bool) -> None:
    hub.faults.append(Fault("POST", "repos/create", drop=drop))
    with pytest.raises(HTTPError):
        api.create_repo("ecg-bench/model")
    assert (("models", "ecg-bench/model") in hub.repos) == done


def test_slow_answers(api: HfApi, hub: HubServer) -> None:
    api.create_repo("ecg-bench/model")
    hub.faults.append(Fault("GET", "/api/models/", seconds=0.2))
    with pytest.raises(HTTPError):
        api.model_info("ecg-bench/model", timeout=0.05)
    api.model_info("ecg-bench/model", timeout=5)

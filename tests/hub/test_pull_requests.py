"""Submissions as pull requests: opened after the checks, checked without trust, merged into the table."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from datasets import load_dataset
from huggingface_hub import HfApi

from hf_ecg_bench.cli.main import main
from hf_ecg_bench.errors import EcgBenchError
from hf_ecg_bench.hub.submission.pull_request import check_pull_request, merge_pull_request, parse_reference
from hf_ecg_bench.hub.submission.submit import submit
from tests.hub.runs import ptbxl_run
from tests.support.hub_faults import Fault
from tests.support.hub_server import HubServer

REPO = "ecg-bench/results"
PR = f"{REPO}@refs/pr/1"


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("submitted") / "runs"
    ptbxl_run(folder / "a")
    return folder


@pytest.fixture
def opened(hub: HubServer, honest: Path) -> str:
    """The address of a request, on an empty repository of results."""
    hub.store.create("datasets", REPO)
    return submit(honest, REPO, say=lambda line: None).pull_request


def problems(reference: str = PR, data: Path | None = None) -> dict[str, str]:
    done = check_pull_request(reference, data=data)
    return {check.name: check.found for report in done.reports for check in report.failed}


def offer(path: str, content: bytes) -> None:
    """One more file in the request."""
    HfApi().upload_file(
        path_or_fileobj=content, path_in_repo=path, repo_id=REPO, repo_type="dataset", revision="refs/pr/1"
    )


def run_folder(hub: HubServer, revision: str = "refs/pr/1") -> str:
    files = hub.files("dataset", REPO, revision)
    return next(name for name in files if name.endswith("/result.json")).removesuffix("/result.json")


def test_submitted_checked_and_merged(hub: HubServer, honest: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hub.store.create("datasets", REPO)
    assert main(["submit", str(honest), "--repo", REPO]) == 0
    assert capsys.readouterr().out.strip().endswith(f"{hub.url}/datasets/{REPO}/discussions/1")
    assert hub.files("dataset", REPO) == {}
    assert main(["submit", "--check", PR, "--json"]) == 0
    value = json.loads(capsys.readouterr().out)
    assert [report["passed"] for report in value["reports"]] == [True, True]
    folder = value["reports"][1]["folder"]
    assert main(["submit", "--check", PR, "--merge"]) == 0
    (row,) = load_dataset(REPO, split="train")
    assert row["folder"] == folder
    assert "| rows (a run and a task) | 1 |" in hub.files("dataset", REPO)["README.md"].decode()
    assert main(["submit", "--check", PR, "--merge"]) == 2, "it is in already"


def test_what_fails_is_not_uploaded(hub: HubServer, honest: Path, tmp_path: Path) -> None:
    shutil.copytree(honest, tmp_path / "runs")
    value = json.loads((tmp_path / "runs" / "a" / "result.json").read_text())
    value["metrics"]["metrics"]["macro_auroc"]["value"] = 0.99
    (tmp_path / "runs" / "a" / "result.json").write_text(json.dumps(value))
    done = submit(tmp_path / "runs", REPO)
    assert not done.passed
    assert not done.pull_request
    assert submit(honest, REPO, check_only=True).passed
    assert hub.requests == []


def test_tampering_after_the_checks(hub: HubServer, opened: str) -> None:
    assert problems() == {}
    folder = run_folder(hub)
    stored = hub.files("dataset", REPO, "refs/pr/1")[f"{folder}/result.json"]
    value = json.loads(stored)
    value["metrics"]["metrics"]["macro_auroc"]["value"] = 0.99
    offer(f"{folder}/result.json", json.dumps(value).encode())
    assert {"digests", "metrics"} <= set(problems())
    assert not merge_pull_request(PR).passed
    assert hub.files("dataset", REPO) == {}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("rows.parquet", "rows.parquet: not in a run's folder"),
        ("README.md", "README.md: not in a run's folder"),
        ("runs/x/result.json", "runs/x/result.json: not in a run's folder"),
        ("{run}/model.pkl", "model.pkl: does not belong to a run"),
        ("{run}/../../../../../../../x.json", "not a plain file name"),
        ("runs/a/b/c/d/e/<b>/result.json", "not a plain folder name"),
        ("{run}/a\nb.json", "not a plain file name"),
        ("runs/a/b/c/d/e/f/predictions.parquet", "no result.json"),
    ],
)
def test_files_that_no_request_should_bring(hub: HubServer, opened: str, path: str, found: str) -> None:
    offer("placeholder.json", b"{}")
    commit = hub.repos["datasets", REPO].resolve("refs/pr/1")
    files = dict(commit.files)
    blob = files.pop("placeholder.json")
    files[path.format(run=run_folder(hub))] = blob  # the client itself would not send such a name
    object.__setattr__(commit, "files", files)
    asked = len(hub.requests)
    assert found in problems()["request"]
    assert not any("/resolve/" in request.path for request in hub.requests[asked:]), "nothing is downloaded"


def test_a_huge_file_is_not_downloaded(hub: HubServer, opened: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("hf_ecg_bench.hub.submission.files", fromlist=["x"]).LARGEST, ".parquet", 1000)
    asked = len(hub.requests)
    assert "at most 0" in problems()["request"]
    assert not any("/resolve/" in request.path for request in hub.requests[asked:])


def test_what_is_there_is_not_replaced_or_deleted(hub: HubServer, opened: str, honest: Path) -> None:
    merge_pull_request(PR, say=lambda line: None)
    api = HfApi()
    folder = run_folder(hub, "main")
    name = f"{folder}/result.json"
    api.upload_file(path_or_fileobj=b"{}", path_in_repo=name, repo_id=REPO, repo_type="dataset", create_pr=True)
    assert "replaces a run that is there" in problems(f"{REPO}@refs/pr/2")["request"]
    api.delete_file(name, REPO, repo_type="dataset", create_pr=True)
    assert "result.json: deleted" in problems(f"{REPO}@refs/pr/3")["request"]
    assert "it changes nothing" in problems(f"{REPO}@main")["request"]


def test_requests_that_wait_while_others_are_merged(hub: HubServer, opened: str, tmp_path: Path) -> None:
    ptbxl_run(tmp_path / "b", seed=1)
    second = submit(tmp_path / "b", REPO, say=lambda line: None).pull_request
    assert second.endswith("/2")
    merge_pull_request(PR, say=lambda line: None)
    assert problems(f"{REPO}@refs/pr/2") == {}
    assert merge_pull_request(f"{REPO}@refs/pr/2", say=lambda line: None).passed
    assert len(load_dataset(REPO, split="train", download_mode="force_redownload")) == 2


def test_a_request_that_changes_while_it_is_checked(
    hub: HubServer, opened: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from hf_ecg_bench.hub.submission import pull_request

    check = pull_request.check_pull_request

    def slow(*arguments, **options):
        done = check(*arguments, **options)
        offer("rows.parquet", b"late")
        return done

    monkeypatch.setattr(pull_request, "check_pull_request", slow)
    with pytest.raises(EcgBenchError, match="changed while it was checked"):
        merge_pull_request(PR)
    assert hub.files("dataset", REPO) == {}


@pytest.mark.parametrize("text", ["ecg-bench/results", "a@b", "a/b@../x", "a/b@x y", "@refs/pr/1"])
def test_references(text: str) -> None:
    with pytest.raises(EcgBenchError):
        parse_reference(text)
    assert parse_reference(PR) == (REPO, "refs/pr/1")


def test_errors_on_the_way(hub: HubServer, opened: str) -> None:
    with pytest.raises(EcgBenchError, match="answered 404"):
        check_pull_request(f"{REPO}@refs/pr/9")
    with pytest.raises(EcgBenchError, match="is no pull request"):
        merge_pull_request(f"{REPO}@main")
    hub.faults.append(Fault("POST", "/merge", status=403))
    with pytest.raises(EcgBenchError, match="may not write there"):
        merge_pull_request(PR)


def test_weights_on_the_hub(hub: HubServer, trained: Path, tmp_path: Path, synthetic_folder: Path) -> None:
    from hf_ecg_bench.hub import push_folder
    from tests.hub.folders import write_model_folder

    hub.store.create("datasets", REPO)
    push_folder("model", trained, "me/s4", say=lambda line: None)
    options = {"data": synthetic_folder, "smoke": False, "say": lambda line: None}
    done = submit(trained, REPO, model_repo="me/s4", **options)
    assert done.pull_request
    manifest = json.loads(hub.files("dataset", REPO, "refs/pr/1")[f"{run_folder(hub)}/submission.json"])
    commit = hub.repos["models", "me/s4"].branches["main"]
    assert (manifest["model_repo"], manifest["model_revision"]) == ("me/s4", commit)
    found = {c.name: c.state for report in check_pull_request(PR, data=synthetic_folder).reports for c in report.checks}
    assert found["published weights"] == "passed"
    offer(f"{run_folder(hub)}/submission.json", json.dumps({**manifest, "model_revision": "main"}).encode())
    assert "no whole commit id" in problems(data=synthetic_folder)["published weights"]
    write_model_folder(tmp_path / "other")
    push_folder("model", tmp_path / "other", "me/other")
    refused = submit(trained, REPO, model_repo="me/other", **options)
    assert not refused.pull_request
    assert [check.name for check in refused.reports[0].failed] == ["published weights"]
    with pytest.raises(EcgBenchError, match="cannot look at model me/none"):
        submit(trained, REPO, model_repo="me/none", **options)


def test_a_request_without_a_list_of_its_files(hub: HubServer, opened: str) -> None:
    HfApi().delete_file(f"{run_folder(hub)}/submission.json", REPO, repo_type="dataset", revision="refs/pr/1")
    assert problems()["digests"] == "there is none"

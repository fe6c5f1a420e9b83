"""Results to the Hub and back: merged rows, nothing private, nothing of closed data, no weights."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from datasets import load_dataset

from hf_ecg_bench.cli.main import main
from hf_ecg_bench.errors import DownloadError, EcgBenchError, PredictionsError
from hf_ecg_bench.hub import fetch_results, push_folder
from hf_ecg_bench.hub.results.pushing import index_results
from hf_ecg_bench.results.rows import read_rows
from hf_ecg_bench.tasks import get_task
from hf_ecg_bench.tasks.version import task_version
from tests.hub.runs import ptbxl_run
from tests.support.hub_server import HubServer

REPO = "ecg-bench/results"


def names(hub: HubServer, revision: str = "main") -> set[str]:
    return {name.rsplit("/", 1)[-1] for name in hub.files("dataset", REPO, revision)}


def test_round_trip(hub: HubServer, tmp_path: Path) -> None:
    result = ptbxl_run(tmp_path / "runs" / "a")
    (tmp_path / "runs" / "a" / "model").mkdir()
    (tmp_path / "runs" / "a" / "model" / "model.safetensors").write_bytes(b"weights")
    (tmp_path / "runs" / "a" / "run.json").write_text("{}")
    assert push_folder("results", tmp_path / "runs") == f"{hub.url}/datasets/{REPO}"
    expected = {"README.md", "rows.parquet", "result.json", "predictions.parquet", "submission.json"}
    assert names(hub) == expected
    (row,) = load_dataset(REPO, split="train")
    assert (row["model"], row["task"], row["value"]) == (
        "s4",
        "ptbxl_super",
        result.metrics["metrics"]["macro_auroc"]["value"],
    )
    fetched = fetch_results(REPO)
    assert fetched.revision == hub.repos["datasets", REPO].branches["main"]
    (found,), unreadable = read_rows(fetched.folder)
    assert not unreadable
    assert found.folder == row["folder"]
    assert found.predictions_digest == row["predictions_digest"]
    manifest = json.loads((Path(fetched) / row["folder"] / "submission.json").read_text())
    assert manifest["task_version"] == task_version(get_task("ptbxl_super"))
    assert manifest["files"]["predictions.parquet"]["sha256"] == row["predictions_digest"]


def test_pinned_and_offline(hub: HubServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ptbxl_run(tmp_path / "a")
    push_folder("results", tmp_path / "a", "me/pinned")
    first = fetch_results("me/pinned")
    ptbxl_run(tmp_path / "b", seed=1)
    push_folder("results", tmp_path / "b", "me/pinned", tag="v2")
    assert len(read_rows(fetch_results("me/pinned").folder)[0]) == 2
    assert fetch_results("me/pinned", "v2").revision == hub.repos["datasets", "me/pinned"].branches["main"]
    asked = len(hub.requests)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert fetch_results("me/pinned", first.revision) == first
    assert len(read_rows(first.folder)[0]) == 1
    assert len(hub.requests) == asked
    with pytest.raises(DownloadError, match="no copy"):
        fetch_results("me/never-seen")


def test_a_second_push_keeps_the_rows_of_others_and_replaces_its_own(hub: HubServer, tmp_path: Path) -> None:
    ptbxl_run(tmp_path / "one" / "a")
    push_folder("results", tmp_path / "one")
    ptbxl_run(tmp_path / "two" / "b", model="net1d")
    push_folder("results", tmp_path / "two")
    rows = load_dataset(REPO, split="train").to_pandas()
    assert list(rows.model) == ["net1d", "s4"]
    head = hub.repos["datasets", REPO].branches["main"]
    push_folder("results", tmp_path / "two")
    assert hub.repos["datasets", REPO].branches["main"] == head, "the same again makes no commit"
    ptbxl_run(tmp_path / "two" / "b", model="net1d", skill=3.0)
    push_folder("results", tmp_path / "two")
    again = load_dataset(REPO, split="train").to_pandas()
    assert list(again.folder) == list(rows.folder)
    assert again.value[0] > rows.value[0]
    assert again.value[1] == rows.value[1]


def test_two_at_once(hub: HubServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another push lands between reading the table and committing: its row is in the table all the same."""
    from hf_ecg_bench.hub.results import pushing

    ptbxl_run(tmp_path / "one")
    ptbxl_run(tmp_path / "two", model="net1d")
    merged, calls = pushing.merged_rows, []

    def interrupted(*arguments: Any, **options: Any) -> Any:
        rows = merged(*arguments, **options)
        calls.append(len(rows))
        if len(calls) == 1:
            push_folder("results", tmp_path / "two")
        return rows

    push_folder("results", tmp_path / "one", tag="start")
    hub.reset()
    monkeypatch.setattr(pushing, "merged_rows", interrupted)
    push_folder("results", tmp_path / "one")
    assert len(calls) == 3
    assert sorted(load_dataset(REPO, split="train")["model"][:]) == ["net1d", "s4"]


def test_pull_requests_do_not_meet(hub: HubServer, tmp_path: Path) -> None:
    """They hold run folders alone, so all can be merged; the next push (or index) gives them their rows."""
    from huggingface_hub import HfApi

    ptbxl_run(tmp_path / "mine")
    push_folder("results", tmp_path / "mine")
    for number, model in enumerate(("net1d", "st_mem"), start=1):
        ptbxl_run(tmp_path / model, model=model)
        assert push_folder("results", tmp_path / model, create_pr=True).endswith(f"/discussions/{number}")
    for number in (1, 2):
        HfApi().merge_pull_request(REPO, number, repo_type="dataset")
    assert len(load_dataset(REPO, split="train")) == 1
    index_results(REPO, say=lambda line: None)
    rows = load_dataset(REPO, split="train").to_pandas()
    assert list(rows.model) == ["net1d", "s4", "st_mem"]
    fetched, _ = read_rows(fetch_results(REPO).folder)
    assert {row.folder: row.predictions_digest for row in fetched} == dict(
        zip(rows.folder, rows.predictions_digest, strict=True)
    )


def test_private_texts_are_taken_out(hub: HubServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    token = "hf_" + "Secret" * 4
    monkeypatch.setenv("HF_TOKEN", token)
    monkeypatch.setenv("HOME", "/nfs/annaberg")
    secret = f"hf-ecg-bench run --data /nfs/annaberg/ecg-bench/ptbxl --token {token} --output-dir /lustre/annaberg/r"
    ptbxl_run(tmp_path / "a", environment={"command": secret, "hostname": "node-7", "packages": {}})
    said: list[str] = []
    push_folder("results", tmp_path / "a", say=said.append)
    for name, content in hub.files("dataset", REPO).items():
        assert token.encode() not in content, name
        assert b"annaberg" not in content, name
        assert b"node-7" not in content, name
    (line,) = said
    assert "taken out before the push: 1 host (environment.hostname)" in line
    assert "2 paths (environment.command), 1 token (environment.command)" in line
    assert token not in line
    stored = next(content for name, content in hub.files("dataset", REPO).items() if name.endswith("result.json"))
    assert "run --data ecg-bench/ptbxl --token [token]" in json.loads(stored)["environment"]["command"]


@pytest.mark.parametrize(
    ("task", "dataset"), [("mimic_age", "mimic_iv_ecg"), ("ptbxl_super", "mimic_iv_ecg"), ("ptbxl_super", "unheard")]
)
def test_records_of_closed_data_stay(hub: HubServer, tmp_path: Path, task: str, dataset: str) -> None:
    ptbxl_run(tmp_path / "a", task=task, dataset={"id": dataset, "digest": "5f3c" * 16, "records": {"test": 300}})
    said: list[str] = []
    push_folder("results", tmp_path / "a", say=said.append)
    assert names(hub) == {"README.md", "rows.parquet", "result.json", "submission.json"}
    assert any(line.startswith("without predictions") and dataset in line for line in said)
    assert not any(b"rec00000" in content or b"pat00000" in content for content in hub.files("dataset", REPO).values())
    manifest = next(c for n, c in hub.files("dataset", REPO).items() if n.endswith("submission.json"))
    assert dataset in json.loads(manifest)["withheld"]
    assert load_dataset(REPO, split="train")["predictions_digest"][:] == [""]


def test_evaluations_go_along_where_both_datasets_are_open(hub: HubServer, tmp_path: Path) -> None:
    ptbxl_run(tmp_path / "a")
    for name, dataset in (("georgia", "georgia"), ("mimic_iv_ecg", "mimic_iv_ecg"), ("echonext", "georgia")):
        folder = tmp_path / "a" / "evaluations" / name
        folder.mkdir(parents=True)
        content = {"schema_version": 1, "dataset": {"id": dataset, "source": "/nfs/anna/x"}}
        (folder / "evaluation.json").write_text(json.dumps(content))
        (folder / "predictions.parquet").write_bytes((tmp_path / "a" / "predictions.parquet").read_bytes())
    push_folder("results", tmp_path / "a", say=lambda line: None)
    files = [name.split("/evaluations/")[1] for name in hub.files("dataset", REPO) if "/evaluations/" in name]
    assert sorted(files) == [
        "echonext/evaluation.json", "georgia/evaluation.json", "georgia/predictions.parquet",
        "mimic_iv_ecg/evaluation.json",
    ]  # fmt: skip
    assert not any(b"/nfs/anna" in content for content in hub.files("dataset", REPO).values())


def test_names_in_the_card_are_only_text(hub: HubServer, tmp_path: Path) -> None:
    ptbxl_run(tmp_path / "a", model="<script>alert(1)</script>|[x](javascript:y)` # no")
    push_folder("results", tmp_path / "a")
    card = hub.files("dataset", REPO)["README.md"].decode()
    assert "<script" not in card
    assert r"\|\[x\]" in card
    (folder,) = {name.split("/")[1] for name in hub.files("dataset", REPO) if name.startswith("runs/")}
    assert folder == "script-alert-1-script-x-javascript-y-no"


def test_a_broken_table_is_written_anew(hub: HubServer, tmp_path: Path) -> None:
    ptbxl_run(tmp_path / "a")
    push_folder("results", tmp_path / "a")
    from huggingface_hub import HfApi

    HfApi().upload_file(path_or_fileobj=b"no", path_in_repo="rows.parquet", repo_id=REPO, repo_type="dataset")
    ptbxl_run(tmp_path / "b", seed=4)
    said: list[str] = []
    push_folder("results", tmp_path / "b", say=said.append)
    assert "rows.parquet of ecg-bench/results is written anew" in said[0]
    assert sorted(load_dataset(REPO, split="train")["seed"][:]) == [0, 4]


def test_what_cannot_be_pushed(hub: HubServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["push", "results", str(tmp_path)]) == 2
    assert "no result.json at or below" in capsys.readouterr().err
    ptbxl_run(tmp_path / "bad")
    (tmp_path / "bad" / "result.json").write_text("{")
    with pytest.raises(EcgBenchError, match="no result that can be pushed"):
        push_folder("results", tmp_path, say=lambda line: None)
    ptbxl_run(tmp_path / "good")
    said: list[str] = []
    push_folder("results", tmp_path, say=said.append)
    assert said[0].startswith("left out: ")
    assert len(load_dataset(REPO, split="train")) == 1
    hub.store.create("datasets", "me/empty")
    with pytest.raises(DownloadError, match="holds no results"):
        fetch_results("me/empty")
    ptbxl_run(tmp_path / "odd", model="a\nb")
    with pytest.raises(PredictionsError, match="control characters"):
        push_folder("results", tmp_path / "odd")
    assert len(load_dataset(REPO, split="train")) == 1


def test_rows_of_version_1_get_their_settings(hub: HubServer, tmp_path: Path) -> None:
    ptbxl_run(tmp_path / "a")
    push_folder("results", tmp_path / "a")
    from huggingface_hub import HfApi, hf_hub_download

    table = pq.read_table(hf_hub_download(REPO, "rows.parquet", repo_type="dataset")).drop_columns(["settings"])
    at = table.column_names.index("row_version")
    old = tmp_path / "rows.parquet"
    pq.write_table(table.set_column(at, "row_version", pa.array([1] * len(table), pa.int64())), old)
    HfApi().upload_file(path_or_fileobj=old, path_in_repo="rows.parquet", repo_id=REPO, repo_type="dataset")
    ptbxl_run(tmp_path / "b", seed=4)
    push_folder("results", tmp_path / "b")
    rows = load_dataset(REPO, split="train").to_pandas()
    assert sorted(rows.seed) == [0, 4]
    assert set(rows.row_version) == {2}
    assert rows.settings.nunique() == 1
    assert rows.settings.str.len().min() == 12

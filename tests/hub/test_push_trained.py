"""Models with the results of their runs: model-index and .eval_results that the Hub's own client reads."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
import yaml
from huggingface_hub import HfApi, ModelCard, parse_eval_result_entries

from hf_ecg_bench.errors import CheckpointError, PredictionsError
from hf_ecg_bench.hub import push_folder
from hf_ecg_bench.hub.models.evaluations import evaluation_files, model_index
from hf_ecg_bench.hub.models.facts import model_facts
from hf_ecg_bench.models.loading import load_model
from hf_ecg_bench.models.resolve import weights_digest
from hf_ecg_bench.results.schema import Result
from tests.hub.folders import write_model_folder
from tests.hub.runs import ptbxl_run
from tests.support.hub_server import HubServer

REPO = "me/s4-synthetic"


def push(folder: Path, repo: str = REPO, **options: object) -> list[str]:
    """What was said."""
    said: list[str] = []
    push_folder("model", folder, repo, say=said.append, **options)  # type: ignore[arg-type]
    return said


@pytest.mark.parametrize("below", ["", "model"])
def test_a_trained_model(hub: HubServer, trained: Path, synthetic_folder: Path, below: str) -> None:
    push_folder("dataset", synthetic_folder, "ecg-bench/synthetic")
    commit = hub.repos["datasets", "ecg-bench/synthetic"].branches["main"]
    said = push(trained / below)
    assert any("no licence is stated" in line for line in said)
    result = Result.load(trained)
    data = ModelCard.load(REPO).data
    assert (data.library_name, data.pipeline_tag, data.model_name) == ("transformers", "other", "s4-synthetic")
    assert data.datasets == ["ecg-bench/synthetic"]
    assert {"roc_auc", "mae"} <= set(data.metrics)
    by_name = {entry.metric_config: entry for entry in data.eval_results}
    for name in ("macro_auroc", "pooled_mae", "composite"):
        entry, expected = by_name[name], result.metrics["metrics"][name]
        assert entry.metric_value == expected["value"]
        assert (entry.metric_args["low"], entry.metric_args["high"]) == (expected["low"], expected["high"])
        assert (entry.dataset_type, entry.dataset_revision) == ("ecg-bench/synthetic", commit)
        assert entry.dataset_args["digest"] == result.dataset["digest"]
        assert entry.source_url == f"{hub.url}/{REPO}/blob/main/result.json"
    files = hub.files("model", REPO)
    (own,) = parse_eval_result_entries(yaml.safe_load(files[".eval_results/synthetic.yaml"]))
    assert (own.dataset_id, own.task_id, own.dataset_revision) == ("ecg-bench/synthetic", "synthetic", commit)
    assert own.value == result.metrics["metrics"]["macro_auroc"]["value"]
    (listed,) = HfApi().get_dataset_leaderboard("ecg-bench/synthetic")
    assert (listed.model_id, listed.value) == (REPO, own.value)
    assert json.loads(files["result.json"])["metrics"] == json.loads((trained / "result.json").read_text())["metrics"]
    card = files["README.md"].decode()
    for fact in (weights_digest(trained / "model"), result.dataset["digest"], commit, "trained from scratch", "NORM"):
        assert fact in card
    assert str(trained) not in "".join(text.decode() for name, text in files.items() if not name.endswith("tensors"))


def test_it_loads_back_at_its_revision(hub: HubServer, trained: Path, tmp_path: Path) -> None:
    push(trained, tag="v1")
    assert b"/blob/v1/result.json" in hub.files("model", REPO)[".eval_results/synthetic.yaml"], "what a tag names stays"
    own = load_model(trained / "model").eval()
    push(others(trained, tmp_path / "others"))
    windows = torch.linspace(-1, 1, 12 * 250).reshape(1, 12, 250)
    with torch.no_grad():
        assert torch.equal(load_model(REPO, revision="v1").eval()(windows).logits, own(windows).logits)
        assert not torch.equal(load_model(REPO).eval()(windows).logits, own(windows).logits)
    with pytest.raises(CheckpointError, match="no revision v2"):
        load_model(REPO, revision="v2")
    with pytest.raises(CheckpointError, match="no repository on the Hub"):
        load_model(trained / "model", revision="v1")
    assert ".eval_results/synthetic.yaml" not in hub.files("model", REPO), "they spoke of other weights"


def others(trained: Path, folder: Path) -> Path:
    """Other weights of the same model, without a run."""
    model = load_model(trained / "model")
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(1.5)
    model.save_pretrained(folder)
    return folder


def test_a_dataset_that_is_not_there_pins_no_commit(hub: HubServer, trained: Path) -> None:
    push(trained)
    (entry,) = yaml.safe_load(hub.files("model", REPO)[".eval_results/synthetic.yaml"])
    assert "revision" not in entry["dataset"]
    assert "data digest" in entry["notes"]


def test_bases_and_licences(trained: Path, tmp_path: Path) -> None:
    result = Result.load(trained)
    shutil.copytree(trained / "model", tmp_path / "model")
    config = json.loads((tmp_path / "model" / "config.json").read_text())

    def facts(model_type: str, mode: str, **model: object):
        values = replace(result, mode=mode, model={**result.model, **model})
        return model_facts("me/x", tmp_path / "model", {**config, "model_type": model_type}, values, None)

    digest = "ab" * 32
    founder = facts("ecg_founder", "finetune", source="ecg_founder", digest=digest, revision=None)
    assert (founder.base, founder.base_digest, founder.license) == ("ecg-bench/ecg-founder", digest, "other")
    assert "no licence" in founder.warnings[0]
    mem = facts("st_mem", "frozen", source="me/st-mem", digest=digest, revision="c" * 40)
    assert (mem.base, mem.base_revision, mem.license) == ("me/st-mem", "c" * 40, "cc-by-nc-4.0")
    assert "non-commercial use only" in mem.warnings[0]
    assert facts("st_mem", "scratch").license is None
    assert facts("st_mem", "finetune", source="runs/mine", revision=None).base is None
    closed = replace(result, dataset={**result.dataset, "id": "mimic_iv_ecg"})
    (warning,) = model_facts("me/x", tmp_path / "model", config, closed, None).warnings
    assert "trained on mimic_iv_ecg, which is credentialed data" in warning


def test_the_own_card_stays(hub: HubServer, trained: Path, tmp_path: Path) -> None:
    shutil.copytree(trained, tmp_path / "run")
    card = "---\nlicense: mit\ntags: [mine]\npipeline_tag: feature-extraction\n---\n# My words\n"
    (tmp_path / "run" / "model" / "README.md").write_text(card)
    assert not any("no licence" in line for line in push(tmp_path / "run"))
    found = ModelCard.load(REPO)
    assert (found.data.license, found.data.pipeline_tag) == ("mit", "feature-extraction")
    assert {"mine", "ecg", "s4"} <= set(found.data.tags)
    assert "# My words" in found.text
    assert "## Training and results" in found.text
    (tmp_path / "run" / "model" / "README.md").write_text("---\n- a list\n---\n# My words\n")
    with pytest.raises(CheckpointError, match="no mapping"):
        push(tmp_path / "run")


def test_a_backbone_gets_the_projects_card(hub: HubServer, tmp_path: Path) -> None:
    write_model_folder(tmp_path, model_type="st_mem", architectures=["StMemModel"])
    (tmp_path / "README.md").unlink()
    said = push(tmp_path, "me/st-mem")
    assert any("non-commercial use only" in line for line in said)
    found = ModelCard.load("me/st-mem")
    assert (found.data.license, found.data.pipeline_tag) == ("cc-by-nc-4.0", "feature-extraction")
    assert "## Citation" in found.text
    assert not found.data.eval_results


def test_a_broken_result_is_said(hub: HubServer, trained: Path, tmp_path: Path) -> None:
    shutil.copytree(trained, tmp_path / "run")
    (tmp_path / "run" / "result.json").write_text("{}")
    with pytest.raises(PredictionsError, match="schema_version"):
        push(tmp_path / "run" / "model")
    assert hub.requests == []


def test_parts_of_a_task_have_results_of_their_own(trained: Path, tmp_path: Path) -> None:
    part = ptbxl_run(tmp_path / "part")
    whole = replace(
        ptbxl_run(tmp_path / "whole", task="ptbxl_all", labels=("A", "B")),
        slices={"ptbxl_super": {"metrics": part.metrics, "n_excluded": 0}},
    )
    config = json.loads((trained / "model" / "config.json").read_text())
    facts = model_facts("me/x", trained / "model", config, whole, "c" * 40)
    files = evaluation_files(facts, "https://example.org/result.json")
    assert list(files) == ["ptbxl_all", "ptbxl_super"]
    (entry,) = parse_eval_result_entries(yaml.safe_load(files["ptbxl_super"]))
    assert (entry.value, entry.dataset_revision) == (part.metrics["metrics"]["macro_auroc"]["value"], "c" * 40)
    (index,) = model_index(facts, "https://example.org/result.json")
    assert [item["dataset"]["args"]["task"] for item in index["results"]] == ["ptbxl_all", "ptbxl_super"]


def test_undefined_metrics_are_left_out(trained: Path, tmp_path: Path) -> None:
    result = ptbxl_run(tmp_path / "run")
    for estimate in result.metrics["metrics"].values():
        estimate["value"] = None
    config = json.loads((trained / "model" / "config.json").read_text())
    facts = model_facts("me/x", trained / "model", config, result, None)
    assert model_index(facts, "https://example.org") == []
    assert evaluation_files(facts, "https://example.org") == {}


def test_the_commit_that_the_run_itself_has_read(hub: HubServer, trained: Path, tmp_path: Path) -> None:
    shutil.copytree(trained, tmp_path / "run")
    value = json.loads((tmp_path / "run" / "result.json").read_text())
    for source, expected in (("ecg-bench/synthetic", "d" * 40), ("me/synthetic", None)):
        value["dataset"] |= {"source": source, "revision": "d" * 40}
        (tmp_path / "run" / "result.json").write_text(json.dumps(value))
        push(tmp_path / "run")
        (entry,) = yaml.safe_load(hub.files("model", REPO)[".eval_results/synthetic.yaml"])
        assert entry["dataset"].get("revision") == expected

"""`info MODEL` tells all: what is declared, what follows from the architecture, and where the weights are."""

from __future__ import annotations

import json

import pytest

from hf_ecg_bench.cli.main import main
from hf_ecg_bench.cli.model_info import describe, model_info
from hf_ecg_bench.models.overlaps import TEST_SETS
from hf_ecg_bench.models.registry import get_model_spec, list_models
from hf_ecg_bench.models.resolve import convert_into_cache
from tests.models.small_founder import FILE, SPEC_MODULE, small_spec, write_checkpoint

#: Tokens and width at the benchmark's window.
SHAPES = {
    "ecg_cpc": (300, 512),
    "ecg_fm": (156, 768),
    "ecg_founder": (5, 1024),
    "ecg_jepa": (400, 768),
    "ecgfm_ked": (157, 768),
    "hubert_ecg": (93, 768),
    "merl": (79, 512),
    "net1d": (5, 1024),
    "s4": (250, 512),
    "st_mem": (96, 768),
}


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_ECG_BENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("model_id", list_models())
def test_everything_is_there(model_id):
    spec = get_model_spec(model_id)
    info = model_info(spec)
    json.dumps(info)
    assert (info["output"]["tokens"], info["output"]["width"]) == SHAPES[model_id]
    assert set(info["overlaps"]) == (set(TEST_SETS) if spec.pretrained else set())
    text = describe(info)
    for part in (spec.title, f"{spec.parameters:,}", f"{spec.sampling_rate} Hz", "LoRA targets", "weights here"):
        assert part in text
    assert ("WARNING" in text) == bool(spec.license_warning)
    assert all(f"--fault {fault.id}" in text for fault in spec.faults)
    assert max(map(len, text.splitlines())) <= 120


def test_where_the_weights_are(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(f"{SPEC_MODULE}.SPEC", small_spec())
    assert main(["info", "ecg_founder"]) == 0
    text = " ".join(capsys.readouterr().out.split())
    assert "not on this machine" in text
    assert "hf-ecg-bench convert ecg_founder --checkpoint tiny.pth" in text
    entry = convert_into_cache("ecg_founder", write_checkpoint(tmp_path / FILE), "a test")
    assert main(["info", "ecg_founder", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["model"]["weights"]["folder"] == str(entry.folder)
    assert main(["list", "models", "--json"]) == 0
    cached = {row["id"]: row["cached"] for row in json.loads(capsys.readouterr().out)}
    assert (cached["ecg_founder"], cached["s4"]) == ("yes", "-")

"""FSDP and DeepSpeed: Accelerate's configuration is left alone; what cannot be saved is refused before training."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from hf_ecg_bench.errors import TrainingError
from hf_ecg_bench.files import sha256_file
from hf_ecg_bench.training.surviving.sharding import check_sharding
from tests.training.small_trainer import small_trainer


def trainer(fsdp: int | None = None, zero: int | None = None) -> SimpleNamespace:
    state = SimpleNamespace(
        fsdp_plugin=SimpleNamespace(fsdp_version=fsdp), deepspeed_plugin=SimpleNamespace(zero_stage=zero)
    )
    return SimpleNamespace(
        is_fsdp_enabled=fsdp is not None,
        is_deepspeed_enabled=zero is not None,
        accelerator=SimpleNamespace(state=state),
    )


def test_what_cannot_be_saved_is_refused():
    said: list[str] = []
    for allowed in ({}, {"fsdp": 2}, {"zero": 1}, {"zero": 2}):
        check_sharding(trainer(**allowed), said.append)
    assert said == []
    with pytest.raises(TrainingError, match="fsdp_version: 2"):
        check_sharding(trainer(fsdp=1), said.append)
    with pytest.raises(TrainingError, match="zero_stage: 2"):
        check_sharding(trainer(zero=3), said.append)


def test_accelerate_has_no_fsdp_on_a_cpu_and_that_is_said(tmp_path, monkeypatch):
    monkeypatch.setenv("ACCELERATE_USE_FSDP", "true")
    monkeypatch.setenv("FSDP_VERSION", "2")
    said: list[str] = []
    check_sharding(small_trainer(tmp_path), said.append)
    assert said == [
        "note: Accelerate does without FSDP here (it is for several GPUs): each process has the whole model"
    ]


def test_spread_weights_are_saved_whole(zygote, tmp_path):
    children = zygote.launch("tests.training.launched:shard", str(tmp_path))
    assert [child.wait() for child in children] == [0, 0], "\n".join(child.said() for child in children)
    before, after = (sha256_file(tmp_path / name / "model.safetensors") for name in ("before", "after"))
    assert before == after
    assert (tmp_path / "before" / "config.json").read_bytes() == (tmp_path / "after" / "config.json").read_bytes()

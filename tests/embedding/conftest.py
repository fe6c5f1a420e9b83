"""A tiny converted ECGFounder in a cache of its own, and the folder of a trained classifier."""

from __future__ import annotations

import pytest

from tests.models.small_founder import FILE, SPEC_MODULE, small_spec, write_checkpoint


@pytest.fixture
def founder(tmp_path, monkeypatch):
    """After it, the name `ecg_founder` means the tiny one."""
    from hf_ecg_bench.models.resolve import convert_into_cache

    monkeypatch.setenv("HF_ECG_BENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(f"{SPEC_MODULE}.SPEC", small_spec())
    monkeypatch.chdir(tmp_path)
    return convert_into_cache("ecg_founder", write_checkpoint(tmp_path / FILE), "a test")

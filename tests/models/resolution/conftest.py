"""Each test starts with an empty working directory, cache and Hub, and a tiny ECGFounder to be found."""

from __future__ import annotations

import pytest

from hf_ecg_bench.downloads import retries
from tests.models.small_founder import FILE, SPEC_MODULE, small_spec, write_checkpoint
from tests.support.file_server import FileServer


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch, hub):
    """An empty working directory, cache and Hub; no waiting between attempts."""
    monkeypatch.setenv("HF_ECG_BENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(retries.time, "sleep", lambda seconds: None)
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    hub.reset()
    yield tmp_path
    hub.reset()


@pytest.fixture
def checkpoint(tmp_path):
    return write_checkpoint(tmp_path / FILE)


@pytest.fixture
def server():
    server = FileServer()
    yield server
    server.close()


@pytest.fixture
def spec(monkeypatch):
    """Declares the tiny ECGFounder with a source."""

    def use(source=None, **changes):
        declared = small_spec(source, **changes)
        monkeypatch.setattr(f"{SPEC_MODULE}.SPEC", declared)
        return declared

    return use

"""Shared fixtures. The environment of the Hugging Face libraries is set first: they read it when they are imported."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path

import pytest

assert "huggingface_hub" not in sys.modules, (
    "a pytest plugin imported huggingface_hub before conftest could set its environment"
)

from tests.support.hub_server import start_hub_server  # noqa: E402  (standard library only)

HUB = start_hub_server()
_HOME = tempfile.mkdtemp(prefix="hf_ecg_bench_tests_")
os.environ.update(
    HF_ENDPOINT=HUB.url,
    HF_TOKEN="hf_test_token",
    HF_HOME=_HOME,
    HF_HUB_DISABLE_XET="1",
    HF_HUB_DISABLE_TELEMETRY="1",
    HF_HUB_DISABLE_PROGRESS_BARS="1",
    HF_ECG_BENCH_CACHE=os.path.join(_HOME, "converted"),
    HF_ECG_BENCH_NO_PROGRESS="1",
    MPLBACKEND="Agg",
    TOKENIZERS_PARALLELISM="false",
)

ROOT = Path(__file__).resolve().parent.parent


def pytest_sessionfinish() -> None:
    """Half a GB of caches. Not by `atexit`, which forked children would run as well."""
    shutil.rmtree(_HOME, ignore_errors=True)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The developers' folder of oracles, fixtures and real recordings; tests that need it skip where it is absent."""
    folder = Path(os.environ.get("HF_ECG_BENCH_SHARED", ROOT.parent / "shared"))
    if not (folder / "oracles").is_dir():
        pytest.skip(f"no shared folder at {folder} (it is for developers; HF_ECG_BENCH_SHARED points elsewhere)")
    return folder


@pytest.fixture(scope="session")
def hub():
    """The Hub on loopback that HF_ENDPOINT points at."""
    return HUB


@pytest.fixture(scope="session")
def synthetic_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small prepared copy of the embedded dataset."""
    from hf_ecg_bench.data.prepare import prepare

    folder = tmp_path_factory.mktemp("data") / "ecg-bench" / "synthetic"
    prepare("synthetic", raw_dir=None, output_dir=folder, options={"n_records": "320"})
    return folder

"""An empty Hub for each test of pushing, and one real run for those that need a model."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.hub_server import HubServer


@pytest.fixture(autouse=True)
def _empty_hub(hub: HubServer) -> None:
    hub.reset()


@pytest.fixture(scope="session")
def trained(synthetic_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a small finished run on the embedded data. Copy it before you change it."""
    from hf_ecg_bench.training.run import run
    from tests.training.small import small_spec

    folder = tmp_path_factory.mktemp("trained") / "s4"
    run(small_spec(synthetic_folder, folder, n_resamples=100, overrides={"epochs": 1}), say=lambda line: None)
    return folder

"""Small converted models with windows of different lengths, and a feature store of their own."""

from __future__ import annotations

import pytest
import torch

from tests.training.conftest import quick_collections  # noqa: F401
from tests.training.small import small_spec


@pytest.fixture(scope="package", autouse=True)
def cache(tmp_path_factory):
    """The feature stores of these tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_ECG_BENCH_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="package")
def founders(tmp_path_factory):
    """Folders as `convert` writes them, of narrow ECGFounders of 2.5 s, 5 s and 10 s."""
    from hf_ecg_bench.models.loading import load_model
    from hf_ecg_bench.models.saving import save_model

    root, folders = tmp_path_factory.mktemp("models"), {}
    for seconds in (2.5, 5.0, 10.0):
        torch.manual_seed(int(seconds))
        model = load_model(
            "ecg_founder", pretrained=False, base_width=16, widths=[16, 32], depths=[1, 1], window_seconds=seconds
        )
        folders[seconds] = save_model(model, root / f"founder{seconds:g}")
    return folders


@pytest.fixture(scope="package")
def combined_spec(founders, synthetic_folder):
    """(output folder, windows' seconds of the members, changes) -> a run of them."""

    def spec(output_dir, seconds=(2.5, 10.0), **changes):
        values = {
            "mode": "linear",
            "model_options": {},
            "limit": 64,
            "n_resamples": 20,
            "examples": 0,
            "model": ",".join(str(founders[s]) for s in seconds),
            **changes,
        }
        return small_spec(synthetic_folder, output_dir, **values)

    return spec

"""A run by a model's name knows the weights that it adapts."""

from __future__ import annotations

import os
import shutil

import pytest

from hf_ecg_bench.errors import DownloadError, TrainingError
from hf_ecg_bench.files import sha256_file
from hf_ecg_bench.models import cache
from hf_ecg_bench.models.resolve import convert_into_cache
from tests.models.resolution.published import (
    ON_HUB,
    publish,
)
from tests.models.small_founder import FILE, write_checkpoint


def test_run_knows_the_weights_it_starts_from(spec, checkpoint, hub, tmp_path):
    from hf_ecg_bench.training.digests import input_digests
    from hf_ecg_bench.training.spec import RunSpec

    publish(hub, ON_HUB.location, {FILE: checkpoint.read_bytes()})
    spec(ON_HUB)

    def digest(mode: str, model: str = "ecg_founder", **options) -> str | None:
        return input_digests(RunSpec(model, "synthetic", mode, tmp_path / "run", **options), "synthetic")["model"]

    assert digest("scratch") is None
    assert cache.entries("ecg_founder") == []
    fetched = digest("linear")
    folder = cache.entries("ecg_founder")[0].folder
    assert fetched == sha256_file(folder / "model.safetensors") == digest("frozen", str(folder))
    assert digest("linear", "s4") is None


def test_download_errors_are_errors_of_the_command(spec, capsys):
    from hf_ecg_bench.cli.main import main

    assert issubclass(DownloadError, Exception)
    spec(ON_HUB)
    code = main(["run", "--model", "ecg_founder", "--task", "synthetic", "--mode", "linear", "--output-dir", "run"])
    assert code == 2
    assert "no weights for ecg_founder" in capsys.readouterr().err
    assert not os.path.exists("run")


def test_a_run_by_name_says_which_weights_it_adapted(spec, checkpoint, synthetic_folder, capsys):
    from hf_ecg_bench.training.run import run
    from hf_ecg_bench.training.spec import RunSpec

    spec()
    entry = convert_into_cache("ecg_founder", checkpoint, "a test")
    asked = RunSpec(
        "ecg_founder", "synthetic", "linear", cache.cache_root() / "run", data=str(synthetic_folder),
        overrides={"epochs": 1, "batch_size": 32}, limit=64, n_resamples=20, examples=1,
    )  # fmt: skip
    result = run(asked, say=lambda message: None)
    assert result.model["id"] == result.model["source"] == "ecg_founder"
    assert result.model["digest"] == sha256_file(entry.folder / "model.safetensors")
    assert result.model["checkpoint_digest"] == entry.sha256
    said: list[str] = []
    run(asked, say=said.append)
    assert "nothing to do" in said[0]
    convert_into_cache("ecg_founder", write_checkpoint(checkpoint.with_name("other.pth"), seed=5), "a test")
    shutil.rmtree(entry.folder)
    with pytest.raises(TrainingError, match="holds another run"):
        run(asked, say=said.append)

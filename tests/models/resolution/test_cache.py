"""The cache of converted models: archives, sizes, choices, damage, killed conversions."""

from __future__ import annotations

import os
import signal
import zipfile
from dataclasses import replace

import pytest
import torch

from hf_ecg_bench.errors import CheckpointError, EcgBenchError
from hf_ecg_bench.files import sha256_file
from hf_ecg_bench.models import cache
from hf_ecg_bench.models.loading import load_model
from hf_ecg_bench.models.resolve import convert_into_cache, resolve_model
from hf_ecg_bench.models.spec import Source
from tests.models.resolution.published import (
    ON_FIGSHARE,
    PAGE,
    same_weights,
)
from tests.models.small_founder import FILE, SPEC_MODULE, backbone, write_checkpoint


def test_an_archive_fetched_by_hand_is_converted_as_it_is(spec, checkpoint, tmp_path):
    spec(ON_FIGSHARE)
    with zipfile.ZipFile(tmp_path / "tiny.zip", "w") as archive:
        archive.write(checkpoint, "run/tiny.pth")
    entry = convert_into_cache("ecg_founder", tmp_path / "tiny.zip", "a test")
    assert (entry.checkpoint, entry.sha256) == (FILE, sha256_file(checkpoint))
    assert convert_into_cache("ecg_founder", checkpoint, "a test").folder == entry.folder


def test_variants_live_beside_the_model(spec, tmp_path, monkeypatch):
    declared = spec()
    small = write_checkpoint(tmp_path / FILE)
    other = dict(declared.tiny) | {"depths": [1, 1]}
    convert_into_cache("ecg_founder", small, "a test")
    torch.save({"state_dict": backbone(other).state_dict()}, tmp_path / "shallow.pth")
    size = sum(parameter.numel() for parameter in backbone(other).parameters())

    changed = replace(
        declared,
        options_from=lambda shapes: (
            declared.tiny if any("stage_list.0.block_list.1" in name for name in shapes) else other
        ),
        other_sizes={"shallow": size},
    )
    monkeypatch.setattr(f"{SPEC_MODULE}.SPEC", changed)
    entry = convert_into_cache("ecg_founder", tmp_path / "shallow.pth", "a test")
    assert entry.model == "ecg_founder-shallow"
    assert entry.folder.parent.name == "ecg_founder-shallow"
    card = (entry.folder / "README.md").read_text()
    assert f"backbone parameters | {size:,}" in card
    assert 'folder = "ecg-bench/ecg-founder-shallow"' in card
    assert cache.variants("ecg_founder") == ["ecg_founder-shallow"]
    assert load_model("ecg_founder-shallow").config.depths == [1, 1]
    assert load_model("ecg_founder").config.depths == list(declared.tiny["depths"])
    with pytest.raises(CheckpointError, match="ecg-bench/ecg-founder-deep is not on the Hub"):
        load_model("ecg_founder-deep")


def test_two_conversions_need_a_choice_unless_one_is_of_the_known_file(spec, tmp_path):
    spec()
    mine, theirs = write_checkpoint(tmp_path / "mine.pth", seed=1), write_checkpoint(tmp_path / "theirs.pth", seed=2)
    entries = [convert_into_cache("ecg_founder", path, "a test") for path in (mine, theirs)]
    with pytest.raises(CheckpointError, match="2 different conversions in the cache") as error:
        resolve_model("ecg_founder")
    assert all(str(entry.folder) in str(error.value) for entry in entries)
    published = convert_into_cache("ecg_founder", write_checkpoint(tmp_path / FILE), "a test")
    assert resolve_model("ecg_founder").folder == published.folder
    spec(Source("google_drive", "id", FILE, PAGE, sha256=entries[1].sha256))
    assert resolve_model("ecg_founder").folder == entries[1].folder


def test_a_damaged_cache_entry_does_not_count(spec, checkpoint):
    spec()
    entry = convert_into_cache("ecg_founder", checkpoint, "a test")
    weights = entry.folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    assert cache.entries("ecg_founder") == []
    again = convert_into_cache("ecg_founder", checkpoint, "a test")
    assert again.folder == entry.folder
    assert same_weights(load_model("ecg_founder"))


def test_a_killed_conversion_leaves_nothing_that_counts(spec, checkpoint, monkeypatch):
    spec()

    def killed(*arguments):  # the weights are written, the folder is not complete
        os.kill(os.getpid(), signal.SIGKILL)

    child = os.fork()  # a process of its own without importing everything again
    if child == 0:
        monkeypatch.setattr("hf_ecg_bench.models.saving._extractor", killed)
        try:
            convert_into_cache("ecg_founder", checkpoint, "a test")
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    home = cache.cache_root() / "models" / "ecg_founder"
    assert [path.name for path in home.iterdir() if path.name.endswith(".part")]
    assert cache.entries("ecg_founder") == []
    entry = convert_into_cache("ecg_founder", checkpoint, "a test")
    assert sorted(path.name for path in home.iterdir()) == [entry.folder.name, f"{entry.folder.name}.json"]
    assert same_weights(load_model("ecg_founder"))


def test_a_cache_that_cannot_be_written(spec, checkpoint, tmp_path, monkeypatch):
    spec()
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("HF_ECG_BENCH_CACHE", str(tmp_path / "file"))
    with pytest.raises(EcgBenchError, match="HF_ECG_BENCH_CACHE"):
        convert_into_cache("ecg_founder", checkpoint, "a test")

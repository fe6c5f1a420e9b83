"""Stored features are the backbone's, in the stored precision; damage, full disks and unfit values are not silent."""

from __future__ import annotations

import errno
import os
import shutil

import numpy as np
import pytest
import torch

from hf_ecg_bench.data.record_windows import window_reader
from hf_ecg_bench.errors import DataError, EcgBenchError, TrainingError
from hf_ecg_bench.features import extract
from hf_ecg_bench.features.blocks import block_path
from hf_ecg_bench.features.extract import Encoder, as_stored
from hf_ecg_bench.features.planning import plan_features

OF = {"pooled": "pooler_output", "tokens": "last_hidden_state"}


def direct(case, stored, kind: str) -> torch.Tensor:
    """Features of the same windows by the model itself."""
    arguments = case.arguments()
    split = arguments["split"]
    windows = window_reader(split.view, arguments["plan"]).read(split.records[stored.record], stored.starts)
    with torch.inference_mode():
        return getattr(case.model.base_model.eval()(torch.from_numpy(windows)), OF[kind])


@pytest.mark.parametrize("kind", ["pooled", "tokens"])
def test_features_are_the_backbones(case, kind):
    exact = case.open(kind=kind, crops=2, feature_precision="fp32")
    assert len(exact) == 37 * 6
    assert exact.is_evaluation.sum() == 37 * 4
    torch.testing.assert_close(torch.from_numpy(exact.read(np.arange(len(exact)))), direct(case, exact, kind))
    everything = np.random.default_rng(0).permutation(len(exact))
    for precision, dtype in (("fp16", torch.float16), ("bf16", torch.bfloat16)):
        stored = case.open(kind=kind, crops=2, feature_precision=precision)
        assert len(stored.blocks) > 1
        assert stored.bytes * 2 == exact.bytes
        for version in (stored, stored.in_memory()):
            assert torch.equal(version.take(everything), exact.take(everything).to(dtype))
    assert exact.read(np.empty(0, int)).shape == (0, *exact.shape)


def test_original_preprocessing_is_stored_too(case):
    from hf_ecg_bench.models.loading import load_model
    from hf_ecg_bench.models.registry import get_model_spec

    case.model = load_model(
        "ecg_founder", pretrained=False, seed=0, preprocessing="original", **get_model_spec("ecg_founder").tiny
    )
    split = case.records.splits["test"].take(np.arange(5))
    stored = case.open(split=split, crops=2, feature_precision="fp32")
    assert len(stored) == 5, "records as long as the window"
    torch.testing.assert_close(torch.from_numpy(stored.read(np.arange(5))), direct(case, stored, "pooled"))


def test_records_stand_in_the_given_order_and_subsets_share(case):
    whole = case.open()
    split = case.records.splits["test"]
    chosen = np.random.default_rng(0).permutation(37)[:20]
    part = case.open(split=split.take(chosen))
    assert part.computed == 0
    assert part.folder == whole.folder
    assert part.record.tolist() == np.repeat(np.arange(20), 4).tolist()
    rows = np.flatnonzero(part.record == 7)
    assert np.array_equal(part.read(rows), whole.read(np.flatnonzero(whole.record == chosen[7])))
    of_some = part.of_records(np.array([12, 7, 3]))
    assert of_some.record.tolist() == np.repeat(np.arange(3), 4).tolist()
    assert np.array_equal(of_some.read(np.arange(4, 8)), part.read(rows))
    few = case.open(split=split.take(np.arange(10)))
    assert few.folder != whole.folder, "fewer than half of the rows have a store of their own"
    assert few.computed == 40


def test_a_second_opening_computes_nothing(case):
    said: list[str] = []
    first, second = case.open(), case.open(say=said.append)
    assert first.computed == 148
    assert second.computed == 0
    root = first.folder.parent
    assert said == [
        f"features, pooled 16 fp16, in {root}:", "  test: 37 records, 148 windows, 4.7 kB, all there"
    ]  # fmt: skip


@pytest.mark.parametrize("factor", [1e7, 1e-7])
def test_what_float16_cannot_hold_is_an_error(case, factor):
    case.model.base_model.register_forward_hook(lambda module, inputs, output: _scaled(output, factor))
    with pytest.raises(TrainingError, match="float16 cannot hold") as raised:
        case.open()
    assert "--feature-precision bf16" in raised.value.fix
    assert not list((case.open(feature_precision="bf16").folder.parent).glob("*/*.part"))


def test_features_that_are_not_finite_name_the_row():
    features = torch.ones(3, 4)
    features[1, 2] = float("nan")
    with pytest.raises(TrainingError, match="data: the backbone's features of row 8 are not finite"):
        as_stored(features, "fp32", np.array([7, 8, 9]), "data")


@pytest.mark.parametrize("damage", ["truncated", "empty", "other shape", "text"])
def test_damaged_blocks_are_computed_again(case, damage):
    first = case.open()
    before = first.read(np.arange(148))
    path = block_path(first.folder, 1)
    whole = path.read_bytes()
    if damage == "other shape":
        np.save(path, np.zeros((2, 2), np.float16))
    else:
        path.write_bytes({"truncated": whole[:-1], "empty": b"", "text": b"not an array"}[damage])
    said: list[str] = []
    again = case.open(say=said.append)
    assert "  test: 1 damaged blocks are computed again" in said
    assert again.computed == first.blocks[1].shape[0]
    assert path.read_bytes() == whole
    assert np.array_equal(again.read(np.arange(148)), before)


def test_leftovers_of_the_dead_go(case):
    folder = case.open().folder
    block_path(folder, 0).unlink()
    leftover = folder / ".block-00002.npy.abc.part"
    leftover.write_bytes(b"half")
    old = folder / ".store.json.abc.part"
    old.write_bytes(b"half")
    os.utime(old, (0, 0))
    case.open()
    assert not list(folder.glob(".*.part"))


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_leaves_nothing_half_written(case, monkeypatch, cache, number):
    fsync, written = os.fsync, []

    def full(handle):
        written.append(handle)
        if len(written) > 2:
            raise OSError(number, "full")
        fsync(handle)

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(EcgBenchError, match="no space left for stored features") as raised:
            case.open()
    assert "HF_ECG_BENCH_CACHE" in raised.value.fix
    names = {path.name for path in cache.glob("features/*/*")} | {path.name for path in cache.glob("features/*/.*")}
    assert names == {"block-00000.npy", "block-00001.npy", "blocks.lock", "store.json"}
    assert case.open().computed == 148 - 64


def test_too_little_room_is_said_beforehand(case, monkeypatch, cache):
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(10**9, 10**9, 10**6))
    said: list[str] = []
    with pytest.raises(EcgBenchError, match=r"still to be stored take 4\.7 kB; 1\.0 MB are free") as raised:
        case.open(say=said.append)
    assert "--crops" in raised.value.fix
    assert "0 of 5 blocks are there" in said[1]
    assert not [path for path in cache.rglob("*") if path.suffix in (".npy", ".json")]


def test_a_cache_that_cannot_be_written(case, cache):
    cache.parent.mkdir(exist_ok=True)
    cache.write_text("a file")
    with pytest.raises(EcgBenchError, match="cannot be written") as raised:
        case.open()
    assert "HF_ECG_BENCH_CACHE" in raised.value.fix


def test_out_of_memory_halves_the_batch_aloud(case, monkeypatch):
    whole = case.open(feature_precision="fp32").read(np.arange(148))
    shutil.rmtree(case.open(feature_precision="fp32").folder)
    forward, sizes, said = Encoder._forward, [], []

    def small(self, windows):
        sizes.append(len(windows))
        if len(windows) > 10:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return forward(self, windows)

    monkeypatch.setattr(extract.Encoder, "_forward", small)
    again = case.open(feature_precision="fp32", say=said.append)
    assert sizes[:3] == [32, 16, 8]
    assert max(sizes[3:]) == 8
    assert sum("out of memory" in line for line in said) == 2
    np.testing.assert_allclose(again.read(np.arange(148)), whole, rtol=1e-4, atol=1e-6)


def test_records_shorter_than_the_window_are_refused(case):
    arguments = case.arguments()
    lengths = arguments["split"].view.lengths().copy()
    lengths[3] = 1000
    view = arguments["split"].view
    before = view._lengths
    try:
        view._lengths = lengths
        with pytest.raises(DataError, match="1 records are shorter than the model's window"):
            plan_features(**{name: value for name, value in arguments.items() if name != "say"})
    finally:
        view._lengths = before


def _scaled(output, factor):
    output.pooler_output = output.pooler_output * factor
    return output

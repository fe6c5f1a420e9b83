"""`cache list` and `cache prune`: what is there, and nothing else is ever deleted."""

from __future__ import annotations

import json
import os
import time

import pytest

from hf_ecg_bench.cli.main import MISTAKE, OK, main
from hf_ecg_bench.features.cache_listing import list_cache, remove
from hf_ecg_bench.features.facts import STORE_FILE


@pytest.fixture
def filled(case, cache):
    """Two stores of features, last used today and 40 days ago, a converted model and a download."""
    few = case.records.splits["test"].take(range(5))
    new, old = case.open(split=few), case.open(split=few, kind="tokens", crops=2)
    for stored in (new, old):
        stored.use.close()
    then = time.time() - 40 * 86400
    os.utime(old.folder / STORE_FILE, (then, then))
    model = cache / "models" / "ecg_founder" / "0123456789abcdef"
    model.mkdir(parents=True)
    (model / "model.safetensors").write_bytes(b"x" * 1000)
    note = {"checkpoint": "founder.pth", "origin": "its authors"}
    model.with_name(f"{model.name}.json").write_text(json.dumps(note))
    (cache / "models" / ".ecg_founder.lock").touch()
    download = cache / "downloads" / "st_mem"
    download.mkdir(parents=True)
    (download / "st_mem.pth").write_bytes(b"y" * 500)
    scores = cache / "standings" / "ab"
    scores.mkdir(parents=True)
    (scores / "abcd.npz").write_bytes(b"z" * 300)
    return new, old, model, download


def verb(capsys, *arguments):
    code = main(["cache", *arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_list_says_what_is_there(filled, capsys):
    new, old, _, _ = filled
    code, out, _ = verb(capsys, "list", "--json")
    entries = {entry["name"]: entry for entry in json.loads(out)}
    assert code == OK
    assert set(entries) == {
        new.key.digest[:12], old.key.digest[:12], "ecg_founder/0123456789abcdef", "downloads/st_mem", "standings",
    }  # fmt: skip
    tokens = entries[old.key.digest[:12]]
    assert tokens["about"] == "synthetic test, 5 records, 30 windows, tokens 40x16 fp16, 2 crops"
    assert tokens["model"] == "ecg_founder"
    assert tokens["bytes"] == sum(path.stat().st_size for path in old.folder.iterdir())
    assert tokens["complete"]
    assert entries["ecg_founder/0123456789abcdef"]["bytes"] == 1000
    scores = entries["standings"]
    assert (scores["kind"], scores["bytes"], scores["about"][:17]) == ("standings", 300, "scores of 1 cells")
    code, out, err = verb(capsys, "list")
    assert "converted from founder.pth, its authors" in out
    assert "5 entries" in err


def test_incomplete_and_damaged_stores_are_listed(case, capsys):
    stored = case.open()
    next(iter(stored.folder.glob("block-*"))).unlink()
    assert "(4 of 5 blocks)" in verb(capsys, "list")[1]
    (stored.folder / STORE_FILE).write_text("{")
    assert "damaged: no readable store.json" in verb(capsys, "list")[1]


def test_an_empty_cache(capsys):
    assert verb(capsys, "list")[0] == OK
    assert json.loads(verb(capsys, "list", "--json")[1]) == []
    assert verb(capsys, "prune", "--all")[1].startswith("nothing deleted: none of the 0 entries is meant")


@pytest.mark.parametrize(
    ("arguments", "left"),
    [
        (["--features", "--older-than", "30"], {"new", "model", "download", "standings"}),
        (["--features"], {"model", "download", "standings"}),
        (["ecg_founder"], {"download", "standings"}),
        (["ecg_founder", "--features"], {"model", "download", "standings"}),
        (["downloads/st_mem"], {"new", "old", "model", "standings"}),
        (["standings"], {"new", "old", "model", "download"}),
        (["--all"], set()),
    ],
)
def test_prune_deletes_what_was_said(filled, capsys, cache, arguments, left):
    outside = cache.parent / "outside"
    outside.mkdir()
    (outside / "file").touch()
    (cache / "features" / "link").symlink_to(outside, target_is_directory=True)
    new, old, model, download = filled
    folders = {"new": new.folder, "old": old.folder, "model": model, "download": download}
    folders["standings"] = cache / "standings"
    sizes = {entry.path: entry.bytes for entry in list_cache()}
    code, out, _ = verb(capsys, "prune", "--json", *arguments)
    assert code == OK
    assert {name for name, folder in folders.items() if folder.exists()} == left
    freed = sum(sizes[folder] for name, folder in folders.items() if name not in left)
    assert json.loads(out)["freed_bytes"] == freed
    assert model.with_name(f"{model.name}.json").exists() == ("model" in left)
    assert (outside / "file").exists()


def test_scores_are_as_old_as_their_last_use(cache, capsys):
    file = cache / "standings" / "ab" / "abcd.npz"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"z")
    then = time.time() - 40 * 86400
    for folder in (file, file.parent, file.parent.parent):
        os.utime(folder, (then, then))
    half = cache / ".standings.pruned"
    half.mkdir()
    verb(capsys, "prune", "--older-than", "50")
    assert file.exists()
    assert not half.exists()
    verb(capsys, "prune", "--older-than", "30")
    assert not file.parent.parent.exists()


def test_scores_that_cannot_be_kept_cost_time_alone(cache):
    from hf_ecg_bench.standings.entry_scores import cell_file, read_cells, write_cells

    cache.mkdir(parents=True, exist_ok=True)
    (cache / "standings").write_text("a file in the way")
    path = cell_file("ptb", "macro_auroc", ["a"], 10, 0, "")
    write_cells(path, [])
    assert read_cells(path) is None


def test_a_store_in_use_stays(case, capsys):
    stored = case.open()
    code, _, err = verb(capsys, "prune", "--all")
    assert code == OK
    assert "in use just now" in err
    assert stored.folder.exists()
    stored.use.close()
    assert "1 of 1 entries deleted, 7.3 kB freed" in verb(capsys, "prune", "--all")[1]
    assert not stored.folder.exists()
    assert case.open().computed == 148


def test_what_a_killed_prune_left_goes(case, capsys):
    folder = case.open().folder
    half = folder.with_name(f".{folder.name}.pruned")
    half.mkdir()
    verb(capsys, "prune", "--older-than", "1")
    assert not half.exists()
    assert folder.exists()


def test_nothing_outside_the_cache_is_deleted(filled, cache):
    import dataclasses

    from hf_ecg_bench.errors import EcgBenchError

    entry = dataclasses.replace(list_cache()[0], path=cache.parent)
    with pytest.raises(EcgBenchError, match="is not in the cache"):
        remove(entry)
    assert cache.exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["prune"], "nothing was said to be deleted"),
        (["prune", "ecg_fonder"], "did you mean 'ecg_founder'"),
        (["prune", "--older-than", "-1"], "expected a number of days"),
    ],
)
def test_mistakes(filled, capsys, arguments, message):
    code, _, err = verb(capsys, *arguments)
    assert code == MISTAKE
    assert message in err
    assert len(list_cache()) == 5

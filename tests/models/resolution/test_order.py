"""From a model's name to weights: folder, cache, Hub, authors, in this order; licences are said once."""

from __future__ import annotations

import json
import shutil

import pytest

from hf_ecg_bench.errors import CheckpointError, UnknownNameError
from hf_ecg_bench.files import sha256_file
from hf_ecg_bench.models import cache
from hf_ecg_bench.models.loading import load_model
from hf_ecg_bench.models.resolve import convert_into_cache, resolve_model, weights_digest
from hf_ecg_bench.models.spec import Source
from tests.models.resolution.published import (
    ON_HUB,
    publish,
    same_weights,
)
from tests.models.small_founder import FILE


def test_a_google_drive_model_is_one_error_with_the_link_and_the_command(spec, capsys):
    spec()
    with pytest.raises(CheckpointError) as error:
        load_model("ecg_founder")
    text = str(error.value)
    for tried in ("./ecg-bench/ecg-founder", "no conversion in", "is not on the Hub", "Google Drive"):
        assert tried in text
    assert "get tiny.pth from https://drive.google.com/file/d/id, then: hf-ecg-bench convert ecg_founder" in text
    assert len(text.splitlines()) == 2


def test_convert_puts_it_into_the_cache_and_every_name_finds_it(spec, checkpoint, hub, capsys):
    from hf_ecg_bench.cli.main import main

    declared = spec()
    assert main(["convert", "ecg_founder", "--checkpoint", str(checkpoint)]) == 0
    captured = capsys.readouterr()
    assert "written to" in captured.out
    assert "state no licence" in captured.out or declared.license_warning is None
    entry = cache.entries("ecg_founder")[0]
    assert entry.sha256 == sha256_file(checkpoint)
    assert entry.folder.parent == cache.cache_root() / "models" / "ecg_founder"
    hub.requests.clear()
    for name in ("ecg_founder", "ecg-founder", "ecg-bench/ecg-founder"):
        assert resolve_model(name).folder == entry.folder
    model = load_model("ecg_founder")
    assert same_weights(model)
    assert (model.config.source_file, model.config.source_digest) == (FILE, entry.sha256)
    assert hub.requests == []
    assert "converted from" in (entry.folder / "README.md").read_text()
    # The same file again is not converted again; the report comes from the first time.
    assert main(["convert", "ecg_founder", "--checkpoint", str(checkpoint), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["sha256"] == entry.sha256
    assert len(cache.entries("ecg_founder")) == 1


def test_a_folder_wins_and_may_be_called_like_the_repository(spec, checkpoint, hub, tmp_path):
    spec()
    entry = convert_into_cache("ecg_founder", checkpoint, "a test")
    shutil.copytree(entry.folder, "ecg-bench/ecg-founder")
    for name in ("ecg_founder", "ecg-bench/ecg-founder", "./ecg-bench/ecg-founder"):
        assert resolve_model(name).origin == "folder"
    with pytest.raises(CheckpointError, match=r"no folder \./absent"):
        resolve_model("./absent")
    with pytest.raises(UnknownNameError, match="did you mean 'ecg_founder'"):
        resolve_model("ecg_foundr")


def test_the_hub_comes_before_the_authors(spec, checkpoint, hub, capsys):
    spec(ON_HUB)
    entry = convert_into_cache("ecg_founder", checkpoint, "a test")
    commit = publish(hub, "ecg-bench/ecg-founder", {path.name: path.read_bytes() for path in entry.folder.iterdir()})
    shutil.rmtree(cache.cache_root() / "models")
    found = resolve_model("ecg_founder")
    assert (found.origin, found.revision) == ("hub", commit)
    assert weights_digest(found.folder) == sha256_file(found.folder / "model.safetensors")
    model = load_model("ecg_founder")
    assert same_weights(model)
    assert model.config._commit_hash == commit


def test_the_authors_repository_with_a_pinned_revision(spec, checkpoint, hub, capsys):
    first = publish(hub, ON_HUB.location, {FILE: checkpoint.read_bytes(), "README.md": b"---\nlicense: mit\n---\n"})
    publish(hub, ON_HUB.location, {FILE: b"replaced later"})
    declared = spec(Source(**{**vars(ON_HUB), "revision": first, "sha256": sha256_file(checkpoint)}))
    assert same_weights(load_model("ecg_founder"))
    said = capsys.readouterr().err
    assert f"fetching {FILE} from Hugging Face" in said
    assert "its page states the licence 'mit'" in said
    assert declared.license_weights in said
    entry = cache.entries("ecg_founder")[0]
    assert entry.origin.endswith(f"/PKUDigitalHealth/ECGFounder/blob/{first}/{FILE}")
    assert first in (entry.folder / "README.md").read_text()
    load_model("ecg_founder")
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("licence", ["CC BY-NC 4.0", "unknown", "MIT"])
def test_licences_are_said_once(spec, checkpoint, hub, capsys, licence):
    publish(hub, ON_HUB.location, {FILE: checkpoint.read_bytes()})
    spec(ON_HUB, license_weights=licence)
    load_model("ecg_founder")
    said = capsys.readouterr().err
    expected = {"CC BY-NC 4.0": "non-commercial use only", "unknown": "state no licence", "MIT": None}[licence]
    assert said.count("note:") == (expected is not None)
    assert expected is None or expected in said
    assert f"licence of the weights: {licence}" in said
    load_model("ecg_founder")
    assert capsys.readouterr().err.count("note:") == 0

"""The authors' hosts, well and badly behaved, and no network at all."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from hf_ecg_bench.errors import CheckpointError
from hf_ecg_bench.files import sha256_file
from hf_ecg_bench.models import cache, sources
from hf_ecg_bench.models.loading import load_model
from hf_ecg_bench.models.spec import Source
from tests.conftest import ROOT
from tests.models.resolution.published import (
    ON_FIGSHARE,
    ON_HUB,
    ON_ZENODO,
    PAGE,
    on_figshare,
    on_zenodo,
    publish,
    refusal,
    same_weights,
)
from tests.models.small_founder import FILE


def test_another_file_than_the_known_one_is_refused(spec, checkpoint, hub):
    publish(hub, ON_HUB.location, {FILE: checkpoint.read_bytes()})
    spec(Source(**{**vars(ON_HUB), "sha256": "00" * 32}))
    with pytest.raises(CheckpointError, match="another file than the one this version knows"):
        load_model("ecg_founder")
    assert cache.entries("ecg_founder") == []


def test_zenodo_with_a_dropped_connection(spec, checkpoint, server, monkeypatch, capsys):
    spec(ON_ZENODO)
    content = checkpoint.read_bytes()
    on_zenodo(server, monkeypatch, content, drops=[len(content) // 2], piece=1 << 14)
    assert same_weights(load_model("ecg_founder"))
    assert "cc-by-4.0" in capsys.readouterr().err
    assert not list(cache.downloads_folder("ecg_founder").glob("*"))


def test_figshare_zip_behind_a_redirect(spec, checkpoint, server, monkeypatch):
    spec(ON_FIGSHARE)
    on_figshare(server, monkeypatch, {"run/config.yaml": b"a: 1", "run/tiny.pth": checkpoint.read_bytes()})
    model = load_model("ecg_founder")
    assert same_weights(model)
    assert model.config.source_file == FILE
    assert cache.entries("ecg_founder")[0].sha256 == sha256_file(checkpoint)


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"a.txt": b""}, r"no file \*/tiny.pth"),
        ({"a/tiny.pth": b"1", "b/tiny.pth": b"2"}, r"several files \*/tiny.pth"),
    ],
)
def test_zips_without_the_one_member(spec, server, monkeypatch, members, message):
    spec(ON_FIGSHARE)
    on_figshare(server, monkeypatch, members)
    with pytest.raises(CheckpointError, match=message):
        load_model("ecg_founder")


def test_a_zip_that_is_none(spec, server, monkeypatch):
    spec(ON_FIGSHARE)
    on_figshare(server, monkeypatch, {"a/tiny.pth": b"1"})
    broken = server.files["/storage"].content[:-30]
    server.add("/storage", broken)
    file = {"name": "tiny.zip", "size": len(broken), "computed_md5": None, "download_url": server.url + "/storage"}
    server.add_json("/v2/articles/30192604/files/58173919", file)
    with pytest.raises(CheckpointError, match="damaged or cut off"):
        load_model("ecg_founder")


def test_what_a_host_gives_instead_of_the_file(spec, checkpoint, server, monkeypatch):
    spec(ON_ZENODO)
    content = checkpoint.read_bytes()
    path = f"/api/records/14881564/files/{FILE}/content"
    on_zenodo(server, monkeypatch, content, content_type="text/html")
    assert "web page instead of the file" in refusal()
    server.add(path, content[:-1] + b"x")
    assert "is not the expected file: md5" in refusal()
    server.add(path, content, statuses=[500] * 9)
    assert "answered 500 (attempt 5 of 5)" in refusal()
    server.add_json("/api/records/14881564", {"files": [{"key": "other.pth"}]})
    assert "has no file tiny.pth; it has other.pth" in refusal()
    server.add_json("/api/records/14881564", {"message": "no"})
    text = refusal()
    assert "not of the known form" in text
    assert f"get {FILE} from {PAGE}, then: hf-ecg-bench convert ecg_founder --checkpoint {FILE}" in text
    assert cache.entries("ecg_founder") == []


def test_without_a_network(spec, monkeypatch):
    spec(ON_ZENODO)
    monkeypatch.setattr(sources, "ZENODO", "http://127.0.0.1:9")
    started = time.perf_counter()
    assert "no connection" in refusal()
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr(sources, "ZENODO", "https://zenodo.org")
    text = refusal()
    assert "offline mode is on (HF_HUB_OFFLINE)" in text
    assert "unset HF_HUB_OFFLINE" in text
    spec(ON_HUB)
    assert "PKUDigitalHealth/ECGFounder: offline mode is on" in refusal()
    assert time.perf_counter() - started < 5


def test_a_hub_that_cannot_be_reached():
    """In a process of its own: the Hub's client reads its address once."""
    program = "from hf_ecg_bench.models.resolve import resolve_model; resolve_model('ecg_founder')"
    environment = {**os.environ, "HF_ENDPOINT": "http://127.0.0.1:9"}
    started = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, cwd=ROOT)
    assert "ecg-bench/ecg-founder: the Hub cannot be reached, and the Hub's cache has no copy" in done.stderr
    assert time.perf_counter() - started < 20

"""A tiny checkpoint as the Hub, Zenodo and figshare serve it."""

from __future__ import annotations

import hashlib
import io
import zipfile

import pytest
import torch

from hf_ecg_bench.errors import CheckpointError
from hf_ecg_bench.models import sources
from hf_ecg_bench.models.loading import load_model
from hf_ecg_bench.models.spec import Source
from tests.models.small_founder import FILE, backbone
from tests.support.hub_store import Blob

PAGE = "https://authors.example/page"
ON_HUB = Source("huggingface", "PKUDigitalHealth/ECGFounder", FILE, PAGE)
ON_ZENODO = Source("zenodo", "14881564", FILE, PAGE)
ON_FIGSHARE = Source("figshare", "30192604/58173919", "tiny.zip", PAGE, member="*/tiny.pth")


def publish(hub, repo_id: str, files: dict[str, bytes]) -> str:
    """Put files into a repository of the test Hub; returns the commit."""
    repo = hub.store.repos.get(("models", repo_id)) or hub.store.create("models", repo_id)
    blobs = {name: Blob(content, lfs=name.endswith((".pth", ".safetensors"))) for name, content in files.items()}
    return repo.commit("main", blobs, title="upload")[0].oid


def on_zenodo(server, monkeypatch, content: bytes, **options):
    monkeypatch.setattr(sources, "ZENODO", server.url)
    record = {
        "files": [{"key": FILE, "size": len(content), "checksum": "md5:" + hashlib.md5(content).hexdigest()}],
        "metadata": {"license": {"id": "cc-by-4.0"}},
    }
    server.add_json("/api/records/14881564", record)
    return server.add(f"/api/records/14881564/files/{FILE}/content", content, **options)


def on_figshare(server, monkeypatch, members: dict[str, bytes], **options):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    content = packed.getvalue()
    monkeypatch.setattr(sources, "FIGSHARE", server.url)
    server.add_json("/v2/articles/30192604", {"license": {"name": "CC BY 4.0"}})
    file = {"name": "tiny.zip", "size": len(content), "computed_md5": hashlib.md5(content).hexdigest()}
    server.add_json("/v2/articles/30192604/files/58173919", {**file, "download_url": server.url + "/files/58173919"})
    server.add("/files/58173919", redirect=server.url + "/storage?signature=private")
    server.add("/storage", content, **options)


def same_weights(model) -> bool:
    ours = backbone().state_dict()
    return all(torch.equal(value, ours[name]) for name, value in model.state_dict().items())


def refusal(name: str = "ecg_founder") -> str:
    """What loading says, in an error of two lines."""
    with pytest.raises(CheckpointError) as error:
        load_model(name)
    assert len(str(error.value).splitlines()) == 2
    return str(error.value)

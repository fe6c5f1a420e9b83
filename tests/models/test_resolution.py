"""From a model's name to weights: folder, cache, Hub, authors; each found, each refused with all that was tried."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from dataclasses import replace

import pytest
import torch

from hf_ecg_bench.downloads import retries
from hf_ecg_bench.errors import CheckpointError, DownloadError, TrainingError, UnknownNameError
from hf_ecg_bench.files import sha256_file
from hf_ecg_bench.models import cache, sources
from hf_ecg_bench.models.loading import load_model
from hf_ecg_bench.models.resolve import convert_into_cache, resolve_model, weights_digest
from hf_ecg_bench.models.spec import Source
from tests.conftest import ROOT
from tests.models.small_founder import FILE, SPEC_MODULE, backbone, small_spec, write_checkpoint
from tests.support.file_server import FileServer
from tests.support.hub_store import Blob

PAGE = "https://authors.example/page"
ON_HUB = Source("huggingface", "PKUDigitalHealth/ECGFounder", FILE, PAGE)
ON_ZENODO = Source("zenodo", "14881564", FILE, PAGE)
ON_FIGSHARE = Source("figshare", "30192604/58173919", "tiny.zip", PAGE, member="*/tiny.pth")


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch, hub):
    """An empty working directory, cache and Hub; no waiting between attempts."""
    monkeypatch.setenv("HF_ECG_BENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(retries.time, "sleep", lambda seconds: None)
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    hub.reset()
    yield tmp_path
    hub.reset()


@pytest.fixture
def checkpoint(tmp_path):
    return write_checkpoint(tmp_path / FILE)


@pytest.fixture
def server():
    server = FileServer()
    yield server
    server.close()


@pytest.fixture
def spec(monkeypatch):
    """Declares the tiny ECGFounder with a source."""

    def use(source=None, **changes):
        declared = small_spec(source, **changes)
        monkeypatch.setattr(f"{SPEC_MODULE}.SPEC", declared)
        return declared

    return use


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
    assert "fetched from" in (entry.folder / "README.md").read_text()
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


def test_an_archive_fetched_by_hand_is_converted_as_it_is(spec, checkpoint, tmp_path):
    spec(ON_FIGSHARE)
    with zipfile.ZipFile(tmp_path / "tiny.zip", "w") as archive:
        archive.write(checkpoint, "run/tiny.pth")
    entry = convert_into_cache("ecg_founder", tmp_path / "tiny.zip", "a test")
    assert (entry.checkpoint, entry.sha256) == (FILE, sha256_file(checkpoint))
    assert convert_into_cache("ecg_founder", checkpoint, "a test").folder == entry.folder


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


def tries(name: str = "ecg_founder") -> str:
    with pytest.raises(CheckpointError) as error:
        load_model(name)
    assert len(str(error.value).splitlines()) == 2
    return str(error.value)


def test_what_a_host_gives_instead_of_the_file(spec, checkpoint, server, monkeypatch):
    spec(ON_ZENODO)
    content = checkpoint.read_bytes()
    path = f"/api/records/14881564/files/{FILE}/content"
    on_zenodo(server, monkeypatch, content, content_type="text/html")
    assert "web page instead of the file" in tries()
    server.add(path, content[:-1] + b"x")
    assert "is not the expected file: md5" in tries()
    server.add(path, content, statuses=[500] * 9)
    assert "answered 500 (attempt 5 of 5)" in tries()
    server.add_json("/api/records/14881564", {"files": [{"key": "other.pth"}]})
    assert "has no file tiny.pth; it has other.pth" in tries()
    server.add_json("/api/records/14881564", {"message": "no"})
    text = tries()
    assert "not of the known form" in text
    assert f"get {FILE} from {PAGE}, then: hf-ecg-bench convert ecg_founder --checkpoint {FILE}" in text
    assert cache.entries("ecg_founder") == []


def test_without_a_network(spec, monkeypatch):
    spec(ON_ZENODO)
    monkeypatch.setattr(sources, "ZENODO", "http://127.0.0.1:9")
    started = time.perf_counter()
    assert "no connection" in tries()
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr(sources, "ZENODO", "https://zenodo.org")
    text = tries()
    assert "offline mode is on (HF_HUB_OFFLINE)" in text
    assert "unset HF_HUB_OFFLINE" in text
    spec(ON_HUB)
    assert "PKUDigitalHealth/ECGFounder: offline mode is on" in tries()
    assert time.perf_counter() - started < 5


def test_a_hub_that_cannot_be_reached():
    """In a process of its own: the Hub's client reads its address once."""
    program = "from hf_ecg_bench.models.resolve import resolve_model; resolve_model('ecg_founder')"
    environment = {**os.environ, "HF_ENDPOINT": "http://127.0.0.1:9"}
    started = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, cwd=ROOT)
    assert "ecg-bench/ecg-founder: the Hub cannot be reached, and the Hub's cache has no copy" in done.stderr
    assert time.perf_counter() - started < 20


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
    with pytest.raises(Exception, match="HF_ECG_BENCH_CACHE"):
        convert_into_cache("ecg_founder", checkpoint, "a test")


def test_run_knows_the_weights_it_starts_from(spec, checkpoint, hub, tmp_path):
    from hf_ecg_bench.training.inputs import input_digests
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

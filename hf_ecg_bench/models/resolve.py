"""Where a model's weights are: a folder, the cache, the Hub, or its authors' file, converted once. No torch here."""

from __future__ import annotations

import hashlib
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from hf_ecg_bench.downloads import offline
from hf_ecg_bench.errors import CheckpointError, DownloadError, unknown_name
from hf_ecg_bench.files import sha256_file
from hf_ecg_bench.models import cache
from hf_ecg_bench.models.adapters.folders import adapter_digest, is_adapter_folder
from hf_ecg_bench.models.archives import unpacked
from hf_ecg_bench.models.hub_snapshots import hub_snapshot
from hf_ecg_bench.models.registry import MODELS, get_model_spec
from hf_ecg_bench.models.sources import NAMES, fetch_checkpoint
from hf_ecg_bench.models.spec import ModelSpec
from hf_ecg_bench.names import NAMESPACE
from hf_ecg_bench.saying import Say, to_stderr

HUB_FILES = ["*.json", "*.safetensors", "*.md"]


@dataclass(frozen=True)
class Resolved:
    """A model's folder.

    Attributes:
        folder: what the Auto classes load.
        origin: which of the places it was found in.
        revision: the Hub's commit, where it came from there.
    """

    folder: Path
    origin: Literal["folder", "cache", "hub", "authors"]
    revision: str | None = None


@dataclass(frozen=True)
class Name:
    """What a user's text means.

    Attributes:
        text: as given.
        spec: of the known model, None for a folder or somebody else's Hub repository.
        cached: `<id>` or `<id>-<variant>`, the name in the cache.
        repository: on the Hub, or None where it can only be a folder.
    """

    text: str
    spec: ModelSpec | None = None
    cached: str = ""
    repository: str | None = None


def parse_name(text: str) -> Name:
    """A model id, `<id>-<variant>`, `ecg-bench/<either>`, a Hub id, or a path.

    Raises:
        UnknownNameError: none of these, with close matches.
    """
    bare = text.removeprefix(f"{NAMESPACE}/")
    for model_id in sorted(MODELS, key=len, reverse=True):
        dashed = model_id.replace("_", "-")
        for start in (model_id, dashed):
            if bare == start or bare.startswith(f"{start}-"):
                variant = bare[len(start) :]
                return Name(text, get_model_spec(model_id), model_id + variant, f"{NAMESPACE}/{dashed}{variant}")
    if text.startswith((".", "/", "~")) or text.count("/") > 1:
        return Name(text)
    if text.count("/") == 1:
        return Name(text, repository=text)
    raise unknown_name("model", text, MODELS, fix="hf-ecg-bench list models, or pass a model's folder")


def find_local(text: str) -> Resolved | None:
    """The model's folder where it is on this machine already, without asking anybody."""
    if text not in MODELS and Path(text).is_dir():  # a folder that is called like a model is written ./s4
        return Resolved(Path(text).absolute(), "folder")
    name = parse_name(text)
    if name.repository and Path(name.repository).is_dir():
        return Resolved(Path(name.repository).absolute(), "folder")
    entry = cache.choose(name.spec, name.cached) if name.spec else None
    return Resolved(entry.folder, "cache") if entry else None


def resolve_model(
    name_or_dir: str | os.PathLike[str], *, revision: str | None = None, say: Say = to_stderr
) -> Resolved:
    """The folder of a model's pretrained weights, fetched and converted first where need be.

    In this order: a folder of that name (for an id also ./ecg-bench/<name>), the cache of converted models,
    `ecg-bench/<name>` on the Hub, the authors' own checkpoint. A licence that is non-commercial or unknown is said
    once before the first use.

    Args:
        revision: branch, tag or commit: then only the Hub is asked (offline, its cache), for exactly that.
        say: gets the lines that the user should see.

    Raises:
        UnknownNameError: no such model.
        CheckpointError: no weights; the message says everything that was tried, the fix what to do.
    """
    text = os.fspath(name_or_dir)
    if revision is not None:
        return _pinned(parse_name(text), revision, say)
    found = find_local(text)
    name = Name(text) if found and found.origin == "folder" else parse_name(text)
    if found:
        if name.spec and found.origin == "cache":
            _say_license(name.spec, found.folder.name, say)
        return found
    if name.spec and not name.spec.pretrained:
        raise CheckpointError(
            f"{name.spec.id} has no public weights: it is trained from scratch",
            fix=f"hf-ecg-bench run --model {name.spec.id} --mode scratch, then pass the run's model folder",
        )
    tried = [f"no folder {text}" if name.spec is None else f"no folder ./{name.repository}"]
    if name.spec:
        tried.append(f"no conversion in {cache.cache_root() / 'models' / name.cached}")
    if name.repository and (found := _from_hub(name.repository, tried)):
        if name.spec:
            _say_license(name.spec, name.repository, say)
        return found
    if name.spec is None or name.spec.source is None or name.cached != name.spec.id:
        raise _nothing(name, tried)
    return _from_authors(name, name.spec, tried, say)


def weights_digest(folder: str | os.PathLike[str]) -> str | None:
    """SHA-256 of a model folder's weights (of the files' digests where there are several), None where it has none.

    For a folder of adapters it stands for the weights below them, too.
    """
    if is_adapter_folder(folder):
        return adapter_digest(Path(folder))
    files = sorted(Path(folder).glob("*.safetensors"))
    if len(files) == 1:
        return sha256_file(files[0])
    listed = "".join(f"{file.name} {sha256_file(file)}\n" for file in files)
    return hashlib.sha256(listed.encode()).hexdigest() if files else None


def convert_into_cache(model_id: str, checkpoint: str | Path, origin: str) -> cache.Entry:
    """Convert a checkpoint file (or the zip archive around it) into the cache, unless that was done before.

    The caller shows the entry's description, which holds what is to be said about the licence.

    Raises:
        CheckpointError: absent, or no such checkpoint.
        EcgBenchError: the cache cannot be written.
    """
    spec = get_model_spec(model_id)
    with unpacked(checkpoint, spec.source.member if spec.source else None) as file, cache.converting(model_id):
        digest = sha256_file(file)
        if (entry := cache.find(model_id, digest)) is not None:
            return entry
        from hf_ecg_bench.models.convert import build_from_file, card_of
        from hf_ecg_bench.models.saving import save_model

        model, report = build_from_file(spec, file, digest)
        variant = spec.variant(report.parameters)
        name = f"{model_id}-{variant}" if variant else model_id
        folder = cache.place(name, digest)
        save_model(model, folder, card_of(spec, model, report, origin))
        if spec.license_warning:
            cache.say_once(f"{model_id}-{folder.name}", spec.license_warning)
        values = {**report.to_dict(), "output_dir": str(folder)}
        return cache.complete(folder, name, origin, values, report.describe())


def _pinned(name: Name, revision: str, say: Say) -> Resolved:
    if name.repository is None:
        raise CheckpointError(
            f"{name.text} is no repository on the Hub, so it has no revision {revision}", fix="leave out the revision"
        )
    tried: list[str] = []
    found = _from_hub(name.repository, tried, revision)
    if found is None:
        raise _nothing(name, tried)
    if name.spec:
        _say_license(name.spec, name.repository, say)
    return found


def _from_hub(repository: str, tried: list[str], revision: str | None = None) -> Resolved | None:
    try:
        folder = hub_snapshot(repository, HUB_FILES, revision)
    except DownloadError as error:
        tried.append(error.message)
        return None
    if (folder / "config.json").is_file():
        return Resolved(folder, "hub", folder.name)
    tried.append(f"{repository} on the Hub holds no model (no config.json)")
    return None


def _from_authors(name: Name, spec: ModelSpec, tried: list[str], say: Say) -> Resolved:
    source = spec.source
    assert source is not None
    folder = cache.downloads_folder(spec.id)
    if source.host != "google_drive":
        if not (offline() and source.host != "huggingface"):
            say(
                f"{spec.title}: fetching {source.file} from {NAMES[source.host]} ({source.page}); "
                f"licence of the weights: {spec.license_weights}"
            )
            if spec.license_warning:
                say(f"note: {spec.title}: {spec.license_warning}")
        try:
            found = fetch_checkpoint(source, folder)
        except DownloadError as error:
            tried.append(f"the authors' {source.file}: {error.message}")
            raise _nothing(name, tried, error.fix) from error
        if found.license:
            say(f"{spec.title}: its page states the licence {found.license!r}")
        say(f"{spec.title}: converting {found.path.name}, once")
        entry = convert_into_cache(spec.id, found.path, found.origin)
        if found.passing:
            shutil.rmtree(folder, ignore_errors=True)
        return Resolved(entry.folder, "authors")
    tried.append(f"the authors' {source.file} is on Google Drive, which gives large files to people only")
    raise _nothing(name, tried)


def _nothing(name: Name, tried: list[str], fix: str | None = None) -> CheckpointError:
    message = f"no weights for {name.text}: " + "; ".join(tried)
    if name.spec and name.spec.source:
        source = name.spec.source
        what, file = f"{source.file} from {source.link}", source.file
        if name.cached != name.spec.id:  # where the authors keep their other sizes is not declared
            what, file = f"the {name.cached} checkpoint from its authors (begin at {source.link})", "FILE"
        by_hand = f"get {what}, then: hf-ecg-bench convert {name.spec.id} --checkpoint {file}"
        return CheckpointError(message, fix=f"{fix}; or {by_hand}" if fix else by_hand)
    return CheckpointError(message, fix=fix or "hf-ecg-bench list models, or check the path and the network")


def _say_license(spec: ModelSpec, origin: str, say: Say) -> None:
    warning = spec.license_warning
    if warning and cache.say_once(f"{spec.id}-{origin}", warning):
        say(f"note: {spec.title}: {warning}")

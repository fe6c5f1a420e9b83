"""Reading strangers' files: tensors come out, nothing in them runs, and what cannot be read is said in words."""

from __future__ import annotations

import argparse
import collections
import copyreg
import enum
import functools
import io
import os
import pathlib
import pickle
import re
import subprocess
import sys
import types
import typing
import zipfile

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from hf_ecg_bench.errors import CheckpointError
from hf_ecg_bench.files import sha256_file
from hf_ecg_bench.models.archives import unpacked
from hf_ecg_bench.models.checkpoints import read_checkpoint
from hf_ecg_bench.models.convert import convert
from hf_ecg_bench.models.restricted_pickle import Stub
from tests.models.oracles import load_oracle

WEIGHTS = {"state_dict": {"w": torch.arange(3.0)}}


class Calls:
    """Pickled as a call."""

    def __init__(self, function, *args) -> None:
        self.call = (function, args)

    def __reduce__(self):
        return self.call


class Restores:
    """Pickled as a call on whose result a state is set."""

    def __init__(self, function, args, state) -> None:
        self.parts = (function, args, state)

    def __reduce__(self):
        return self.parts


def message(content, tmp_path, **options) -> str:
    torch.save(content, tmp_path / "c.ckpt", **options)
    with pytest.raises(CheckpointError) as error:
        read_checkpoint(tmp_path / "c.ckpt")
    return error.value.message


ATTACKS = {
    "system": (lambda p: Calls(os.system, f"touch {p}"), r"would call (posix|nt)\.system"),
    "eval": (lambda p: Calls(eval, f"open({str(p)!r}, 'w')"), "would call eval"),
    "exec": (lambda p: Calls(exec, f"open({str(p)!r}, 'w')"), "would call exec"),
    "open": (lambda p: Calls(open, str(p), "w"), r"would call (_io|io)\.open"),
    "process": (lambda p: Calls(subprocess.Popen, ["touch", str(p)]), r"would call (subprocess|commands)\.Popen"),
    "getattr": (lambda p: Calls(getattr, Calls(__import__, "os"), "system"), "__import__, getattr"),
    "pickle in a pickle": (lambda p: Calls(pickle.loads, pickle.dumps(Calls(open, str(p), "w"))), "pickle.loads"),
    "torch's own loader": (lambda p: Calls(torch.storage._load_from_bytes, b""), "torch.storage._load_from_bytes"),
    "hub": (lambda p: Calls(torch.hub.load, "a/b", "c"), "torch.hub.load"),
    "import by torch": (lambda p: Calls(torch._utils._import_dotted_name, "os.system"), "_import_dotted_name"),
    "copyreg": (lambda p: Calls(copyreg._reconstructor, Calls, object, None), "copyreg._reconstructor"),
    "own class": (lambda p: Restores(Calls, (print,), {"a": 1}), r"test_checkpoints.Calls"),
    "partial": (lambda p: functools.partial(print), "functools.partial"),
    "hidden in a state": (lambda p: Restores(argparse.Namespace, (), {"a": Calls(open, str(p), "w")}), r"io\.open"),
    "hidden in an array": (lambda p: np.array([Calls(open, str(p), "w")], dtype=object), r"io\.open"),
    "hidden in a stub": (lambda p: Calls(pathlib.PurePosixPath, Calls(open, str(p), "w")), r"io\.open"),
    "state of an array's type": (lambda p: np.array([{}], dtype=object), "refused"),
    "module state": (lambda p: Restores(types.SimpleNamespace, (), {"a": 1}), "types.SimpleNamespace"),
}


@pytest.mark.parametrize("legacy", [False, True], ids=["zip", "legacy"])
@pytest.mark.parametrize("name", ATTACKS)
def test_nothing_runs(name, legacy, tmp_path):
    make, expected = ATTACKS[name]
    trace = tmp_path / "it ran"
    text = message(WEIGHTS | {"x": make(trace)}, tmp_path, _use_new_zipfile_serialization=not legacy)
    assert "is refused" in text
    if not legacy:  # where all names can be listed before anything is read
        assert re.search(expected, text), text
    assert not trace.exists()


def raw(tmp_path, pickled: bytes) -> pathlib.Path:
    """A file in torch's layout around a handmade pickle."""
    file = tmp_path / "raw.ckpt"
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in (("data.pkl", pickled), ("version", b"3\n"), ("byteorder", b"little")):
            archive.writestr(f"raw/{name}", content)
    return file


class Persistent(pickle.Pickler):
    """Writes one object as a reference to something outside."""

    reference: typing.ClassVar[object] = None

    def persistent_id(self, obj):
        return self.reference if obj == "outside" else None


@pytest.mark.parametrize(
    "reference",
    [
        ("module", "os", "system"),
        "storage",
        ("storage", os.system, "0", "cpu", 3),
        ("storage", torch.FloatStorage, "../../../etc/passwd", "cpu", 3),
        ("storage", torch.FloatStorage, "0", "cpu", 3),
    ],
    ids=["not a storage", "not a tuple", "not a type", "path", "absent"],
)
def test_odd_storages_are_refused(reference, tmp_path):
    buffer = io.BytesIO()
    pickler = Persistent(buffer, 2)
    pickler.reference = reference
    pickler.dump({"w": "outside"})
    with pytest.raises(CheckpointError):
        read_checkpoint(raw(tmp_path, buffer.getvalue()))


@pytest.mark.parametrize("depth", [1000, 100_000])
def test_endless_nesting_is_refused(depth, tmp_path):
    pickled = b"\x80\x02}X\x01\x00\x00\x00a" + b"]" * depth + b"a" * (depth - 1) + b"s."
    with pytest.raises(CheckpointError, match="more than 100 deep"):
        read_checkpoint(raw(tmp_path, pickled))
    itself = b"\x80\x02}q\x00X\x01\x00\x00\x00ah\x00s."
    assert read_checkpoint(raw(tmp_path, itself)).replaced == ()  # walked once
    for opcodes in (
        b"\x80\x02cos\nsystem\n(X\x01\x00\x00\x00atR.",
        b"(X\x02\x00\x00\x00idios\nsystem\n.",
        b"\x80\x04.",
    ):
        with pytest.raises(CheckpointError):
            read_checkpoint(raw(tmp_path, opcodes))


def foreign(module: str, name: str, monkeypatch, base: type = object, **members) -> type:
    """A class of another program, importable while the file is written only."""
    parts = module.split(".")
    for end in range(1, len(parts) + 1):
        path = ".".join(parts[:end])
        monkeypatch.setitem(sys.modules, path, sys.modules.get(path) or types.ModuleType(path))
    made = type(name, (base,), {"__module__": module, "__qualname__": name, **members})
    monkeypatch.setattr(sys.modules[module], name, made, raising=False)
    return made


def restored(cls: type, **state):
    made = cls.__new__(cls)
    made.__dict__.update(state)
    return made


def test_options_of_lightning_files_become_stubs(monkeypatch, tmp_path):
    """The names that OmegaConf's objects are pickled with; files of the real library were read the same way."""
    with monkeypatch.context() as patch:
        metadata = foreign("omegaconf.base", "ContainerMetadata", patch)
        config, node = (
            foreign("omegaconf.dictconfig", "DictConfig", patch),
            foreign("omegaconf.nodes", "AnyNode", patch),
        )
        options = foreign("clinical_ts.template_modules", "BaseConfig", patch)
        cache = collections.defaultdict(dict, {"oc": {"env": 1}})
        about = restored(metadata, ref_type=typing.Any, object_type=options, key_type=str, resolver_cache=cache)
        value = restored(config, _metadata=about, _content={"lr": restored(node, _val=1e-3)}, _parent=None)
        content = {**WEIGHTS, "hyper_parameters": value, "epoch": 3, "path": pathlib.PurePosixPath("a/b")}
        torch.save(content, tmp_path / "last.ckpt")
    assert "omegaconf" not in sys.modules
    found = read_checkpoint(tmp_path / "last.ckpt")
    assert torch.equal(found["state_dict"]["w"], WEIGHTS["state_dict"]["w"])
    assert found["epoch"] == 3
    assert isinstance(found["hyper_parameters"], Stub)
    assert not vars(found["hyper_parameters"])
    assert "omegaconf" not in sys.modules
    assert found.replaced == (
        "builtins.dict", "builtins.str", "clinical_ts.template_modules.BaseConfig", "collections.defaultdict",
        "omegaconf.base.ContainerMetadata", "omegaconf.dictconfig.DictConfig", "omegaconf.nodes.AnyNode",
        "pathlib.PurePosixPath", "typing.Any",
    )  # fmt: skip


def test_options_of_fairseq_and_hubert_files_become_stubs(monkeypatch, tmp_path):
    with monkeypatch.context() as patch:
        common = foreign("fairseq_signals.dataclass.configs", "CommonConfig", patch)
        choices = enum.Enum("Choices", {"none": "none"}, module="fairseq_signals.dataclass.constants")
        # As all Pythons but 3.11.0 to 3.11.3 write members; those write a call of getattr, which stays refused.
        choices.__reduce_ex__ = lambda self, _: (type(self), (self.value,))
        patch.setitem(sys.modules, choices.__module__, types.ModuleType(choices.__module__))
        patch.setattr(sys.modules[choices.__module__], "Choices", choices, raising=False)
        hubert = foreign("hubert_ecg", "HuBERTECGConfig", patch)
        content = {
            "model_state_dict": WEIGHTS["state_dict"],
            "cfg": {"common": restored(common, seed=1), "log": choices["none"]},
            "args": argparse.Namespace(lr=1e-3),
            "model_config": restored(hubert, hidden_size=768, dtype=torch.float32),
        }
        torch.save(content, tmp_path / "model.pt")
    found = read_checkpoint(tmp_path / "model.pt")
    assert torch.equal(found["model_state_dict"]["w"], WEIGHTS["state_dict"]["w"])
    assert found["args"] == argparse.Namespace(lr=1e-3)
    assert isinstance(found["cfg"]["common"], Stub)
    assert found.replaced == (
        "fairseq_signals.dataclass.configs.CommonConfig",
        "fairseq_signals.dataclass.constants.Choices",
        "hubert_ecg.HuBERTECGConfig",
    )


def test_names_that_only_look_listed_are_refused(monkeypatch, tmp_path):
    with monkeypatch.context() as patch:
        made = foreign("xomegaconf.base", "Metadata", patch)
        text = message({"a": restored(made)}, tmp_path)
    assert "would call xomegaconf.base.Metadata" in text
    assert not any("omegaconf" in str(entry) for entry in torch.serialization.get_safe_globals())


def zipped(file, members) -> pathlib.Path:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file


@pytest.fixture
def checkpoint(tmp_path) -> bytes:
    torch.save(WEIGHTS, tmp_path / "c.ckpt")
    return (tmp_path / "c.ckpt").read_bytes()


def test_checkpoint_inside_an_archive(checkpoint, tmp_path):
    members = {
        "release/last.ckpt": checkpoint, "release/config.yaml": b"a: 1", "__MACOSX/release/._last.ckpt": b"x",
        "release/._last.ckpt": b"x",
    }  # fmt: skip
    for member in (None, "*.ckpt", "last.ckpt", "release/last.ckpt"):
        with unpacked(zipped(tmp_path / "a.zip", members), member) as file:
            assert file.name == "last.ckpt"
            assert torch.equal(read_checkpoint(file)["state_dict"]["w"], WEIGHTS["state_dict"]["w"])
        assert not file.exists()
    save_file(WEIGHTS["state_dict"], tmp_path / "m.safetensors")
    with unpacked(zipped(tmp_path / "b.zip", {"m.safetensors": (tmp_path / "m.safetensors").read_bytes()})) as file:
        assert set(read_checkpoint(file)) == {"w"}
    with unpacked(tmp_path / "c.ckpt") as file:  # torch's files are zip files too
        assert file == tmp_path / "c.ckpt"


@pytest.mark.shared
def test_archive_of_ecg_cpc_is_converted(shared, monkeypatch, tmp_path):
    oracle = load_oracle(shared)
    with monkeypatch.context() as patch:
        options = foreign("omegaconf.dictconfig", "DictConfig", patch)
        content = oracle.checkpoint("ecg_cpc") | {"hyper_parameters": restored(options, _content={})}
        torch.save(content, tmp_path / "last.ckpt")
    digest = sha256_file(tmp_path / "last.ckpt")
    members = {"cpc/last.ckpt": (tmp_path / "last.ckpt").read_bytes(), "cpc/config.yaml": b"trainer: {}"}
    report = convert("ecg_cpc", zipped(tmp_path / "a.zip", members), tmp_path / "out")
    assert (report.checkpoint, report.sha256, report.options) == ("last.ckpt", digest, {"l_max": 1200})
    assert len(report.ignored) == 9
    assert "not restored: omegaconf.dictconfig.DictConfig" in report.describe()


def test_members_never_leave_the_temporary_folder(checkpoint, tmp_path):
    for name in ("../../evil.ckpt", "/evil.ckpt", "a/../../evil.ckpt"):
        with unpacked(zipped(tmp_path / "a.zip", {name: checkpoint})) as file:
            assert file.name == "evil.ckpt"
            assert file.parent.name.startswith("hf_ecg_bench_")
    assert not (tmp_path.parent / "evil.ckpt").exists()
    assert not (tmp_path / "evil.ckpt").exists()


def test_archives_that_cannot_be_used(checkpoint, tmp_path):
    def error(members, member=None, change=lambda content: content) -> str:
        file = zipped(tmp_path / "a.zip", members)
        file.write_bytes(change(file.read_bytes()))
        with pytest.raises(CheckpointError) as caught, unpacked(file, member) as inner:
            read_checkpoint(inner)
        return str(caught.value)

    assert "several files *.bin" in error({"a.ckpt": checkpoint, "b.ckpt": checkpoint})
    assert "a.ckpt, b.ckpt\n  fix: unpack it" in error({"a.ckpt": checkpoint, "b.ckpt": checkpoint}, "*.ckpt")
    assert "no file x.ckpt, expected one; it holds a.ckpt" in error({"a.ckpt": checkpoint}, "x.ckpt")
    assert "it holds none" in error({})
    spoilt = error({"a.ckpt": checkpoint}, change=lambda content: content[:100] + b"\0" * 40 + content[140:])
    assert "cannot be unpacked" in spoilt
    assert "damaged" in error({"a.ckpt": checkpoint}, change=lambda content: content[: len(content) // 2])
    zipped(tmp_path / "a.zip", {"a.ckpt": checkpoint})
    with pytest.raises(CheckpointError, match="is an archive, not a checkpoint"):
        read_checkpoint(tmp_path / "a.zip")

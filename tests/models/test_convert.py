"""Conversion: every tensor accounted for, and every unusable file refused with the reason."""

from __future__ import annotations

import pickle
from argparse import Namespace

import numpy as np
import pytest
import torch
import yaml
from safetensors.torch import save_file
from transformers import AutoFeatureExtractor, AutoModel, AutoModelForSequenceClassification

from hf_ecg_bench.errors import CheckpointError, EcgBenchError, UnknownNameError
from hf_ecg_bench.files import sha256_file
from hf_ecg_bench.models import get_model_spec
from hf_ecg_bench.models.convert import convert
from tests.models.fills import fill


@pytest.fixture(scope="module")
def s4_tensors() -> dict[str, torch.Tensor]:
    """An S4 checkpoint with the public names, by name."""
    shapes: dict[str, tuple[int, ...]] = {
        "encoder.weight": (512, 12, 1), "encoder.bias": (512,), "decoder.weight": (3, 512),
        "decoder.bias": (3,),
    }  # fmt: skip
    for layer in range(4):
        prefix = f"s4_layers.{layer}."
        shapes |= {
            f"{prefix}D": (1, 512), f"{prefix}kernel.kernel.C": (2, 512, 4, 2),
            f"{prefix}kernel.kernel.log_dt": (512,), f"{prefix}kernel.kernel.w": (512, 4, 2),
            f"{prefix}kernel.kernel.omega": (126, 2), f"{prefix}kernel.kernel.z": (126, 2),
            f"{prefix}output_linear.0.weight": (1024, 512), f"{prefix}output_linear.0.bias": (1024, 1),
            f"norms.{layer}.weight": (512,), f"norms.{layer}.bias": (512,),
        }  # fmt: skip
        shapes |= {f"{prefix}kernel.kernel.{name}": (1, 512, 4, 2) for name in "BPQ"}
    return {name: fill(name, shape, std=0.1).float() for name, shape in shapes.items()}


def test_converted_folder_loads_with_everything(s4_tensors, tmp_path):
    source = tmp_path / "s4.pth"
    training_state = {"epoch": 7, "best": np.float64(0.9), "args": Namespace(lr=1e-3), "lr": np.float32(1e-3)}
    wrapped = {f"module.model.{name}": value for name, value in s4_tensors.items()}
    torch.save({"state_dict": wrapped, "optimizer": {"state": {}}, **training_state}, source)
    report = convert("s4", source, tmp_path / "out")
    assert report.container == ("state_dict",)
    assert report.prefix == "module.model."
    assert set(report.used) | set(report.ignored) == set(wrapped)
    assert {name.rsplit(".", 1)[1] for name in report.ignored} == {"omega", "z"}
    assert report.parameters == get_model_spec("s4").parameters
    assert report.sha256 == sha256_file(source)
    assert "prefix 'module.model.' stripped" in report.describe()
    assert report.to_dict()["output_dir"] == str(tmp_path / "out")

    model = AutoModelForSequenceClassification.from_pretrained(tmp_path / "out")
    assert (model.config.source_file, model.config.source_digest) == ("s4.pth", report.sha256)
    assert torch.equal(model.head.weight, s4_tensors["decoder.weight"])
    assert torch.equal(model.encoder.layers[3].kernel.C, s4_tensors["s4_layers.3.kernel.kernel.C"])
    assert torch.equal(model.encoder.layers[0].output_linear.bias, s4_tensors["s4_layers.0.output_linear.0.bias"][:, 0])
    windows = AutoFeatureExtractor.from_pretrained(tmp_path / "out")(
        np.zeros((5000, 12), np.float32), sampling_rate=500, return_tensors="pt"
    )
    assert AutoModel.from_pretrained(tmp_path / "out")(**windows).pooler_output.shape == (4, 512)
    card = (tmp_path / "out" / "README.md").read_text()
    front = yaml.safe_load(card.split("---")[1])
    assert front["library_name"] == "transformers"
    assert front["license"] == "apache-2.0"
    assert report.sha256 in card


def test_flat_safetensors_file(s4_tensors, tmp_path):
    save_file(s4_tensors, tmp_path / "s4.safetensors")
    report = convert("s4", tmp_path / "s4.safetensors", tmp_path / "out")
    assert report.container == ()
    with pytest.raises(EcgBenchError, match="not an empty folder"):
        convert("s4", tmp_path / "s4.safetensors", tmp_path / "out")


class RunsCode:
    """A pickle that would run a command."""

    def __reduce__(self):
        return (print, ("the pickle ran code",))


def without(tensors, name):
    return {key: value for key, value in tensors.items() if key != name}


BAD = {
    "missing tensor": (
        lambda t: without(t, "norms.2.bias"),
        r"1 of 48 tensors are missing: encoder.layers.2.norm.bias",
    ),
    "misspelt tensor": (
        lambda t: without(t, "encoder.bias") | {"encoder.bais": t["encoder.bias"]},
        "nearest: encoder.input_projection.bais",
    ),
    "extra tensor": (
        lambda t: t | {"s4_layers.9.D": t["s4_layers.0.D"]},
        "1 are not known: encoder.layers.9.D",
    ),
    "other shape": (
        lambda t: t | {"encoder.bias": torch.zeros(256)},
        r"has the shape \(256,\), expected \(512,\)",
    ),
    "transposed": (
        lambda t: t | {"s4_layers.0.output_linear.0.weight": torch.zeros(512, 1024)},
        r"shape \(512, 1024\), expected \(1024, 512\)",
    ),
    "NaN": (lambda t: t | {"encoder.bias": torch.full((512,), float("nan"))}, "NaN or infinite"),
    "another model": (lambda t: {"blocks.0.weight": torch.zeros(3)}, "not a complete s4 checkpoint"),
    "no tensors": (lambda t: {"epoch": 3, "args": {}}, "holds no tensors .* keys epoch, args"),
    "not a dict": (lambda t: [1, 2], "holds a list"),
}


@pytest.mark.parametrize("case", BAD)
def test_content_that_does_not_fit(case, s4_tensors, tmp_path):
    change, message = BAD[case]
    torch.save(change(s4_tensors), tmp_path / "c.pth")
    with pytest.raises(CheckpointError, match=message):
        convert("s4", tmp_path / "c.pth", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_files_that_are_no_checkpoints(s4_tensors, tmp_path, capsys):
    file = tmp_path / "c.pth"

    def message() -> str:
        with pytest.raises(CheckpointError) as error:
            convert("s4", file, tmp_path / "out")
        return error.value.message

    assert "does not exist" in message()
    file.write_bytes(b"")
    assert "is empty" in message()
    file.write_bytes(b"<!DOCTYPE html><html>Google Drive - virus scan warning</html>")
    assert "web page" in message()
    file.write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:00\n")
    assert "Git LFS" in message()
    file.write_bytes(b"ecg" * 1000)
    assert "not a checkpoint" in message()
    for seed in range(20):
        file.write_bytes(np.random.default_rng(seed).bytes(500))
        assert "not a checkpoint" in message() or "refused" in message()
    torch.save(s4_tensors, file)
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    assert "cut off or damaged" in message()
    torch.save({"state_dict": s4_tensors, "hook": RunsCode()}, file)
    assert "would call print" in message()
    file.write_bytes(pickle.dumps({"hook": RunsCode()}))
    assert "is refused: not a pickle that torch wrote" in message()
    save_file(s4_tensors, tmp_path / "c.safetensors")
    file = tmp_path / "c.safetensors"
    file.write_bytes(file.read_bytes()[:100_000])
    assert "damaged or cut off" in message()
    file = tmp_path
    assert "is a folder" in message()
    assert "the pickle ran code" not in capsys.readouterr().out
    with pytest.raises(UnknownNameError):
        convert("s5", file, tmp_path / "out")


@pytest.mark.shared
def test_ecg_founder_from_its_public_layout(shared, tmp_path):
    from tests.models.oracles import load_oracle

    oracle = load_oracle(shared)
    oracle.save_checkpoint("ecgfounder", tmp_path / "12_lead_ECGFounder.pth")
    report = convert("ecg_founder", tmp_path / "12_lead_ECGFounder.pth", tmp_path / "out")
    assert (report.container, len(report.used), report.parameters) == (("state_dict",), 507, 30_665_264)
    assert set(report.ignored) == {"dense.weight", "dense.bias"}
    model = AutoModel.from_pretrained(tmp_path / "out")
    with torch.no_grad():
        output = model(oracle.inputs("ecgfounder")["nan"])
    oracle.compare("ecgfounder", "nan", {"seq": output.last_hidden_state, "pooled": output.pooler_output})
    card = (tmp_path / "out" / "README.md").read_text()
    assert "license:" not in card.split("---")[1]  # not known, so not invented

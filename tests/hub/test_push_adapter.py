"""Adapters to the Hub by themselves, and back onto the weights that they belong to."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import yaml
from transformers import AutoFeatureExtractor, AutoModel, AutoModelForSequenceClassification

from hf_ecg_bench.cli.main import main
from hf_ecg_bench.errors import CheckpointError, EcgBenchError
from hf_ecg_bench.hub import push_folder
from hf_ecg_bench.models.adapters.adding import add_adapter
from hf_ecg_bench.models.adapters.folders import Base, read_adapter_folder
from hf_ecg_bench.models.adapters.merging import merge_folder
from hf_ecg_bench.models.loading import load_model
from hf_ecg_bench.models.resolve import weights_digest
from hf_ecg_bench.models.saving import save_adapter, save_model
from hf_ecg_bench.training.adapting import base_of
from tests.support.hub_server import HubServer

X = torch.linspace(-1, 1, 12 * 250).reshape(1, 12, 250)


def logits(model) -> torch.Tensor:
    with torch.no_grad():
        return model(X).logits


@pytest.fixture
def pushed_base(hub: HubServer, tmp_path: Path) -> Path:
    """A backbone in a folder, and as me/base on the Hub."""
    folder = save_model(load_model("s4", seed=0, pretrained=False, hidden_size=16, n_layers=2), tmp_path / "base")
    push_folder("model", folder, "me/base")
    return folder


def adapters_on(name: str, folder: Path, seed: int = 0) -> torch.Tensor:
    """Adapters that do something, on a base; returns their logits."""
    model = load_model(name, target_names=["NORM", "MI"], seed=seed)
    wrapped = add_adapter(model).eval()
    with torch.no_grad():
        for parameter_name, parameter in wrapped.named_parameters():
            if "lora_B" in parameter_name:
                parameter += 0.1
    base = base_of(str(name), weights_digest(_folder_of(name)), getattr(model.config, "_commit_hash", None))
    save_adapter(wrapped, folder, base)
    return logits(wrapped)


def _folder_of(name: str) -> Path:
    from hf_ecg_bench.models.resolve import resolve_model

    return resolve_model(name).folder


def test_alone_and_back_by_every_way(hub: HubServer, pushed_base: Path, tmp_path: Path) -> None:
    expected = adapters_on("me/base", tmp_path / "adapters")
    with pytest.raises(EcgBenchError, match=r"adapters are not the backbone s4.*\n.*--repo YOUR_NAME/NAME"):
        push_folder("model", tmp_path / "adapters")
    assert push_folder("model", tmp_path / "adapters", "me/adapters") == f"{hub.url}/me/adapters"
    files = hub.files("model", "me/adapters")
    assert set(files) == {
        "README.md", "adapter_config.json", "adapter_model.safetensors", "config.json", "preprocessor_config.json"
    }  # fmt: skip
    card = files["README.md"].decode()
    front = yaml.safe_load(card.split("---")[1])
    assert front["base_model"] == "me/base"
    assert front["library_name"] == "peft"
    for fact in ("me/base", "NORM, MI", "rank 8", "MiB", weights_digest(pushed_base)):
        assert fact in card
    assert str(tmp_path) not in "".join(text.decode() for name, text in files.items() if not name.endswith("tensors"))

    assert torch.equal(logits(load_model("me/adapters")), expected)
    assert torch.equal(logits(AutoModelForSequenceClassification.from_pretrained("me/adapters")), expected)
    pooled = AutoModel.from_pretrained("me/adapters")(X).pooler_output
    merged = load_model("me/adapters", merge_adapter=True)
    torch.testing.assert_close(pooled, merged.encoder(X).pooler_output, rtol=0, atol=0)
    torch.testing.assert_close(logits(merged), expected, rtol=1e-5, atol=1e-6)
    assert AutoFeatureExtractor.from_pretrained("me/adapters").sampling_rate == 100
    merge_folder("me/adapters", tmp_path / "merged")
    assert torch.equal(logits(load_model(tmp_path / "merged")), logits(merged))


def test_a_merged_model_and_adapters_replace_each_other(hub: HubServer, pushed_base: Path, tmp_path: Path) -> None:
    adapters_on("me/base", tmp_path / "adapters")
    merge_folder(tmp_path / "adapters", tmp_path / "merged")
    push_folder("model", tmp_path / "adapters", "me/classifier")
    push_folder("model", tmp_path / "merged", "me/classifier")
    files = set(hub.files("model", "me/classifier"))
    assert "model.safetensors" in files
    assert not {"adapter_config.json", "adapter_model.safetensors"} & files
    push_folder("model", tmp_path / "adapters", "me/classifier")
    assert "model.safetensors" not in hub.files("model", "me/classifier")


def test_a_base_of_this_machine_has_to_be_named_otherwise(
    hub: HubServer, pushed_base: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    expected = adapters_on(str(pushed_base), tmp_path / "adapters")
    with pytest.raises(CheckpointError, match=r"a folder that only this machine has\n.*--base .*merge") as error:
        push_folder("model", tmp_path / "adapters", "me/adapters")
    assert str(pushed_base) in str(error.value)
    assert hub.files("model", "me/base")  # nothing but the base is there
    command = ["push", "model", str(tmp_path / "adapters"), "--repo", "me/adapters"]
    assert main([*command, "--base", "me/base"]) == 0
    assert read_adapter_folder(tmp_path / "adapters").base.name == "me/base"
    card = hub.files("model", "me/adapters")["README.md"].decode()
    assert str(tmp_path) not in card
    assert yaml.safe_load(card.split("---")[1])["base_model"] == "me/base"
    assert torch.equal(logits(load_model("me/adapters")), expected)

    other = save_model(load_model("s4", seed=9, pretrained=False, hidden_size=16, n_layers=2), tmp_path / "other")
    push_folder("model", other, "me/other")
    capsys.readouterr()
    assert main([*command, "--base", "me/other"]) == 2
    assert "were trained on weights with SHA-256" in capsys.readouterr().err
    assert main(["push", "model", str(other), "--repo", "me/other", "--base", "me/base"]) == 2
    assert "holds no adapters" in capsys.readouterr().err


def test_a_base_that_has_moved_on_is_found_at_its_old_commit(hub: HubServer, pushed_base: Path, tmp_path: Path) -> None:
    expected = adapters_on("me/base", tmp_path / "adapters")
    other = save_model(load_model("s4", seed=9, pretrained=False, hidden_size=16, n_layers=2), tmp_path / "other")
    push_folder("model", other, "me/base")
    assert torch.equal(logits(load_model(tmp_path / "adapters")), expected)


def test_half_an_adapter_is_refused(hub: HubServer, pushed_base: Path, tmp_path: Path) -> None:
    adapters_on("me/base", tmp_path / "adapters")
    weights = tmp_path / "adapters" / "adapter_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-8])
    with pytest.raises(CheckpointError, match="not a whole safetensors file"):
        push_folder("model", tmp_path / "adapters", "me/adapters")
    weights.unlink()
    with pytest.raises(CheckpointError, match=r"no adapter_model\.safetensors"):
        push_folder("model", tmp_path / "adapters", "me/adapters")


def test_names_of_bases(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "ecg-bench" / "ecg-founder").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    for model, name in (
        ("ecg_founder", "ecg-bench/ecg-founder"),
        ("ecg-bench/ecg-founder", "ecg-bench/ecg-founder"),
        ("me/founder", "me/founder"),
        ("mine", str(tmp_path / "mine")),
        (str(tmp_path / "mine"), str(tmp_path / "mine")),
    ):
        assert base_of(model, "0" * 64) == Base(name, "0" * 64)

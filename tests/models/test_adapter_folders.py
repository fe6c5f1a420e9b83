"""Adapters saved alone, on every model: loaded again they are what was trained, merged the same but for rounding."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from peft import PeftModel
from transformers import AutoFeatureExtractor, AutoModel, AutoModelForSequenceClassification

from hf_ecg_bench.errors import CheckpointError, ContractError, EcgBenchError, TrainingError
from hf_ecg_bench.models.adapters.adding import KINDS, add_adapter, trained_parameters, unmergeable
from hf_ecg_bench.models.adapters.folders import Base, read_adapter_folder
from hf_ecg_bench.models.adapters.merging import merge_folder
from hf_ecg_bench.models.loading import load_model
from hf_ecg_bench.models.resolve import weights_digest
from hf_ecg_bench.models.saving import save_adapter, save_model
from tests.models.common import CASES, every_case, labels_for

NAMES = ["NORM", "MI", "AF"]
S4 = next(case for case in CASES if case.model_id == "s4")
LORA = {"lora": ("lora_A", "lora_B"), "dora": ("lora_A", "lora_B", "lora_magnitude_vector"), "ia3": ("ia3_l",)}


def trained_adapters(case, kind, folder, *, seed=0):
    """A backbone in `folder/base`, adapters trained for three steps in `folder/adapters`; (wrapped, windows)."""
    save_model(case.build().encoder, folder / "base")
    torch.manual_seed(seed)
    model = load_model(folder / "base", target_names=NAMES, seed=seed)
    wrapped = add_adapter(model, kind, rank=4).train()
    x, labels = case.windows(model, batch=4), labels_for(model, batch=4)
    optimizer = torch.optim.AdamW([p for p in wrapped.parameters() if p.requires_grad], lr=1e-2)
    for _ in range(3):
        optimizer.zero_grad()
        wrapped(x, labels=labels).loss.backward()
        optimizer.step()
    wrapped.eval()
    save_adapter(
        wrapped, folder / "adapters", Base(str(folder / "base"), weights_digest(folder / "base")), tail="shift"
    )
    return wrapped, x


def logits(model, x):
    """Without gradients."""
    with torch.no_grad():
        return model(x).logits


def trainable(model):
    """Names of the parameters that training would change."""
    return {name for name, parameter in model.named_parameters() if parameter.requires_grad}


def check_outputs(wrapped, x, folder):
    """In place the adapters give the same bits, merged the same but for rounding, by every way to load them."""
    expected = logits(wrapped, x)
    auto = AutoModelForSequenceClassification.from_pretrained(folder)
    assert type(auto) is type(wrapped.get_base_model())
    assert torch.equal(logits(auto, x), expected)
    plain = load_model(folder, merge_adapter=True)
    torch.testing.assert_close(logits(plain, x), expected, rtol=1e-5, atol=2e-6)
    base = load_model(folder.parent / "base", target_names=NAMES)
    assert trainable(plain) == trainable(base)
    counts = trained_parameters(wrapped)
    assert counts["trained"] < counts["total"] == sum(p.numel() for p in plain.parameters())
    return plain


@every_case
def test_lora_alone_in_its_folder(case, tmp_path):
    wrapped, x = trained_adapters(case, "lora", tmp_path)
    check_outputs(wrapped, x, tmp_path / "adapters")


@pytest.mark.slow
@every_case
@pytest.mark.parametrize("kind", KINDS)
def test_every_way_to_load_every_kind(case, kind, tmp_path):
    wrapped, x = trained_adapters(case, kind, tmp_path)
    folder, expected = tmp_path / "adapters", logits(wrapped, x)
    plain = check_outputs(wrapped, x, folder)
    base = load_model(tmp_path / "base", target_names=NAMES, seed=0)
    assert not torch.allclose(logits(base, x), expected, atol=1e-4), "nothing was learnt"
    assert plain.state_dict().keys() == base.state_dict().keys()
    assert torch.equal(logits(load_model(folder), x), expected)
    assert torch.equal(logits(PeftModel.from_pretrained(base, folder).eval(), x), expected)
    with torch.no_grad():
        pooled = AutoModel.from_pretrained(folder)(x).pooler_output
        torch.testing.assert_close(pooled, plain.encoder(x).pooler_output, rtol=0, atol=0)
    merge_folder(folder, tmp_path / "merged")
    merged = AutoModelForSequenceClassification.from_pretrained(tmp_path / "merged")
    assert torch.equal(logits(merged, x), logits(plain, x))
    assert AutoFeatureExtractor.from_pretrained(tmp_path / "merged").tail == "shift"


def test_what_is_in_the_folder(tmp_path):
    wrapped, x = trained_adapters(S4, "lora", tmp_path)
    folder, expected = tmp_path / "adapters", logits(wrapped, x)
    stored = {file.name: file.stat().st_size for file in folder.iterdir()}
    assert stored.keys() == {
        "README.md", "adapter_config.json", "adapter_model.safetensors", "config.json", "preprocessor_config.json"
    }  # fmt: skip
    numbers = 4 * trained_parameters(wrapped)["trained"]
    assert numbers < stored["adapter_model.safetensors"] < numbers + 2000  # and their names
    assert AutoFeatureExtractor.from_pretrained(folder).tail == "shift"
    base = load_model(tmp_path / "base", target_names=NAMES, seed=0)
    assert not torch.allclose(logits(base, x), expected, atol=1e-4), "nothing was learnt"
    assert torch.equal(logits(PeftModel.from_pretrained(base, folder).eval(), x), expected)
    with torch.no_grad():
        pooled = AutoModel.from_pretrained(folder)(x).pooler_output
        plain = load_model(folder, merge_adapter=True).encoder(x).pooler_output
        torch.testing.assert_close(pooled, plain, rtol=0, atol=0)


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_trained_by_kind(kind, tmp_path):
    wrapped, _ = trained_adapters(S4, kind, tmp_path)
    names = {name for name, p in wrapped.named_parameters() if p.requires_grad}
    marks = (*LORA[kind], ".head.modules_to_save.")
    assert all(any(mark in name for mark in marks) for name in names)
    assert all(any(mark in name for name in names) for mark in marks)
    counts = trained_parameters(wrapped)
    width, layers, targets = 32, 2, len(NAMES)
    per_layer = {"lora": 4 * (width + 2 * width), "dora": 4 * (width + 2 * width) + 2 * width, "ia3": 2 * width}[kind]
    assert counts["head"] == (width + 1) * targets
    assert counts["trained"] == layers * per_layer + counts["head"]
    card = (tmp_path / "adapters" / "README.md").read_text(encoding="utf-8")
    for fact in (str(tmp_path / "base"), f"{counts['trained']:,}", ", ".join(NAMES), "MiB", read(tmp_path).base.digest):
        assert fact in card, fact
    assert "base_model:" not in card.split("---")[1]  # a folder of this machine means nothing to the Hub


def read(tmp_path: Path):
    """What the folder of `trained_adapters` says."""
    return read_adapter_folder(tmp_path / "adapters")


def test_other_targets_go_onto_merged_weights(tmp_path):
    _, x = trained_adapters(S4, "lora", tmp_path)
    plain = load_model(tmp_path / "adapters", merge_adapter=True)
    other = load_model(tmp_path / "adapters", target_names=["a", "b"], head="attention", freeze_backbone=True, seed=3)
    assert logits(other, x).shape == (4, 2)
    assert other.config.base_digest is None
    assert not any(p.requires_grad for p in other.encoder.parameters())
    with torch.no_grad():
        torch.testing.assert_close(other(x).pooler_output, plain(x).pooler_output, rtol=0, atol=0)
    again = load_model(tmp_path / "adapters", target_names=["a", "b"], head="attention", freeze_backbone=True, seed=3)
    assert torch.equal(logits(again, x), logits(other, x))
    with pytest.raises(ContractError, match="merge_adapter=True"):
        load_model(tmp_path / "adapters", target_names=["a", "b"], merge_adapter=False)
    kept_head = load_model(tmp_path / "adapters", target_names=NAMES)  # chosen again: the trained head stays
    assert torch.equal(logits(kept_head, x), logits(plain, x))


def test_adapters_on_adapters(tmp_path):
    """A folder of adapters can be what further adapters are trained on."""
    _, x = trained_adapters(S4, "lora", tmp_path / "first")
    first = tmp_path / "first" / "adapters"
    second = add_adapter(load_model(first, target_names=["q"], seed=1), "ia3").eval()
    with torch.no_grad():
        for name, value in second.named_parameters():
            if "ia3_l" in name:
                value += 0.1
    save_adapter(second, tmp_path / "second", Base(str(first), weights_digest(first)))
    found = load_model(tmp_path / "second")
    torch.testing.assert_close(logits(found, x), logits(second, x), rtol=0, atol=0)
    assert weights_digest(tmp_path / "second") != weights_digest(first)


def test_saved_again_by_save_pretrained(tmp_path):
    wrapped, x = trained_adapters(S4, "dora", tmp_path)
    AutoModelForSequenceClassification.from_pretrained(tmp_path / "adapters").save_pretrained(tmp_path / "again")
    assert not (tmp_path / "again" / "model.safetensors").exists()
    assert torch.equal(logits(load_model(tmp_path / "again"), x), logits(wrapped, x))


def test_another_base_is_refused_and_the_right_one_can_be_named(tmp_path):
    wrapped, x = trained_adapters(S4, "lora", tmp_path)
    folder = tmp_path / "adapters"
    (tmp_path / "base").rename(tmp_path / "moved")
    with pytest.raises(CheckpointError, match="adapter_base"):
        load_model(folder)
    assert torch.equal(logits(load_model(folder, adapter_base=tmp_path / "moved"), x), logits(wrapped, x))
    model = load_model(tmp_path / "moved")
    with torch.no_grad():
        next(model.parameters()).add_(1e-3)
    save_model(model, tmp_path / "base")
    for load in (load_model, AutoModelForSequenceClassification.from_pretrained, AutoModel.from_pretrained):
        with pytest.raises(CheckpointError, match=r"trained on weights with SHA-256 .*\n.*adapter_base") as error:
            load(folder)
        assert read(tmp_path).base.digest[:12] in str(error.value)
    with pytest.raises(CheckpointError, match="trained on weights"):
        merge_folder(folder, tmp_path / "merged")
    assert not (tmp_path / "merged").exists()
    assert merge_folder(folder, tmp_path / "merged", tmp_path / "moved").parameters > 0


def edit(file: Path, **values):
    """Change entries of a JSON file."""
    file.write_text(json.dumps({**json.loads(file.read_text()), **values}))


def test_damaged_and_foreign_folders_are_refused(tmp_path):
    trained_adapters(S4, "lora", tmp_path)
    folder = tmp_path / "adapters"
    settings, config, weights = (
        folder / name for name in ("adapter_config.json", "config.json", "adapter_model.safetensors")
    )
    originals = {file: file.read_bytes() for file in (settings, config, weights)}
    for change, message in (
        (lambda: edit(settings, use_rslora=True), "asks for use_rslora"),
        (lambda: edit(settings, unheard_of={"x": 1}), "asks for unheard_of"),
        (lambda: edit(settings, r=8), "another shape"),
        (lambda: edit(settings, peft_type="VERA"), "expected LoRA, DoRA or IA3"),
        (lambda: edit(settings, target_modules=["output_linear"]), "a pattern of its targets"),
        (lambda: edit(settings, target_modules="("), "is no regular expression"),
        (lambda: edit(settings, r="four"), "have to be numbers"),
        (lambda: edit(config, base_digest=None), "no base_digest"),
        (lambda: weights.write_bytes(originals[weights][:-8]), "damaged or incomplete"),
        (lambda: weights.write_bytes(b"\x80\x04\x95" + bytes(100)), "damaged or incomplete"),
        (weights.unlink, r"no adapter_model\.safetensors"),
        (config.unlink, "no config.json|no model can be loaded"),
        (lambda: settings.write_text("{"), "is not JSON"),
    ):  # fmt: skip
        change()
        with pytest.raises(EcgBenchError, match=message) as error:
            load_model(folder)
        assert error.value.fix
        for file, content in originals.items():
            file.write_bytes(content)
    load_model(folder)
    with pytest.raises(CheckpointError, match=r"device_map.*\n.*merge"):
        AutoModelForSequenceClassification.from_pretrained(folder, device_map="auto")
    with pytest.raises(CheckpointError, match="nothing to merge"):
        merge_folder(tmp_path / "base", tmp_path / "merged")


def test_layers_that_a_kind_does_not_work_on():
    net1d = next(case for case in CASES if case.model_id == "net1d")
    grouped = [r"encoder\.stage_list\.1\.block_list\.0\.conv2"]
    with pytest.raises(TrainingError, match=r"IA3 for Linear and Conv2d.*conv2 are Conv1d.*\n.*--adapter lora"):
        add_adapter(net1d.build(), "ia3", targets=grouped)
    with pytest.raises(TrainingError, match=r"is a SameConv.*\n.*--adapter lora"):
        add_adapter(net1d.build(), "dora", targets=grouped)
    with pytest.raises(EcgBenchError, match="did you mean 'lora'"):
        add_adapter(net1d.build(), "lore")
    wrapped = add_adapter(net1d.build(), "lora", rank=4, targets=grouped)
    assert unmergeable(wrapped) == ["base_model.model.encoder.stage_list.1.block_list.0.conv2"]


@pytest.mark.parametrize(
    ("layer", "kind", "message"),
    [
        (torch.nn.Conv1d(8, 8, 3, groups=4), "dora", "has 4 groups"),
        (torch.nn.Conv1d(8, 8, 3, dilation=2), "lora", "dilated convolution"),
        (torch.nn.Conv1d(8, 8, 3, padding=1, padding_mode="circular"), "lora", "pads with other values"),
        (torch.nn.Conv1d(8, 8, 1), "ia3", "Conv1d"),
        (torch.nn.Conv1d(8, 8, 1), "dora", None),
        (torch.nn.Conv1d(8, 8, 5, padding=2, stride=2), "dora", None),
        (torch.nn.Conv2d(8, 8, 3), "ia3", None),
    ],
)
def test_layer_types(layer, kind, message):
    """What PEFT makes of a layer type either computes, after training and merged, what it should, or is refused."""
    model = S4.build()
    model.encoder.extra = layer
    if message:
        with pytest.raises(TrainingError, match=message):
            add_adapter(model, kind, targets=[r"encoder\.extra"], rank=4)
        return
    x = torch.randn(2, 8, 40) if layer.weight.ndim == 3 else torch.randn(2, 8, 9, 9)
    expected = layer(x)
    wrapped = add_adapter(model, kind, targets=[r"encoder\.extra"], rank=4)
    adapted = wrapped.get_base_model().encoder.extra
    torch.testing.assert_close(adapted(x), expected, rtol=1e-5, atol=1e-5)
    with torch.no_grad():
        for value in (p for p in adapted.parameters() if p.requires_grad):
            value += 0.1 * torch.randn_like(value)
        trained = adapted(x)
        assert not torch.allclose(trained, expected, atol=1e-3)
        torch.testing.assert_close(wrapped.merge_and_unload().encoder.extra(x), trained, rtol=1e-4, atol=1e-5)

"""Public files of MERL and ECGFM-KED in every layout that is around, and what the account of each says."""

from __future__ import annotations

import json

import pytest
import torch
from transformers import AutoFeatureExtractor, AutoModel

from hf_ecg_bench.errors import CheckpointError
from hf_ecg_bench.models.convert import build_from_checkpoint, convert
from hf_ecg_bench.models.registry import get_model_spec
from tests.models.public_files import ked, merl_resnet, merl_vit

OTHER = torch.ones(2)
CLIP = {"downconv.weight": OTHER, "att_pool_head.positional_embedding": OTHER, "linear1.weight": OTHER}
CLIP |= {"linear2.bias": OTHER, "lm_model.embeddings.word_embeddings.weight": OTHER, "proj_t.0.weight": OTHER}


@pytest.fixture(scope="module")
def resnet():
    return merl_resnet()


@pytest.fixture(scope="module")
def vit():
    return merl_vit()


@pytest.fixture(scope="module")
def ked_tensors():
    return ked()


def build(model_id, content):
    return build_from_checkpoint(get_model_spec(model_id), content, "file.pth", "digest")


def with_prefix(prefix, tensors):
    return {prefix + name: value for name, value in tensors.items()}


def test_merl_encoder_files(resnet, vit):
    assert (len(resnet), len(vit)) == (122, 148)
    model, report = build("merl", resnet)
    assert (report.options, report.parameters, len(report.used)) == ({"backbone": "resnet"}, 3_848_832, 120)
    assert set(report.ignored) == {"linear.weight", "linear.bias"}
    assert torch.equal(model.backbone.stages[1][0].shortcut.conv.weight, resnet["layer2.0.shortcut.0.weight"][..., 0])
    model, report = build("merl", vit)
    assert (report.options, report.parameters, len(report.used)) == ({"backbone": "vit"}, 5_473_152, 148)
    assert (model.config.hidden_size, model.config.window_seconds, model.config.fixed_length) == (192, 10, 5000)
    assert torch.equal(model.backbone.blocks[11].fc2.bias, vit["block11.ff.fn.net.3.bias"])
    assert not any("parameters" in warning or "trained" in warning for warning in report.warnings)


@pytest.mark.parametrize("wrap", ["plain", "module", "trainer"])
def test_merl_full_checkpoints(resnet, wrap):
    full = with_prefix("ecg_encoder.", resnet) | CLIP
    content = {
        "plain": full,
        "module": with_prefix("module.", full),
        "trainer": {"epoch": 9, "model_state_dict": full, "optimizer": {"state": {0: {"exp_avg": OTHER}}}},
    }[wrap]
    model, report = build("merl", content)
    assert report.prefix == {"module": "module.ecg_encoder."}.get(wrap, "ecg_encoder.")
    assert (len(report.used), len(report.ignored)) == (120, 2 + len(CLIP))
    assert torch.equal(model.backbone.stem.conv.weight[:, :, 0], resnet["conv1.weight"])
    if wrap == "trainer":
        assert "  1 at optimizer ignored: state of the optimizer" in report.describe().splitlines()


def test_merl_says_what_it_looked_for():
    with pytest.raises(
        CheckpointError, match=r"file.pth: neither of MERL's encoders: .*ResNet-18.*ViT-tiny.*found blocks"
    ):
        build("merl", {"blocks.0.weight": OTHER})
    with pytest.raises(CheckpointError, match="not a complete merl checkpoint: 6 of 120 tensors are missing"):
        build("merl", {name: value for name, value in merl_resnet().items() if not name.startswith("layer4.1.bn2")
                       and name != "layer4.1.conv2.weight"})  # fmt: skip


def test_ked_file(ked_tensors, tmp_path):
    assert len(ked_tensors) == 1224
    moments = {0: {"exp_avg": OTHER, "exp_avg_sq": OTHER}}
    torch.save(
        {
            "model": {"decoder_norm.weight": OTHER},
            "ecg_model": ked_tensors,
            "text_encoder": {"embeddings.weight": OTHER, "pooler.weight": OTHER},
            "optimizer": {"state": moments},
            "lr_scheduler": {"last": 3},
            "config": {"lr": 1e-4},
            "epoch": 3,
        },
        tmp_path / "ked.pt",
    )
    report = convert("ecgfm_ked", tmp_path / "ked.pt", tmp_path / "out")
    assert (report.container, report.prefix, report.parameters) == (("ecg_model",), "", 7_865_984)
    assert len(report.used) + len(report.ignored) == 1224
    assert all("convpath" in name for name in report.ignored)
    lines = report.describe().splitlines()
    assert lines[0] == f"ecgfm_ked: {len(report.used)} tensors used, found at ecg_model"
    for line in (
        f"  7,865,984 backbone parameters, as declared; source ked.pt, sha256 {report.sha256}",
        f"  {33 * 18} ignored: registered a second time under this name; the values are the same",
        "  1 at model ignored: the network that asks for labels by their names",
        "  2 at text_encoder ignored: the report encoder (a BERT)",
        "  2 at optimizer ignored: state of the optimizer",
        "  licence of the weights: unknown",
        "  warning: the authors state no licence for the weights that is known here: see "
        "https://zenodo.org/records/14881564 and ask before passing them on",
    ):
        assert line in lines
    assert json.loads(json.dumps(report.to_dict()))["beside"]["model"]["tensors"] == 1
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {"README.md", "config.json", "model.safetensors", "preprocessor_config.json"}
    model = AutoModel.from_pretrained(tmp_path / "out")
    assert torch.equal(model.stages[2][22].convs[1].norm.running_var, ked_tensors["6.22.convs.1.1.running_var"])
    extractor = AutoFeatureExtractor.from_pretrained(tmp_path / "out")
    assert (extractor.sampling_rate, extractor.window_seconds) == (500, 10)


def test_ked_flat_variant(ked_tensors):
    flat = with_prefix("ecg_model.", ked_tensors) | {"model.a": OTHER, "text_encoder.b": OTHER}
    _, report = build("ecgfm_ked", flat)
    assert (report.container, report.prefix) == ((), "ecg_model.")
    assert len(report.used) + len(report.ignored) == 1226
    _, bare = build("ecgfm_ked", {name: value for name, value in ked_tensors.items() if "convpath" not in name})
    assert bare.ignored == {}


def test_ked_second_copies_must_be_equal(ked_tensors):
    changed = {**ked_tensors, "5.1.convpath.0.2.1.bias": ked_tensors["5.1.convpath.0.2.1.bias"] + 1}
    with pytest.raises(CheckpointError, match=r"ecg_model\): '5.1.convpath.0.2.1.bias' should be a second copy"):
        build("ecgfm_ked", {"ecg_model": changed})


def test_ked_without_its_encoder():
    """What the benchmark's loader took for loaded."""
    with pytest.raises(CheckpointError, match=r"file.pth \(model\) is not a complete ecgfm_ked checkpoint: 630 of 630"):
        build("ecgfm_ked", {"model": {"decoder_norm.weight": OTHER}, "text_encoder": {"a": OTHER}})


def test_licences_with_conditions_are_said_aloud():
    for model_id in ("merl", "ecgfm_ked", "ecg_founder"):
        assert "state no licence" in get_model_spec(model_id).license_warning
    for model_id in ("st_mem", "hubert_ecg"):
        assert "non-commercial" in get_model_spec(model_id).license_warning
    assert get_model_spec("s4").license_warning is None

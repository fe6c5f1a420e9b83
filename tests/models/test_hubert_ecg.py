"""HuBERT-ECG's preprocessing against scipy and the oracle, its sizes, its file's names."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.signal import filtfilt, firwin

from hf_ecg_bench.errors import CheckpointError, ContractError
from hf_ecg_bench.models.convert import build_from_checkpoint
from hf_ecg_bench.models.hubert_ecg.band_pass import band_pass, band_pass_taps, preprocess
from hf_ecg_bench.models.hubert_ecg.configuration_hubert_ecg import HubertEcgConfig
from hf_ecg_bench.models.hubert_ecg.modeling_hubert_ecg import HubertEcgModel
from hf_ecg_bench.models.hubert_ecg.spec import SPEC, options_from
from tests.models.fills import classifier, fill
from tests.models.oracles import load_oracle


def test_taps_are_those_of_scipy():
    expected = firwin(31, [0.05, 47], pass_zero=False, fs=100)
    np.testing.assert_allclose(band_pass_taps(), expected, rtol=0, atol=1e-16)


@pytest.mark.parametrize("time", [94, 500, 1037])
def test_filter_is_scipy_s(time):
    x = fill("ecg", (2, 3, time)).float()
    expected = filtfilt(band_pass_taps(), 1.0, x.numpy(), axis=-1)
    np.testing.assert_allclose(band_pass(x).numpy(), expected, rtol=0, atol=1e-14)
    torch.testing.assert_close(band_pass(x.double()), band_pass(x), rtol=0, atol=0)


def test_leads_are_scaled_one_by_one_and_dead_ones_become_minus_one():
    x = fill("ecg", (2, 12, 300)).float()
    x[0, 4] = 0
    x[1, 7] = 0.7
    y = preprocess(x)
    assert y.dtype == torch.float64
    dead = torch.zeros(2, 12, dtype=torch.bool)
    dead[0, 4] = dead[1, 7] = True
    torch.testing.assert_close(y[dead], torch.full((2, 300), -1.0).double(), rtol=0, atol=1e-6)
    torch.testing.assert_close(y[~dead].amin(dim=-1), torch.full((22,), -1.0).double())
    torch.testing.assert_close(y[~dead].amax(dim=-1), torch.ones(22).double(), rtol=0, atol=1e-7)


@pytest.mark.shared
def test_network_gets_what_the_reference_s_gets(shared):
    oracle = load_oracle(shared)
    model = HubertEcgModel(HubertEcgConfig(n_layers=1))
    for dtype, precision in ((torch.float32, "float32"), (torch.float64, "float64")):
        for case, x in oracle.inputs("hubert_ecg").items():
            found = model.to(dtype).prepare_input(x.to(dtype))
            oracle.compare("hubert_ecg", case, {"preprocessed": found}, precision)


def test_original_preprocessing_is_only_joined():
    config = HubertEcgConfig(**{**SPEC.tiny, "preprocessing": "original"})
    x = fill("x", (2, 12, 20)).float()
    x[0, 0, 3] = float("nan")
    assert torch.equal(HubertEcgModel(config).prepare_input(x), torch.nan_to_num(x).flatten(1))
    config.check_length(7)  # 84 joined samples
    with pytest.raises(ContractError, match="at least 7 samples"):
        config.check_length(6)


def test_shortest_window():
    model = classifier("hubert_ecg").eval()
    assert model(torch.randn(2, 12, 94)).last_hidden_state.shape[1] == 17
    with pytest.raises(ContractError, match="at least 94 samples, found 93"):
        model(torch.randn(2, 12, 93))


def test_other_rates_do_not_fit_the_filter():
    with pytest.raises(ContractError, match="made for 100 Hz, found sampling_rate 250"):
        HubertEcgConfig(sampling_rate=250)


def public_shapes(hidden: int, layers: int, inner: int) -> dict[str, tuple[int, ...]]:
    return {
        "feature_projection.projection.weight": (hidden, 512),
        **{f"encoder.layers.{i}.feed_forward.intermediate_dense.weight": (inner, hidden) for i in range(layers)},
    }


@pytest.mark.parametrize(
    ("size", "shapes"), [("small", (512, 8, 2048)), ("base", (768, 12, 3072)), ("large", (960, 16, 3840))]
)
def test_sizes_follow_from_the_tensors(size, shapes):
    config = HubertEcgConfig(**options_from(public_shapes(*shapes)))
    with torch.device("meta"):
        model = HubertEcgModel(config)
    expected = {"base": SPEC.parameters, **SPEC.other_sizes}[size]
    assert sum(p.numel() for p in model.parameters()) == expected
    names = [name for name, _ in model.named_parameters()]
    for name in names:
        assert any(name.startswith(prefix + ".") for prefix in (*SPEC.late, *SPEC.early)), name


def test_other_sizes_are_refused():
    with pytest.raises(CheckpointError, match="512, 768, 960"):
        options_from(public_shapes(640, 8, 2048))
    assert options_from({}) == {}


def small_checkpoint() -> dict[str, torch.Tensor]:
    """The public small layout with one layer, under the file's names."""
    width, inner = 512, 64

    def linear(name, rows, columns):
        return {f"{name}.weight": fill(name, (rows, columns)), f"{name}.bias": fill(name + "b", (rows,))}

    def norm(name, size):
        return {f"{name}.weight": fill(name, (size,)), f"{name}.bias": fill(name + "b", (size,))}

    kernels = (10, 3, 3, 2, 2)
    tensors = {
        f"feature_extractor.conv_layers.{i}.conv.weight": fill(f"conv {i}", (512, 512 if i else 1, kernel))
        for i, kernel in enumerate(kernels)
    }
    tensors |= norm("feature_extractor.conv_layers.0.layer_norm", 512) | norm("feature_projection.layer_norm", 512)
    tensors |= linear("feature_projection.projection", width, 512) | norm("encoder.layer_norm", width)
    layer = "encoder.layers.0."
    for part in "qkv":
        tensors |= linear(f"{layer}attention.{part}_proj", width, width)
    tensors |= linear(layer + "attention.out_proj", width, width)
    tensors |= norm(layer + "layer_norm", width) | norm(layer + "final_layer_norm", width)
    tensors |= linear(layer + "feed_forward.intermediate_dense", inner, width)
    tensors |= linear(layer + "feed_forward.output_dense", width, inner)
    position = "encoder.pos_conv_embed.conv."
    tensors |= {position + "bias": fill("p", (width,)), position + "weight_g": fill("g", (1, 1, 128)).abs()}
    tensors |= {position + "weight_v": fill("v", (width, width // 16, 128)), "masked_spec_embed": fill("m", (width,))}
    tensors |= {"final_proj.0.weight": fill("f", (256, width)), "label_embedding.0.weight": fill("l", (500, 256))}
    return {name: tensor.float() for name, tensor in tensors.items()}


def test_both_namings_and_both_containers_give_the_same_model():
    tensors = small_checkpoint()
    new = {"weight_g": "parametrizations.weight.original0", "weight_v": "parametrizations.weight.original1"}
    renamed = {}
    for name, tensor in tensors.items():
        for old, replacement in new.items():
            name = name.replace(old, replacement)
        renamed[name] = tensor
    flat, report = build_from_checkpoint(SPEC, tensors, "old.safetensors", "")
    nested, _ = build_from_checkpoint(SPEC, {"model_state_dict": renamed, "epoch": 1}, "new.pt", "")
    assert flat.config.n_heads == 8
    assert flat.config.intermediate_size == 64
    assert set(report.ignored) == {"masked_spec_embed", "final_proj.0.weight", "label_embedding.0.weight"}
    for (name, a), (_, b) in zip(flat.state_dict().items(), nested.state_dict().items(), strict=True):
        assert torch.equal(a, b), name
    del tensors["encoder.pos_conv_embed.conv.weight_g"]
    with pytest.raises(CheckpointError, match=r"transformer\.position\.gain|weight_g"):
        build_from_checkpoint(SPEC, tensors, "old.safetensors", "")

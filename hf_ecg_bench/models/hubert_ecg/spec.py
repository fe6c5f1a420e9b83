"""What is declared about HuBERT-ECG."""

from __future__ import annotations

import re
from typing import Any

from hf_ecg_bench.errors import CheckpointError
from hf_ecg_bench.models.overlaps import overlaps_for_all
from hf_ecg_bench.models.spec import ModelSpec, Shapes, Source
from hf_ecg_bench.signals.original import OriginalInput
from hf_ecg_bench.signals.steps import FillMissing, FirBandPass, FourierResample, JoinedDecimation, MinMax

# Hidden size -> (attention heads, layer drop) of small, base and large, from the authors' pretraining code: no tensor
# tells them.
_SIZES = {512: (8, 0.1), 768: (12, 0.1), 960: (12, 0.0)}

_PROJECTION = "feature_projection.projection.weight"
_INNER = "encoder.layers.0.feed_forward.intermediate_dense.weight"


def options_from(shapes: Shapes) -> dict[str, Any]:
    """Sizes of the small, base or large checkpoint by its tensors' shapes; nothing where these are missing."""
    if _PROJECTION not in shapes or _INNER not in shapes:
        return {}
    hidden_size = shapes[_PROJECTION][0]
    if hidden_size not in _SIZES:
        raise CheckpointError(
            f"HuBERT-ECG has the hidden sizes {', '.join(map(str, _SIZES))} (small, base, large), found {hidden_size}"
        )
    n_heads, layer_drop = _SIZES[hidden_size]
    layers = {match[1] for name in shapes if (match := re.match(r"encoder\.layers\.(\d+)\.", name))}
    return {
        "hidden_size": hidden_size,
        "n_layers": len(layers),
        "n_heads": n_heads,
        "intermediate_size": shapes[_INNER][0],
        "layer_drop": layer_drop,
    }


SPEC = ModelSpec(
    id="hubert_ecg",
    title="HuBERT-ECG",
    paper="E. Coppola et al., HuBERT-ECG as a self-supervised foundation model for broad and scalable cardiac "
    "applications, medRxiv 2024.11.14.24317328, 2024",
    citation="""@article{coppola2024hubert,
  title = {{HuBERT-ECG} as a self-supervised foundation model for broad and scalable cardiac applications},
  author = {Coppola, Edoardo and Savardi, Mattia and Massussi, Mauro and Adamo, Marianna and
    Metra, Marco and Signoroni, Alberto},
  journal = {medRxiv},
  year = {2024},
  doi = {10.1101/2024.11.14.24317328}
}""",
    license_code="CC BY-NC 4.0",
    license_weights="CC BY-NC 4.0",
    paper_input="given in mV; the model itself filters (FIR, 0.05 to 47 Hz) and scales each lead of each window",
    parameters=92_798_080,
    other_sizes={"small": 30_209_152, "large": 187_643_776},
    hidden_size=768,
    sampling_rate=100,
    window_seconds=5.0,
    pretraining=("9.1 million ECGs from four countries (see the paper)",),
    overlaps=overlaps_for_all(
        others="unknown",
        reason="pretrained on 9.1 million ECGs from four countries; which public data sets are among them was not "
        "verified",
        source="medRxiv 2024.11.14.24317328",
    ),
    # The large model has 16 layers: like the base model's, those from the seventh on are the late ones.
    late=tuple(f"transformer.layers.{index}" for index in range(6, 16)),
    early=(
        "extractor",
        "feature_norm",
        "projection",
        "transformer.position",
        "transformer.norm",
        *(f"transformer.layers.{index}" for index in range(6)),
    ),
    lora_targets=(r"encoder\.transformer\.layers\.\d+\.([qkv]|out)_proj",),
    ignored_tensors=(
        (r"^masked_spec_embed$", "replaces masked tokens in pretraining"),
        (r"^(final_proj|label_embedding)\.", "predicts the clusters of pretraining"),
    ),
    source=Source(
        host="huggingface",
        location="Edoardo-BS/hubert-ecg-base",
        file="model.safetensors",
        page="https://huggingface.co/Edoardo-BS/hubert-ecg-base",
        sha256="05bc1b1317f8e3063811a03fb840f5bf8a85968191e209c0cfbaa0c52c8aa1ae",
    ),
    containers=("model_state_dict",),
    options_from=options_from,
    renames=(
        (r"^feature_extractor\.conv_layers\.0\.layer_norm\.", "extractor.norm."),
        (r"^feature_extractor\.conv_layers\.(\d+)\.conv\.", r"extractor.convs.\1."),
        (r"^feature_projection\.layer_norm\.", "feature_norm."),
        (r"^feature_projection\.projection\.", "projection."),
        # Both namings of torch's weight norm.
        (
            r"^encoder\.pos_conv_embed\.conv\.(weight_g|parametrizations\.weight\.original0)$",
            "transformer.position.gain",
        ),
        (
            r"^encoder\.pos_conv_embed\.conv\.(weight_v|parametrizations\.weight\.original1)$",
            "transformer.position.direction",
        ),
        (r"^encoder\.pos_conv_embed\.conv\.bias$", "transformer.position.bias"),
        (r"^encoder\.layer_norm\.", "transformer.norm."),
        (r"^encoder\.layers\.(\d+)\.attention\.", r"transformer.layers.\1."),
        (r"^encoder\.layers\.(\d+)\.layer_norm\.", r"transformer.layers.\1.attention_norm."),
        (r"^encoder\.layers\.(\d+)\.feed_forward\.intermediate_dense\.", r"transformer.layers.\1.fc1."),
        (r"^encoder\.layers\.(\d+)\.feed_forward\.output_dense\.", r"transformer.layers.\1.fc2."),
        (r"^encoder\.layers\.(\d+)\.final_layer_norm\.", r"transformer.layers.\1.final_norm."),
    ),
    original=OriginalInput(
        rate=100,
        seconds=5,
        record=(
            FillMissing("record_mean"),
            FirBandPass(0.05, 47, seconds=0.3),
            FourierResample(500),
            MinMax(-1, 1, "lead", epsilon=1e-8),
        ),
        window=(JoinedDecimation(5),),
        note="In the benchmark the model itself filters and scales each window at 100 Hz; here it does neither, "
        "and the ends of neighbouring leads mix. The authors fill missing samples after their filter, with "
        "the mean of the crop, and give pretraining a mask of padded samples: neither is repeated.",
    ),
    tiny={
        "hidden_size": 32,
        "n_layers": 2,
        "n_heads": 4,
        "intermediate_size": 64,
        "extractor_width": 16,
        "position_kernel": 8,
        "position_groups": 4,
    },
    tiny_samples=100,
)

"""What is declared about ECG-FM."""

from hf_ecg_bench.models.overlaps import Overlap, overlaps_for_all
from hf_ecg_bench.models.spec import ModelSpec, Source, Unused
from hf_ecg_bench.signals.original import OriginalInput
from hf_ecg_bench.signals.steps import FillMissing, LinearResample, ZScore

_PAPER = "arXiv 2408.05178, and the page of the weights"
_CHALLENGE = "part of the PhysioNet/CinC Challenge 2021 data, on which it was pretrained"

SPEC = ModelSpec(
    id="ecg_fm",
    title="ECG-FM",
    paper="K. McKeen et al., ECG-FM: An Open Electrocardiogram Foundation Model, JAMIA Open, 2025; arXiv 2408.05178",
    citation="""@article{mckeen2025ecgfm,
  title = {{ECG-FM}: An Open Electrocardiogram Foundation Model},
  author = {McKeen, Kaden and Masood, Sameer and Toma, Augustin and Rubin, Barry and Wang, Bo},
  journal = {JAMIA Open},
  year = {2025},
  note = {arXiv:2408.05178}
}""",
    license_code="MIT",
    license_weights="MIT",
    parameters=90_373_248,
    hidden_size=768,
    sampling_rate=500,
    window_seconds=5.0,
    pretraining=("MIMIC-IV-ECG 1.0", "PhysioNet/CinC Challenge 2021 1.0.3"),
    overlaps=overlaps_for_all(
        *(
            Overlap(dataset, "test_records", _CHALLENGE, _PAPER)
            for dataset in ("ptbxl", "ningbo", "cpsc2018", "cpsc_extra", "georgia", "chapman")
        ),
        Overlap("mimic_iv_ecg", "test_records", "pretrained on MIMIC-IV-ECG 1.0", _PAPER),
        Overlap(
            "ptb",
            "unknown",
            f"{_CHALLENGE}; whether its long recordings at 1000 Hz were used is not stated",
            _PAPER,
        ),
        reason="pretrained on MIMIC-IV-ECG 1.0 and the PhysioNet/CinC Challenge 2021 data only",
        source=_PAPER,
    ),
    late=tuple(f"transformer.layers.{index}" for index in range(6, 12)),
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
        (r"^mask_emb$", "replaces masked tokens in pretraining"),
        (r"^(quantizer|project_q|final_proj)\.", "the contrastive objective of pretraining"),
        (r"^proj\.", "the classifier of a fine-tuned file"),
    ),
    source=Source(
        host="huggingface",
        location="wanglab/ecg-fm",
        file="mimic_iv_ecg_physionet_pretrained.pt",
        page="https://huggingface.co/wanglab/ecg-fm",
        sha256="4d0142bcb485eb9f0c7845e0c19ff3463f6ae9d0e458eab69136efe90ceb9b7e",
    ),
    containers=("model",),
    wrappers=("module.", "model.", "encoder."),  # the last in fine-tuned files
    renames=(
        (r"^feature_extractor\.conv_layers\.0\.2\.", "extractor.norm."),
        (r"^feature_extractor\.conv_layers\.(\d+)\.0\.", r"extractor.convs.\1."),
        (r"^layer_norm\.", "feature_norm."),
        (r"^post_extract_proj\.", "projection."),
        # Both namings of torch's weight norm.
        (r"^conv_pos\.pos_conv\.0\.(weight_g|parametrizations\.weight\.original0)$", "transformer.position.gain"),
        (r"^conv_pos\.pos_conv\.0\.(weight_v|parametrizations\.weight\.original1)$", "transformer.position.direction"),
        (r"^conv_pos\.pos_conv\.0\.bias$", "transformer.position.bias"),
        (r"^encoder\.layer_norm\.", "transformer.norm."),
        (r"^encoder\.layers\.(\d+)\.self_attn\.", r"transformer.layers.\1."),
        (r"^encoder\.layers\.(\d+)\.self_attn_layer_norm\.", r"transformer.layers.\1.attention_norm."),
        (r"^encoder\.layers\.(\d+)\.final_layer_norm\.", r"transformer.layers.\1.final_norm."),
        (r"^encoder\.layers\.", "transformer.layers."),
    ),
    original=OriginalInput(
        rate=500,
        seconds=5,
        record=(FillMissing("zero"), LinearResample(500), ZScore("lead")),
        options={"pooling": "nonzero_mean"},
        note="The benchmark feeds millivolts and pools by the plain mean. The authors put the predictions for the "
        "two halves of a 10 s record together by mean or maximum, depending on the label: here by the mean, "
        "as for all models. What they do about missing samples was not verified.",
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
    tiny_samples=160,
    unused_parameters=(
        Unused(r"encoder\.extractor\.", "the authors' fine-tuning keeps the convolutional extractor as it was"),
    ),
)

"""What is declared about MERL."""

from __future__ import annotations

from typing import Any

from hf_ecg_bench.errors import CheckpointError
from hf_ecg_bench.models.overlaps import Overlap, overlaps_for_all
from hf_ecg_bench.models.spec import Fault, ModelSpec, Shapes, Source, Unused
from hf_ecg_bench.signals.leads import MIMIC_LEADS
from hf_ecg_bench.signals.original import OriginalInput
from hf_ecg_bench.signals.steps import FillMissing, FourierResample, MinMax

_REPORTS = "the report side of the contrastive pretraining"
_PROJECTION = "the projection of the contrastive pretraining"


def options_from(shapes: Shapes) -> dict[str, Any]:
    """Which backbone a file's tensors are."""
    if "layer1.0.conv1.weight" in shapes:
        return {"backbone": "resnet"}
    if "to_patch_embedding.weight" in shapes:
        return {"backbone": "vit"}
    raise CheckpointError(
        "neither of MERL's encoders: expected layer1.0.conv1.weight (ResNet-18) or to_patch_embedding.weight "
        f"(ViT-tiny) among the names, found {', '.join(list(shapes)[:3]) or 'none'}",
        fix=f"check that it is {SPEC.source.file} from {SPEC.source.link}" if SPEC.source else None,
    )


SPEC = ModelSpec(
    id="merl",
    title="MERL",
    paper="C. Liu et al., Zero-Shot ECG Classification with Multimodal Learning and Test-time Clinical Knowledge "
    "Enhancement, ICML 2024",
    citation="""@inproceedings{liu2024merl,
  title = {Zero-Shot {ECG} Classification with Multimodal Learning and Test-time Clinical Knowledge Enhancement},
  author = {Liu, Che and Wan, Zhongwei and Ouyang, Cheng and Shah, Anand and Bai, Wenjia and Arcucci, Rossella},
  booktitle = {Proceedings of the 41st International Conference on Machine Learning},
  year = {2024}
}""",
    license_code="MIT",
    license_weights="unknown",
    parameters=3_848_832,
    other_sizes={"vit": 5_473_152},
    hidden_size=512,
    sampling_rate=500,
    window_seconds=2.5,
    pretraining=("MIMIC-IV-ECG",),
    overlaps=overlaps_for_all(
        Overlap("mimic_iv_ecg", "test_records", "pretrained on MIMIC-IV-ECG, reports included", "arXiv 2403.06659"),
        reason="pretrained on MIMIC-IV-ECG only; no recording of this dataset comes from there",
        source="arXiv 2403.06659",
    ),
    late=("backbone.stages.2", "backbone.stages.3", *(f"backbone.blocks.{n}" for n in range(3, 12)), "backbone.norm"),
    early=(
        "backbone.stem",
        "backbone.stages.0",
        "backbone.stages.1",
        "backbone.patch_embedding",
        "backbone.position_embedding",
        *(f"backbone.blocks.{n}" for n in range(3)),
    ),
    lora_targets=(r"encoder\.backbone\.(stages\.\d+\.\d+\.conv[12]\.conv|blocks\.\d+\.attention\.(qkv|proj))",),
    ignored_tensors=(
        (r"^linear\.", "the classifier of the encoder's class, never trained"),
        (r"^(lm_model|proj_t)\.", _REPORTS),
        (r"^(downconv|att_pool_head|linear1|linear2|proj_e)\.", _PROJECTION),
        (r"^logit_scale$", "the temperature of the contrastive pretraining"),
    ),
    wrappers=("module.", "model.", "ecg_encoder."),
    renames=(
        (r"^conv1\.", "backbone.stem.conv."),
        (r"^bn1\.", "backbone.stem.norm."),
        *((rf"^layer{number}\.", f"backbone.stages.{number - 1}.") for number in range(1, 5)),
        (r"(\.conv[12])\.weight$", r"\1.conv.weight"),
        (r"\.bn([12])\.", r".conv\1.norm."),
        (r"\.shortcut\.0\.", ".shortcut.conv."),
        (r"\.shortcut\.1\.", ".shortcut.norm."),
        (r"^to_patch_embedding\.", "backbone.patch_embedding."),
        (r"^pos_embedding$", "backbone.position_embedding"),
        (r"^norm\.", "backbone.norm."),
        (r"^block(\d+)\.", r"backbone.blocks.\1."),
        (r"\.attn\.norm\.", ".norm1."),
        (r"\.ff\.norm\.", ".norm2."),
        (r"\.attn\.fn\.to_qkv\.", ".attention.qkv."),
        (r"\.attn\.fn\.to_out\.0\.", ".attention.proj."),
        (r"\.ff\.fn\.net\.0\.", ".fc1."),
        (r"\.ff\.fn\.net\.3\.", ".fc2."),
    ),
    options_from=options_from,
    source=Source(
        host="google_drive",
        location="13wb4DppUciMn-Y_qC2JRWTbZdz3xX0w2",
        file="res18_best_encoder.pth",
        page="https://drive.google.com/drive/folders/13wb4DppUciMn-Y_qC2JRWTbZdz3xX0w2",
    ),
    faults=(
        Fault(
            "drifting_batch_norm",
            "the frozen ResNet is put back into train mode, so batch statistics are used and its running ones drift; "
            "any loop that calls train() before each step does this, the authors' own linear probe among them "
            "(read in their code)",
        ),
    ),
    original=OriginalInput(
        rate=500,
        seconds=10,
        record=(FillMissing("local_mean"), FourierResample(500)),
        window=(MinMax(0, 1, "all", epsilon=1e-8),),
        leads=MIMIC_LEADS,
        note="The benchmark feeds millivolts, 2.5 s, and aVL before aVF, so that the encoder sees the two "
        "exchanged. The authors mean to fill missing samples by the mean around them, but their window "
        "contains the missing sample itself and so fills nothing: what pretraining saw there cannot be "
        "repeated. Their stored signals are rounded down to thousandths, which is left out; resampling (their "
        "data have 500 Hz) is by FFT.",
    ),
    tiny={"widths": [16, 32], "depths": [1, 1]},
    tiny_variants={
        "vit": {
            "backbone": "vit",
            "hidden_size": 32,
            "n_layers": 2,
            "n_heads": 2,
            "intermediate_size": 64,
            "patch_size": 25,
            "n_patches": 3,
        }
    },
    unused_parameters=(
        Unused(
            r"encoder\.backbone\.norm\.",
            "the ViT's last norm comes after pooling: tokens have not seen it",
            "attention",
        ),
    ),
)

"""What is declared about ECG-JEPA."""

from hf_ecg_bench.models.overlaps import Overlap, overlaps_for_all
from hf_ecg_bench.models.spec import ModelSpec, Source
from hf_ecg_bench.signals.original import OriginalInput
from hf_ecg_bench.signals.steps import FillMissing, FourierResample

_PAPER = "arXiv 2410.08559"

SPEC = ModelSpec(
    id="ecg_jepa",
    title="ECG-JEPA",
    paper="S. Kim, Learning General Representation of 12-Lead Electrocardiogram With a Joint-Embedding Predictive "
    "Architecture, arXiv:2410.08559, 2024",
    citation="""@article{kim2024jepa,
  title = {Learning General Representation of 12-Lead Electrocardiogram With a Joint-Embedding
    Predictive Architecture},
  author = {Kim, Sehun},
  journal = {arXiv preprint arXiv:2410.08559},
  year = {2024}
}""",
    license_code="MIT",
    license_weights="unknown",
    parameters=85_067_520,
    hidden_size=768,
    sampling_rate=250,
    window_seconds=10.0,
    pretraining=("Chapman", "Ningbo", "CODE-15%"),
    overlaps=overlaps_for_all(
        Overlap("chapman", "test_records", "pretrained on its recordings, without labels", _PAPER),
        Overlap("ningbo", "test_records", "pretrained on its recordings, without labels", _PAPER),
        Overlap(
            "code15",
            "test_records",
            "pretrained on some 130,000 of its 345,779 exams (what the authors' total leaves for it), without labels; "
            "they were not chosen by our split, so test records are among them",
            _PAPER,
        ),
        Overlap(
            "code_test",
            "same_corpus",
            "from the telehealth network that CODE-15% comes from; shared patients were not ruled out",
            f"{_PAPER}; Zenodo 3765780 (CODE-test)",
        ),
        reason="pretrained on the recordings of Chapman, Ningbo and CODE-15% only",
        source=_PAPER,
    ),
    late=(*(f"blocks.{index}" for index in range(3, 12)), "norm"),
    early=("patch_embedding", *(f"blocks.{index}" for index in range(3))),
    lora_targets=(r"encoder\.blocks\.\d+\.attention\.(qkv|proj)",),
    source=Source(
        host="google_drive",
        location="1gMOT4xjQQg0GZkY1iE6NuDzua4ALw00l",
        file="multiblock_epoch100.pth",
        page="https://github.com/sehunfromdaegu/ECG_JEPA",
        sha256="61334869f905a7d6de32bc573c60024eaf6efba7c35c0e45fc2ea7d52b6ff66e",
    ),
    containers=("encoder",),
    renames=(
        (r"^W_P\.", "patch_embedding."),
        (r"^pos_embed$", "position_embedding"),
        (r"^encoder_blocks\.blocks\.", "blocks."),
        (r"\.attn\.", ".attention."),
        (r"\.mlp\.", "."),
    ),
    original=OriginalInput(
        rate=250,
        seconds=10,
        record=(FillMissing("zero"), FourierResample(250)),
        note="Only the resampling differs from the benchmark's. The authors leave records with missing samples "
        "out, here the gaps become 0. CODE-15% went into their pretraining with its 10.24 s squeezed into 10 "
        "s, which is not repeated. The model picks its 8 of the 12 leads itself.",
    ),
    tiny={
        "hidden_size": 32,
        "patch_size": 25,
        "n_patches": 4,
        "n_layers": 2,
        "n_heads": 2,
        "intermediate_size": 48,
    },
    tiny_samples=100,
)

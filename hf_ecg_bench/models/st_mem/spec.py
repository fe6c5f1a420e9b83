"""What is declared about ST-MEM."""

from hf_ecg_bench.models.overlaps import Overlap, overlaps_for_all
from hf_ecg_bench.models.spec import Fault, ModelSpec, Source, Unused
from hf_ecg_bench.signals.original import OriginalInput
from hf_ecg_bench.signals.steps import FillMissing, FourierResample, HighPass, LowPass, ZScore

_PAPER = "arXiv 2402.09450"

SPEC = ModelSpec(
    id="st_mem",
    title="ST-MEM",
    paper="Y. Na et al., Guiding Masked Representation Learning to Capture Spatio-Temporal Relationship of "
    "Electrocardiogram, ICLR 2024",
    citation="""@inproceedings{na2024stmem,
  title = {Guiding Masked Representation Learning to Capture Spatio-Temporal Relationship of
    Electrocardiogram},
  author = {Na, Yeongyeon and Park, Minje and Tae, Yunwon and Joo, Sunghoon},
  booktitle = {International Conference on Learning Representations},
  year = {2024}
}""",
    license_code="CC BY-NC 4.0",
    license_weights="CC BY-NC 4.0",
    license_note='their readme adds "all rights reserved" by VUNO: passing the weights on needs its consent',
    parameters=85_126_038,
    hidden_size=768,
    sampling_rate=250,
    window_seconds=2.4,
    pretraining=("Chapman", "Ningbo", "CODE-15%"),
    overlaps=overlaps_for_all(
        Overlap("chapman", "test_records", "pretrained on its recordings, without labels", _PAPER),
        Overlap("ningbo", "test_records", "pretrained on its recordings, without labels", _PAPER),
        Overlap(
            "code15",
            "test_records",
            "pretrained on its recordings, without labels",
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
    early=("patch_embedding", "sep_embedding", "lead_embeddings", *(f"blocks.{index}" for index in range(3))),
    lora_targets=(r"encoder\.blocks\.\d+\.attention\.(qkv|proj)",),
    ignored_tensors=(
        (r"^mask_embedding$", "stands for masked patches in pretraining"),
        (r"^(decoder_pos_embed$|(to_decoder_embedding|decoder_blocks|decoder_norm|decoder_head)\.)", "the decoder"),
    ),
    # The file with the decoder has `encoder.` before the encoder's names, the other file has not.
    duplicates=((r"^to_patch_embedding\.", "encoder.to_patch_embedding."),),
    source=Source(
        host="google_drive",
        location="14nScwPk35sFi8wc-cuLJLqudVwynKS0n",
        file="st_mem_vit_base_full.pth",
        page="https://github.com/bakqui/ST-MEM",
    ),
    containers=("model",),
    renames=(
        (r"^encoder\.", ""),
        (r"^pos_embedding$", "position_embedding"),
        (r"^to_patch_embedding\.1\.", "patch_embedding.input_norm."),
        (r"^to_patch_embedding\.2\.", "patch_embedding.linear."),
        (r"^to_patch_embedding\.3\.", "patch_embedding.output_norm."),
        (r"^block(\d+)\.", r"blocks.\1."),
        (r"\.attn\.norm\.", ".norm1."),
        (r"\.attn\.fn\.to_qkv\.", ".attention.qkv."),
        (r"\.attn\.fn\.to_out\.0\.", ".attention.proj."),
        (r"\.ff\.norm\.", ".norm2."),
        (r"\.ff\.fn\.net\.0\.", ".fc1."),
        (r"\.ff\.fn\.net\.3\.", ".fc2."),
    ),
    faults=(
        Fault(
            "head_only_groups",
            "fine-tuning trains only the head: the groups of the backbone are chosen by names that begin with "
            "`encoder.`, which none does, so both are empty (measured in the reference, and the published fine-tuned "
            "and linear numbers agree)",
        ),
    ),
    original=OriginalInput(
        rate=250,
        seconds=9,
        record=(FillMissing("zero"), FourierResample(250)),
        window=(HighPass(0.67, order=5), LowPass(40, order=5), ZScore("all")),
        note="The benchmark feeds unfiltered millivolts, 2.4 s at a time. The authors leave records with missing "
        "samples out, here the gaps become 0, and they evaluate the mean of three overlapping crops of 9 s: "
        "here the mean of the windows that fit, with the tail rule `shift` two for a record of 10 s.",
    ),
    tiny={
        "hidden_size": 32,
        "patch_size": 15,
        "max_patches": 6,
        "n_layers": 2,
        "n_heads": 2,
        "intermediate_size": 48,
    },
    tiny_samples=30,
    unused_parameters=(Unused(r"encoder\.norm\.", "only pooled features are normalised", head="attention"),),
)

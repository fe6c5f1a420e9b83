"""What is declared about ECG-CPC."""

from __future__ import annotations

import re
from typing import Any

from hf_ecg_bench.errors import CheckpointError
from hf_ecg_bench.models.overlaps import Overlap, overlaps_for_all
from hf_ecg_bench.models.spec import ModelSpec, Shapes, Source
from hf_ecg_bench.signals.original import OriginalInput
from hf_ecg_bench.signals.steps import Clip, FillMissing, KaiserResample

PRETRAINING_HEAD = r"^head_ssl\."


def options_from(shapes: Shapes) -> dict[str, Any]:
    """l_max, the length the stored C belongs to, from the FFT nodes stored beside it: l_max / 2 + 1 of them."""
    nodes = {shape[0] for name, shape in shapes.items() if re.search(r"\.kernel\.kernel\.omega$", name)}
    if len(nodes) != 1 or min(nodes) < 2:
        raise CheckpointError(
            "the length that C was trained for follows from the number of nodes in kernel.kernel.omega, the same in "
            f"every S4 layer; found {', '.join(map(str, sorted(nodes))) or 'no such tensor'}"
        )
    return {"l_max": 2 * (nodes.pop() - 1)}


SPEC = ModelSpec(
    id="ecg_cpc",
    title="ECG-CPC",
    paper="M. A. Al-Masud et al., Benchmarking ECG Foundational Models: A Reality Check Across Clinical Tasks, ICLR "
    "2026",
    citation="""@inproceedings{almasud2026benchmarking,
  title = {Benchmarking {ECG} Foundational Models: A Reality Check Across Clinical Tasks},
  author = {Al-Masud, M A and Lopez Alcaraz, Juan Miguel and Strodthoff, Nils},
  booktitle = {International Conference on Learning Representations},
  year = {2026},
  eprint = {2509.25095},
  archivePrefix = {arXiv}
}""",
    license_code="unknown",
    license_weights="unknown",
    parameters=2_932_736,
    hidden_size=512,
    sampling_rate=240,
    window_seconds=2.5,
    pretraining=("Harvard-Emory ECG Database",),
    overlaps=overlaps_for_all(
        Overlap(
            "georgia",
            "same_corpus",
            "its ECGs were recorded at Emory University, where part of the Harvard-Emory ECG Database comes from; "
            "whether the same ECGs are in both is not known",
            "arXiv 2509.25095; E. A. Perez Alday et al., Physiological Measurement 41(12), 2020 (Georgia)",
        ),
        reason="pretrained on the Harvard-Emory ECG Database only; no recording of this dataset comes from there",
        source="arXiv 2509.25095",
    ),
    late=("layers",),
    early=("conv_layers",),
    lora_targets=(r"encoder\.layers\.\d+\.output_linear",),
    ignored_tensors=(
        (r"\.kernel\.kernel\.(omega|z)$", "caches of the FFT nodes: only their number is read, it gives l_max"),
        (PRETRAINING_HEAD, "the head of the pretraining (EcgCpcForPreTraining takes it)"),
    ),
    containers=("state_dict",),
    wrappers=("module.", "ts_encoder."),
    renames=(
        (r"^encoder\.layers\.(\d+)\.0\.", r"conv_layers.\1.conv."),
        (r"^encoder\.layers\.(\d+)\.1\.", r"conv_layers.\1.norm."),
        (r"^predictor\.predictor\.", ""),
        (r"^s4_layers\.(\d+)\.kernel\.kernel\.", r"layers.\1.kernel."),
        (r"^s4_layers\.(\d+)\.output_linear\.0\.", r"layers.\1.output_linear."),
        (r"^s4_layers\.", "layers."),
        (r"^norms\.(\d+)\.", r"layers.\1.norm."),
    ),
    options_from=options_from,
    source=Source(
        host="figshare",
        location="30192604/58173919",
        file="ecg_cpc.zip",  # our name for it: figshare knows its files by number
        page="https://figshare.com/articles/dataset/_/30192604",
        member="*.ckpt",
    ),
    original=OriginalInput(
        rate=240,
        seconds=10,
        record=(FillMissing("interpolate"), Clip(3.0), KaiserResample(240)),
        note="The benchmark feeds 2.5 s, neither clipped nor with missing samples interpolated (they become 0). "
        "Whether the released file was made from exactly this recipe is not known.",
    ),
    full_precision=True,
    tiny={"hidden_size": 32, "n_layers": 2, "l_max": 50},
)

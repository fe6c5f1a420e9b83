"""What is declared about ECGFounder."""

from hf_ecg_bench.models.overlaps import Overlap, overlaps_for_all
from hf_ecg_bench.models.spec import ModelSpec, Source, Unused
from hf_ecg_bench.signals.original import OriginalInput
from hf_ecg_bench.signals.steps import BandPass, FillMissing, LinearResample, MedianBaseline, Notch, ZScore

SPEC = ModelSpec(
    id="ecg_founder",
    title="ECGFounder",
    paper="J. Li et al., An Electrocardiogram Foundation Model Built on over 10 Million Recordings, NEJM AI 2(7), 2025",
    citation="""@article{li2025ecgfounder,
  title = {An Electrocardiogram Foundation Model Built on over 10 Million Recordings},
  author = {Li, Jun and Aguirre, Aaron D. and Moura Junior, Valdery and Jin, Jiarui and
    Liu, Che and Zhong, Lanhai and Sun, Chenxi and Clifford, Gari and
    Westover, M. Brandon and Hong, Shenda},
  journal = {NEJM AI},
  volume = {2},
  number = {7},
  pages = {AIoa2401033},
  year = {2025}
}""",
    license_code="MIT",
    license_weights="unknown",
    parameters=30_665_264,
    hidden_size=1024,
    sampling_rate=500,
    window_seconds=2.5,
    pretraining=("Harvard-Emory ECG Database",),
    overlaps=overlaps_for_all(
        Overlap(
            "ptbxl",
            "none",
            "pretrained on the Harvard-Emory ECG Database only; PTB-XL is an external test set of its authors",
            "arXiv 2410.04133",
        ),
        Overlap(
            "georgia",
            "same_corpus",
            "its ECGs were recorded at Emory University, where part of the Harvard-Emory ECG Database comes from; "
            "whether the same ECGs are in both is not known",
            "arXiv 2410.04133; E. A. Perez Alday et al., Physiological Measurement 41(12), 2020 (Georgia)",
        ),
        reason="pretrained on the Harvard-Emory ECG Database only; no recording of this dataset comes from there",
        source="arXiv 2410.04133",
    ),
    late=("stage_list.3", "stage_list.4", "stage_list.5", "stage_list.6"),
    early=("first_conv", "first_bn", "stage_list.0", "stage_list.1", "stage_list.2"),
    lora_targets=(r"encoder\.stage_list\.\d+\.block_list\.\d+\.conv[13]",),
    ignored_tensors=((r"^dense\.", "the classifier of the 150 pretraining labels"),),
    source=Source(
        host="huggingface",
        location="PKUDigitalHealth/ECGFounder",
        file="12_lead_ECGFounder.pth",
        page="https://huggingface.co/PKUDigitalHealth/ECGFounder",
        revision="d9b1793951b2342f5f7e84f1ac03cd37f8a08724",
        sha256="ee199f3781f4ae1f732973267f003da0a759ea12bddb0dd28a77faa60aca7997",
    ),
    containers=("state_dict",),
    renames=((r"\.conv\.", "."),),
    original=OriginalInput(
        rate=500,
        seconds=10,
        record=(
            FillMissing("zero"),
            Notch(50, quality=30),
            BandPass(0.67, 40, order=4),
            MedianBaseline(0.4),
            LinearResample(500),
        ),
        window=(ZScore("all", epsilon=1e-8),),
        note="The benchmark feeds unfiltered millivolts, 2.5 s at a time. The authors' paper names another band "
        "(0.5 to 50 Hz) than their code, which is followed here; their evaluation on PTB-XL z-scores without filters.",
    ),
    tiny={"base_width": 16, "widths": [16, 32], "depths": [2, 1]},
    unused_parameters=(
        Unused(
            r"encoder\.(first_bn|stage_list\.\d+\.block_list\.\d+\.bn[123])\.",
            "batch norms that are in every published checkpoint and that the network never applies",
        ),
    ),
)

"""What is declared about ECGFM-KED."""

from __future__ import annotations

from hf_ecg_bench.models.overlaps import Overlap, overlaps_for_all
from hf_ecg_bench.models.spec import Fault, ModelSpec, Source
from hf_ecg_bench.signals.leads import MIMIC_LEADS
from hf_ecg_bench.signals.original import OriginalInput
from hf_ecg_bench.signals.steps import FillMissing, FourierResample

SPEC = ModelSpec(
    id="ecgfm_ked",
    title="ECGFM-KED",
    paper="Y. Tian et al., Foundation model of ECG diagnosis: Diagnostics and explanations of any form and rhythm on "
    "ECG, Cell Reports Medicine 5(12), 2024",
    citation="""@article{tian2024ecgfmked,
  title = {Foundation model of {ECG} diagnosis: Diagnostics and explanations of any form and rhythm on {ECG}},
  author = {Tian, Yuanyuan and Li, Zhiyuan and Jin, Yanrui and Wang, Mengxiao and Wei, Xiaoyang and
    Zhao, Liqun and Liu, Yunqing and Liu, Jinlei and Liu, Chengliang},
  journal = {Cell Reports Medicine},
  volume = {5},
  number = {12},
  pages = {101875},
  year = {2024},
  doi = {10.1016/j.xcrm.2024.101875}
}""",
    license_code="unknown",
    license_weights="unknown",
    parameters=7_865_984,
    hidden_size=768,
    sampling_rate=500,
    window_seconds=10.0,
    pretraining=("MIMIC-IV-ECG",),
    overlaps=overlaps_for_all(
        Overlap(
            "mimic_iv_ecg",
            "test_records",
            "pretrained on MIMIC-IV-ECG, reports included",
            "doi 10.1016/j.xcrm.2024.101875",
        ),
        reason="pretrained on MIMIC-IV-ECG only; no recording of this dataset comes from there",
        source="doi 10.1016/j.xcrm.2024.101875",
    ),
    late=("stages",),
    early=("stem",),
    lora_targets=(r"encoder\.stages\.\d+\.\d+\.convs\.[02]\.conv",),
    ignored_tensors=(
        (r"^model\.", "the network that asks for labels by their names"),
        (r"^text_encoder\.", "the report encoder (a BERT)"),
    ),
    containers=("ecg_model",),
    wrappers=("module.", "ecg_model."),
    renames=(
        (r"^([0-2])\.", r"stem.\1."),
        *((rf"^{number}\.", f"stages.{number - 4}.") for number in range(4, 8)),
        (r"\.idpath\.[01]\.", ".shortcut."),
        (r"\.0\.weight$", ".conv.weight"),
        (r"\.1\.(weight|bias|running_mean|running_var|num_batches_tracked)$", r".norm.\1"),
    ),
    duplicates=((r"\.convpath\.0\.", ".convs."),),
    source=Source(
        host="zenodo",
        location="14881564",
        file="best_valid_all_increase_with_augment_epoch_3.pt",
        page="https://zenodo.org/records/14881564",
    ),
    faults=(
        Fault(
            "unloaded_weights",
            "the backbone starts from random weights: the benchmark's loader looks for names that begin with "
            "ecg_model. in a file that nests them under that key, matches 0 of 1,224 tensors and says nothing "
            "(read in its code, and measured on a file of that layout)",
        ),
        Fault(
            "drifting_batch_norm",
            "the frozen backbone is put back into train mode, so batch statistics are used and its running ones "
            "drift; any loop that calls train() before each step does this (measured)",
        ),
    ),
    original=OriginalInput(
        rate=100,
        seconds=10,
        record=(FillMissing("zero"), FourierResample(100)),
        leads=MIMIC_LEADS,
        note="The benchmark feeds 500 Hz, five times the rate of pretraining, and aVL before aVF where MIMIC-IV-ECG "
        "has aVF first. The authors put 0 for missing samples after the resampling, which blanks the "
        "whole lead; here gaps alone become 0. Their PTB-XL route standardises with the training set's mean "
        "and standard deviation: left out, as these belong to that data.",
    ),
    tiny={"stem_widths": [8, 8, 16], "widths": [8, 8], "depths": [2, 1]},
)

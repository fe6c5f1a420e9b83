"""What is declared about Net1D."""

from hf_ecg_bench.models.spec import ModelSpec, Unused

SPEC = ModelSpec(
    id="net1d",
    title="Net1D",
    paper="S. Hong et al., HOLMES: Health OnLine Model Ensemble Serving for Deep Learning Models in "
    "Intensive Care Units, KDD 2020",
    citation="""@inproceedings{hong2020holmes,
  title = {{HOLMES}: Health OnLine Model Ensemble Serving for Deep Learning Models in Intensive Care Units},
  author = {Hong, Shenda and Xu, Yanbo and Khare, Alind and Priambada, Satria and
    Maher, Kevin and Aljiffry, Alaa and Sun, Jimeng and Tumanov, Alexey},
  booktitle = {Proceedings of the 26th ACM SIGKDD International Conference on Knowledge Discovery and
    Data Mining},
  year = {2020}
}""",
    license_code="unknown",
    license_weights="Apache-2.0",
    parameters=30_665_264,
    hidden_size=1024,
    sampling_rate=500,
    window_seconds=2.5,
    lora_targets=(r"encoder\.stage_list\.\d+\.block_list\.\d+\.conv[13]",),
    containers=("state_dict",),
    renames=((r"\.conv\.", "."), (r"^dense\.", "head.")),
    tiny={"base_width": 16, "widths": [16, 32], "depths": [2, 1]},
    unused_parameters=(
        Unused(
            r"encoder\.(first_bn|stage_list\.\d+\.block_list\.\d+\.bn[123])\.",
            "batch norms that are in every published checkpoint and that the network never applies",
        ),
    ),
)

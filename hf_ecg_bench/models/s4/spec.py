"""What is declared about S4."""

from hf_ecg_bench.models.spec import ModelSpec

SPEC = ModelSpec(
    id="s4",
    title="S4",
    paper="A. Gu et al., Efficiently Modeling Long Sequences with Structured State Spaces, ICLR 2022",
    citation="""@inproceedings{gu2022efficiently,
  title = {Efficiently Modeling Long Sequences with Structured State Spaces},
  author = {Gu, Albert and Goel, Karan and R{\\'e}, Christopher},
  booktitle = {International Conference on Learning Representations},
  year = {2022}
}""",
    license_code="Apache-2.0",
    license_weights="Apache-2.0",
    parameters=2_146_816,
    hidden_size=512,
    sampling_rate=100,
    window_seconds=2.5,
    lora_targets=(r"encoder\.layers\.\d+\.output_linear",),
    ignored_tensors=(
        (r"\.kernel\.kernel\.(omega|z)$", "caches of the FFT nodes, which this implementation does not need"),
    ),
    renames=(
        (r"^encoder\.", "input_projection."),
        (r"^s4_layers\.(\d+)\.kernel\.kernel\.", r"layers.\1.kernel."),
        (r"^s4_layers\.(\d+)\.output_linear\.0\.", r"layers.\1.output_linear."),
        (r"^s4_layers\.", "layers."),
        (r"^norms\.(\d+)\.", r"layers.\1.norm."),
        (r"^decoder\.", "head."),
    ),
    full_precision=True,
    tiny={"hidden_size": 32, "n_layers": 2, "l_max": 50},
)

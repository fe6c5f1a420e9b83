"""Models as graphs that run without this package: `torch.export` programs, and ONNX files."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.export import Dim, ExportedProgram

from hf_ecg_bench.errors import CheckpointError, EcgBenchError, first_line
from hf_ecg_bench.files import atomic_path
from hf_ecg_bench.models.base import EcgPreTrainedModel
from hf_ecg_bench.models.layers.tensor_cache import kept_as_constants

OUTPUTS = ("logits", "last_hidden_state", "pooler_output")


class _Plain(nn.Module):
    """A model that returns a dictionary of what it always returns."""

    def __init__(self, model: EcgPreTrainedModel) -> None:
        super().__init__()
        self.model = model

    def forward(self, input_values: Tensor) -> dict[str, Tensor]:
        output = self.model(input_values)
        return {name: output[name] for name in OUTPUTS if name in output}


def export_program(model: EcgPreTrainedModel, samples: int | None = None) -> ExportedProgram:
    """The graph of a model in eval mode: input_values (batch, leads, samples) -> dictionary of `OUTPUTS`.

    `export_program(model).module()(windows)` runs it, `torch.export.save` writes it. Missing samples are NaN, as
    for the model.

    Args:
        model: a backbone or a classifier of ours. It is left in eval mode.
        samples: per window; None: the protocol's window. The graph takes this length alone, and any batch of 2
            or more windows.

    Raises:
        EcgBenchError: not one of our models.
        ContractError: a length that the architecture does not take.
    """
    if not isinstance(model, EcgPreTrainedModel):
        raise EcgBenchError(
            f"only models of this package are exported, found {type(model).__name__}", fix="load_model(...)"
        )
    config = model.config
    protocol = config.fixed_length or round(config.window_seconds * config.sampling_rate)
    length = protocol if samples is None else samples
    windows = torch.zeros(3, config.n_leads, length, dtype=model.dtype, device=model.device)
    with torch.no_grad(), kept_as_constants():
        model.eval()(windows)  # leaves kernels in the caches, and says what is wrong in fewer words than the exporter
        return torch.export.export(_Plain(model), (windows,), dynamic_shapes={"input_values": {0: Dim("batch")}})


def export_onnx(model: EcgPreTrainedModel, file: str | Path, samples: int | None = None) -> Path:
    """`export_program` as an ONNX file with input `input_values` and the names of `OUTPUTS` as outputs.

    Raises:
        EcgBenchError: the extra `onnx` is not installed, or the file cannot be written.
        CheckpointError: the model uses an operator that ONNX has not.
    """
    try:
        import onnxscript  # noqa: F401  what torch needs to write ONNX
    except ImportError as error:
        raise EcgBenchError(
            "ONNX files need the packages onnx and onnxscript", fix="pip install 'hf-ecg-bench[onnx]'"
        ) from error
    program = export_program(model, samples)
    names = [name for name in OUTPUTS if name in program.module()(*program.example_inputs[0])]
    talkative = logging.getLogger("torch.onnx")
    level = talkative.level
    talkative.setLevel(logging.ERROR)
    try:
        result: Any = torch.onnx.export(
            program, dynamo=True, input_names=["input_values"], output_names=names, verbose=False
        )
    except torch.onnx.errors.OnnxExporterError as error:
        raise CheckpointError(
            f"{model.config.model_type} cannot be written as ONNX: {first_line(error.__cause__ or error)}",
            fix="use export_program, which takes every model",
        ) from error
    finally:
        talkative.setLevel(level)
    with atomic_path(file) as temporary:
        result.save(str(temporary))
    return Path(file)

"""ECG-CPC with its pretraining objective: to go on from the public checkpoint, or to start anew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from transformers.utils.generic import ModelOutput

from hf_ecg_bench.errors import ContractError
from hf_ecg_bench.files import sha256_file
from hf_ecg_bench.models.archives import unpacked
from hf_ecg_bench.models.base import EcgPreTrainedModel
from hf_ecg_bench.models.checkpoints import read_checkpoint
from hf_ecg_bench.models.conversion.containers import find_tensors
from hf_ecg_bench.models.conversion.exact import load_exactly
from hf_ecg_bench.models.conversion.names import account
from hf_ecg_bench.models.ecg_cpc.configuration_ecg_cpc import EcgCpcConfig
from hf_ecg_bench.models.ecg_cpc.contrastive import cpc_loss, draw_negatives
from hf_ecg_bench.models.ecg_cpc.modeling_ecg_cpc import EcgCpcModel
from hf_ecg_bench.models.ecg_cpc.spec import PRETRAINING_HEAD, SPEC, options_from
from hf_ecg_bench.models.param_groups import param_groups
from hf_ecg_bench.models.trace import Trace


@dataclass
class EcgCpcForPreTrainingOutput(ModelOutput):
    """What a pretraining step returns.

    Attributes:
        loss: see `contrastive.cpc_loss`.
        accuracy: share of positions and sequences whose positive has the largest logit.
        last_hidden_state: tokens of the S4 layers (batch, tokens, hidden_size).
    """

    loss: Tensor | None = None
    accuracy: Tensor | None = None
    last_hidden_state: Tensor | None = None


class EcgCpcForPreTraining(EcgPreTrainedModel):
    """Backbone and linear map `head`, which predicts from each token the convolutions' output some tokens ahead.

    `saving.save_model(model.encoder, folder)` writes the backbone for fine-tuning.
    """

    config_class = EcgCpcConfig

    def __init__(self, config: EcgCpcConfig) -> None:
        super().__init__(config)
        self.encoder = EcgCpcModel(config)
        self.head = nn.Linear(config.hidden_size, config.hidden_size, bias=False)
        self.post_init()

    def forward(
        self,
        input_values: Tensor,
        negatives: Tensor | None = None,
        generator: torch.Generator | None = None,
        return_dict: bool | None = None,
    ) -> EcgCpcForPreTrainingOutput | tuple[Any, ...]:
        """The loss on windows (batch, 12, time) in mV; NaN counts as 0.

        Args:
            negatives: see `contrastive.draw_negatives`; None draws them.
            generator: to draw them with.

        Raises:
            ContractError: the windows have no token to predict.
        """
        encoder, step = self.encoder, self.config.predicted_step
        codes = encoder.convolve(encoder.prepare_input(input_values))
        batch, tokens, _ = codes.shape
        if tokens <= step:
            raise ContractError(
                f"windows of {input_values.shape[-1]} samples are {tokens} tokens: none is {step} ahead of another"
            )
        states = encoder.layers(codes, Trace())
        if negatives is None:
            negatives = draw_negatives(batch, tokens, self.config.n_negatives, step, generator)
        predictions = self.head(states)
        dtype = torch.promote_types(codes.dtype, torch.float32)
        with torch.autocast(codes.device.type, enabled=False):
            loss, accuracy = cpc_loss(predictions.to(dtype), codes.to(dtype), negatives.to(codes.device))
        output = EcgCpcForPreTrainingOutput(loss=loss, accuracy=accuracy, last_hidden_state=states)
        return output if return_dict is None or return_dict else output.to_tuple()


def pretraining_groups(
    model: EcgCpcForPreTraining,
    learning_rate: float = 1e-3,
    weight_decay: float = 1e-3,
    factors: Sequence[float] = (1.0, 0.1, 0.01),
) -> list[dict[str, Any]]:
    """Optimizer groups of the authors' recipe: head, S4 layers and convolutions at learning_rate * factors.

    Their configuration applies the factors that are meant for fine-tuning here too; whether the released model was
    trained so is not known. (1, 1, 1) trains everything at one rate.
    """
    return param_groups(model, learning_rate, weight_decay, factors)


def load_pretraining_checkpoint(checkpoint: str | Path) -> EcgCpcForPreTraining:
    """The public checkpoint, or the archive around it, with its pretraining head; in eval mode: call `train()`.

    Raises:
        CheckpointError: the file is no such checkpoint, or the head is not in it.
    """
    with unpacked(checkpoint, SPEC.source.member if SPEC.source else None) as file:
        return build_pretraining_model(read_checkpoint(file), file.name, sha256_file(file))


def build_pretraining_model(content: dict[str, Any], file_name: str, digest: str) -> EcgCpcForPreTraining:
    """As `load_pretraining_checkpoint`, from the file's content."""
    ignored = tuple(entry for entry in SPEC.ignored_tensors if entry[0] != PRETRAINING_HEAD)
    spec = replace(SPEC, ignored_tensors=ignored, renames=((r"^head_ssl\.proj\.0\.", "head."), *SPEC.renames))
    found = find_tensors(spec, content, file_name)
    lots = account(spec, found.tensors, file_name)
    shapes = {name.removeprefix(lots.prefix): tuple(tensor.shape) for name, tensor in found.tensors.items()}
    config = EcgCpcConfig(**options_from(shapes), source_file=file_name, source_digest=digest)
    model = EcgCpcForPreTraining(config)
    tensors = {
        ours if ours.startswith("head.") else f"encoder.{ours}": found.tensors[full] for full, ours in lots.ours.items()
    }
    load_exactly(model, tensors, spec, file_name)
    return model.eval()

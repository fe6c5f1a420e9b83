"""What models return."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from transformers.utils.generic import ModelOutput


@dataclass
class EcgModelOutput(ModelOutput):
    """A backbone's features.

    Attributes:
        last_hidden_state: sequence features (batch, tokens, hidden_size), what an attention head pools.
        pooler_output: pooled features (batch, hidden_size), what a linear head reads.
        hidden_states: where asked for, the tokens before the first layer and after each layer (or stage).
        attentions: where asked for, each layer's weights (batch, heads, tokens, tokens).
    """

    last_hidden_state: torch.Tensor | None = None
    pooler_output: torch.Tensor | None = None
    hidden_states: tuple[torch.Tensor, ...] | None = None
    attentions: tuple[torch.Tensor, ...] | None = None


@dataclass
class EcgClassifierOutput(ModelOutput):
    """A classifier's answer, and the features behind it.

    Attributes:
        loss: the masked loss where labels were given.
        logits: (batch, targets); z-scored values for regression targets.
        last_hidden_state, pooler_output, hidden_states, attentions: as in EcgModelOutput.
    """

    loss: torch.Tensor | None = None
    logits: torch.Tensor | None = None
    last_hidden_state: torch.Tensor | None = None
    pooler_output: torch.Tensor | None = None
    hidden_states: tuple[torch.Tensor, ...] | None = None
    attentions: tuple[torch.Tensor, ...] | None = None

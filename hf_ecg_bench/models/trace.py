"""What a forward pass is asked to keep beside its result."""

from __future__ import annotations

from torch import Tensor


class Trace:
    """Collects hidden states and attention weights while `forward_features` runs.

    Args:
        hidden_states: keep what `state` is given.
        attentions: keep what `attention` is given; layers compute their weights only where `wants_attentions`.
    """

    def __init__(self, hidden_states: bool = False, attentions: bool = False) -> None:
        self.wants_attentions = attentions
        self._states: list[Tensor] | None = [] if hidden_states else None
        self._attentions: list[Tensor] | None = [] if attentions else None

    def state(self, tokens: Tensor) -> None:
        """Keep the tokens (batch, tokens, width) before the first layer or after a layer."""
        if self._states is not None:
            self._states.append(tokens)

    def attention(self, weights: Tensor | None) -> None:
        """Keep a layer's attention weights (batch, heads, tokens, tokens)."""
        if self._attentions is not None and weights is not None:
            self._attentions.append(weights)

    @property
    def hidden_states(self) -> tuple[Tensor, ...] | None:
        """What was kept, or None where it was not asked for."""
        return None if self._states is None else tuple(self._states)

    @property
    def attentions(self) -> tuple[Tensor, ...] | None:
        """What was kept, or None where it was not asked for."""
        return None if self._attentions is None else tuple(self._attentions)

"""The ways a model is adapted to a task. Adding one is adding one entry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from hf_ecg_bench.errors import unknown_name


@dataclass(frozen=True)
class Mode:
    """How a model is adapted.

    Attributes:
        id: the id users type.
        description: one line for listings.
        head: `linear` on pooled features or `attention` pooling over the tokens.
        pretrained: whether the backbone's weights come from a checkpoint.
        freeze: whether the backbone stays as it is, in eval mode (BatchNorm included).
        layer_rates: whether late and early layers get smaller learning rates than the head.
        adapter: whether small adapters are trained in the frozen backbone, beside the head.
    """

    id: str
    description: str
    head: Literal["linear", "attention"]
    pretrained: bool
    freeze: bool
    layer_rates: bool
    adapter: bool = False

    @property
    def on_features(self) -> bool:
        """Whether the backbone's features are all that training needs, so that they can be read once and stored."""
        return self.freeze and not self.adapter


MODES: dict[str, Mode] = {
    mode.id: mode
    for mode in (
        Mode("finetune", "all weights, linear head, layer-dependent rates", "linear", True, False, True),
        Mode(
            "finetune_attention",
            "all weights, attention-pooling head, layer-dependent rates",
            "attention",
            True,
            False,
            True,
        ),
        Mode("frozen", "attention-pooling head on a frozen backbone", "attention", True, True, False),
        Mode("linear", "linear head on frozen pooled features", "linear", True, True, False),
        Mode(
            "lora", "adapters in a frozen backbone, linear head, one rate", "linear", True, False, False, adapter=True
        ),
        Mode("scratch", "all weights from random initialisation, linear head, one rate", "linear", False, False, False),
    )
}


def get_mode(name: str) -> Mode:
    """The mode of that id; a wrong name raises UnknownNameError with close matches."""
    if name not in MODES:
        raise unknown_name("mode", name, MODES)
    return MODES[name]

"""Configuration of MERL's encoders."""

from __future__ import annotations

from dataclasses import field
from typing import Any

from hf_ecg_bench.errors import ContractError, unknown_name
from hf_ecg_bench.models.configuration import EcgConfig

BACKBONES = ("resnet", "vit")


class MerlConfig(EcgConfig):
    """Which encoder, and its size; the defaults are those of the public checkpoints.

    Args:
        backbone: `resnet` (ResNet-18, any length) or `vit` (ViT-tiny, n_patches * patch_size samples).
        window_seconds: 0 stands for the backbone's own: 2.5 (resnet), 10 (vit).
        hidden_size: 0 stands for the backbone's own: the last of widths (resnet), 192 (vit).
        widths, depths: resnet: channels and blocks of each stage.
        n_layers, n_heads, intermediate_size: vit: blocks, heads, width of the feed-forward layers.
        patch_size, n_patches: vit: samples per token, and tokens of a window.
    """

    model_type = "merl"

    backbone: str = "resnet"
    window_seconds: float = 0.0
    widths: list[int] = field(default_factory=lambda: [64, 128, 256, 512])
    depths: list[int] = field(default_factory=lambda: [2, 2, 2, 2])
    n_layers: int = 12
    n_heads: int = 3
    intermediate_size: int = 768
    patch_size: int = 50
    n_patches: int = 100

    def __post_init__(self, **kwargs: Any) -> None:
        vit = self.backbone == "vit"
        self.window_seconds = self.window_seconds or (10.0 if vit else 2.5)
        self.hidden_size = self.hidden_size or (192 if vit else self.widths[-1])
        super().__post_init__(**kwargs)

    @property
    def fixed_length(self) -> int | None:
        """Samples of a window where the backbone takes no other length."""
        return self.n_patches * self.patch_size if self.backbone == "vit" else None

    def check(self) -> None:
        """See EcgConfig.check."""
        super().check()
        if self.backbone not in BACKBONES:
            raise unknown_name("backbone", str(self.backbone), BACKBONES)
        if self.backbone == "resnet" and (len(self.widths) != len(self.depths) or self.hidden_size != self.widths[-1]):
            raise ContractError(
                f"MERL's ResNet needs a depth per width and the last as hidden_size, found widths {self.widths}, "
                f"depths {self.depths}, hidden_size {self.hidden_size}"
            )
        if self.backbone == "vit" and self.hidden_size % self.n_heads:
            raise ContractError(f"hidden_size {self.hidden_size} cannot be split into {self.n_heads} heads")

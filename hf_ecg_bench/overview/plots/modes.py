"""How a way of adapting looks in every figure: a colour and, for who cannot tell colours, a shape."""

from __future__ import annotations

from typing import Any

from hf_ecg_bench.results.plots.style import BLUE, GREEN, INK, MUTED, ORANGE

_LOOKS: dict[str, tuple[str, str]] = {
    "finetune": (BLUE, "o"),
    "finetune_attention": ("#56b4e9", "p"),
    "frozen": (ORANGE, "s"),
    "linear": (GREEN, "^"),
    "lora": ("#cc79a7", "D"),
    "scratch": (INK, "X"),
}


def mode_look(mode: str) -> dict[str, Any]:
    """`color` and `marker` for matplotlib."""
    colour, marker = _LOOKS.get(mode, (MUTED, "*"))
    return {"color": colour, "marker": marker}

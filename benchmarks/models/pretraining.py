"""A pretraining step of ECG-CPC against the loop over positions."""

from __future__ import annotations

from typing import Any


def measure_pretraining(repeats: int, device: str) -> dict[str, Any]:
    raise NotImplementedError

"""From windows to features in the precision in which they are stored, and back."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from accelerate.utils.memory import clear_device_cache
from transformers import PreTrainedModel

from hf_ecg_bench.data.record_windows import Reader
from hf_ecg_bench.errors import TrainingError
from hf_ecg_bench.features.key import Kind, Stored
from hf_ecg_bench.saying import Say
from hf_ecg_bench.training.surviving.memory import is_out_of_memory

_TORCH = {"fp16": torch.float16, "bf16": torch.bfloat16, "fp32": torch.float32}
_ATTRIBUTE = {"pooled": "pooler_output", "tokens": "last_hidden_state"}
# Rounding to 11 bits changes a vector by 3e-4 of its length; much more means that its values are below float16's range.
_MOST_ROUNDING = 5e-3

#: Windows per forward pass: large ones do not fit a CPU's caches (5 to 20 % slower), small ones leave a GPU idle.
BATCH_SIZES = {"cpu": 32, "cuda": 256}


def run_device() -> torch.device:
    """Where this process computes: its own GPU of a launch, or the CPU."""
    if torch.cuda.is_available():
        return torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
    return torch.device("cpu")


class Encoder:
    """A backbone in eval mode that turns batches of windows into features to store.

    Args:
        model: a classifier or a backbone; it is moved to the device and its backbone left in eval mode.
        kind: `pooled` or `tokens`.
        computed: `fp32`, or autocast to `fp16` or `bf16` (on a GPU only).
        stored: precision of the results.
        say: told when the memory was too small for a batch.
    """

    def __init__(self, model: PreTrainedModel, kind: Kind, computed: str, stored: Stored, say: Say) -> None:
        self.device = run_device()
        model.to(self.device)  # type: ignore[arg-type]
        self.backbone: Any = model.base_model.eval()
        self.kind, self.computed, self.stored, self.say = kind, computed, stored, say
        self.most = 0  # windows per forward pass once the memory was too small; 0: no limit

    @torch.inference_mode()
    def features(self, windows: np.ndarray) -> torch.Tensor:
        """(windows, leads, samples) float32 -> float32 features on the device; in parts where the memory is small."""
        done, parts = 0, []
        while done < len(windows):
            size = min(self.most or len(windows), len(windows) - done)
            try:
                parts.append(self._forward(windows[done : done + size]))
                done += size
            except (RuntimeError, MemoryError) as error:
                if size == 1 or not is_out_of_memory(error):
                    raise
                self.most = size // 2
            if self.most and not done:  # outside of `except`, which would keep the failed pass's tensors
                clear_device_cache(garbage_collection=True)
                self.say(f"out of memory with {size} windows: features are computed from {self.most} at a time")
        return parts[0] if len(parts) == 1 else torch.cat(parts)

    def _forward(self, windows: np.ndarray) -> torch.Tensor:
        batch = torch.from_numpy(windows).to(self.device)
        with torch.autocast(self.device.type, _TORCH[self.computed], enabled=self.computed != "fp32"):
            output = self.backbone(batch)
        features: torch.Tensor = getattr(output, _ATTRIBUTE[self.kind])
        return features.float()

    def encode(
        self, reader: Reader, rows: np.ndarray, starts: np.ndarray, batch_size: int, where: str
    ) -> Iterator[np.ndarray]:
        """Features of these windows in the stored type, a batch at a time.

        Raises:
            TrainingError: features that are not finite, or that the stored precision cannot hold.
        """
        for begin in range(0, len(rows), batch_size):
            batch = slice(begin, begin + batch_size)
            features = self.features(reader.read(rows[batch], starts[batch]))
            yield as_stored(features, self.stored, rows[batch], where)


@torch.inference_mode()
def as_stored(features: torch.Tensor, stored: Stored, rows: np.ndarray, where: str) -> np.ndarray:
    """Float32 features in the stored type (bfloat16 as its bits).

    Args:
        rows, where: of the windows, for messages.

    Raises:
        TrainingError: values that are not finite, overflow float16, or are so small that float16 loses them.
    """
    flat = features.flatten(1)
    finite = torch.isfinite(flat).all(1)
    if not finite.all():
        first = int(rows[int((~finite).int().argmax())])
        raise TrainingError(
            f"{where}: the backbone's features of row {first} are not finite",
            fix="--precision fp32; if it is so already, look at that record",
        )
    kept = features.to(_TORCH[stored])
    if stored == "fp16":
        change = (kept.float() - features).flatten(1).norm(dim=1)
        if not (change <= _MOST_ROUNDING * flat.norm(dim=1)).all():  # an overflow is an infinite change
            raise TrainingError(
                f"{where}: float16 cannot hold the backbone's features (largest {float(flat.abs().max()):.3g}; "
                "it holds 6e-5 to 65504 well)",
                fix="--feature-precision bf16 (or fp32)",
            )
    kept = kept.cpu()
    return kept.view(torch.int16).numpy().view("<u2") if stored == "bf16" else kept.numpy()


def as_tensor(values: np.ndarray, stored: Stored) -> torch.Tensor:
    """A tensor of the stored type over an array of a store (no copy)."""
    return torch.from_numpy(values.view("<i2")).view(torch.bfloat16) if stored == "bf16" else torch.from_numpy(values)

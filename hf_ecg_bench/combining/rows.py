"""The stored features of several models, read span by span."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from hf_ecg_bench.features.stored import StoredFeatures


@dataclass
class CombinedRows:
    """Spans of some records with each model's windows in them; what `StoredFeatures` is for one model.

    Attributes:
        stored: of each model, of the same records.
        windows: of each model, (spans, fitting) rows of its stored features.
        record: (spans,) position of each span's record, ascending.
        is_evaluation: (spans,) bool; the others are random crops.
    """

    stored: Sequence[StoredFeatures]
    windows: Sequence[np.ndarray]
    record: np.ndarray
    is_evaluation: np.ndarray

    def __len__(self) -> int:
        return len(self.record)

    def take(self, rows: np.ndarray) -> dict[str, torch.Tensor]:
        """By the model's number, (n, fitting, dim) or (n, fitting, tokens, dim) in the stored type."""
        parts = {}
        for number, (stored, windows) in enumerate(zip(self.stored, self.windows, strict=True)):
            wanted = windows[rows]
            parts[str(number)] = stored.take(wanted.reshape(-1)).reshape(*wanted.shape, *stored.shape)
        return parts

    def read(self, rows: np.ndarray) -> np.ndarray:
        """(n, sum of dims) float32, of pooled features: what a linear head reads."""
        return joined(self.take(rows)).numpy()

    def only(self, spans: np.ndarray) -> CombinedRows:
        """These spans alone, of the same records. Args: spans: (spans,) bool or positions, ascending."""
        return replace(
            self,
            windows=[windows[spans] for windows in self.windows],
            record=self.record[spans],
            is_evaluation=self.is_evaluation[spans],
        )

    def of_records(self, records: np.ndarray) -> CombinedRows:
        """The spans of these records alone. Args: records: (n,) positions among the records, ascending."""
        kept = self.only(np.isin(self.record, records))
        return replace(kept, record=np.searchsorted(records, kept.record))


def joined(parts: dict[str, torch.Tensor]) -> torch.Tensor:
    """Pooled features (n, fitting, dim) of each model -> (n, sum of dims) float32: means over windows, side by side."""
    return torch.cat([part.float().mean(1) for part in parts.values()], dim=1)

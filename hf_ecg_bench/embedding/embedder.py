"""A pretrained model with its feature extractor: a recording in, a vector out."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from hf_ecg_bench.data.ecg_record import check_lead_order
from hf_ecg_bench.errors import ContractError, EcgBenchError, unknown_name
from hf_ecg_bench.models.feature_extraction import EcgFeatureExtractor
from hf_ecg_bench.models.loading import load_model
from hf_ecg_bench.models.registry import model_id_of
from hf_ecg_bench.models.resolve import resolve_model, weights_digest
from hf_ecg_bench.signals.contract import VOLTS
from hf_ecg_bench.signals.leads import LEADS, to_canonical

POOLINGS = ("model", "mean", "max")


class Embedder:
    """Turns recordings into vectors with a model's pretrained backbone, frozen and in eval mode.

    Args:
        model: a model id, a folder or a Hub id, found as `load_model` finds it.
        preprocessing: `paper` or `original`; None keeps what the model's folder says.
        pooling: of the tokens of a window: `model` (what a linear head reads), `mean` or `max`.
        batch_size: windows per forward pass; changes no result beyond rounding.
        device: `cpu`, `cuda`, ...; None takes a GPU where there is one.
    """

    def __init__(
        self,
        model: str | os.PathLike[str],
        *,
        preprocessing: str | None = None,
        pooling: str = "model",
        batch_size: int = 32,
        device: str | None = None,
    ) -> None:
        if pooling not in POOLINGS:
            raise unknown_name("pooling", pooling, POOLINGS)
        if batch_size < 1:
            raise ContractError(f"a batch of {batch_size} windows; expected at least 1")
        found = resolve_model(model)
        self.pooling, self.batch_size = pooling, batch_size
        self.source, self.digest = os.fspath(model), weights_digest(found.folder)
        self.device = _device(device)
        loaded: Any = load_model(found.folder, preprocessing=preprocessing)
        self.model = loaded.base_model.to(self.device).eval()
        self.config = self.model.config
        self.extractor = EcgFeatureExtractor.from_config(self.config)

    @property
    def width(self) -> int:
        """Numbers in a vector."""
        return int(self.config.hidden_size)

    def __call__(
        self,
        signal: Any,
        sampling_rate: float | None = None,
        *,
        unit: str = "mV",
        leads: Sequence[str] = LEADS,
        per_window: bool = False,
        check_leads: bool = True,
    ) -> np.ndarray:
        """The embedding of a recording.

        Args:
            signal: (time, leads) in `unit`, NaN where samples are missing; what `read_record` gives.
            sampling_rate: Hz. It cannot be guessed, so it has to be given.
            leads: names of the columns, in any order; all twelve are needed.
            per_window: a row for each window instead of their mean.
            check_leads: whether limb leads that contradict each other are refused.

        Returns:
            (width,) float32, or (windows, width).

        Raises:
            ContractError: no or an impossible sampling rate, another shape or unit, a record shorter than a window.
            DataError: missing leads, or limb leads that contradict each other, as they do in a wrong order.
        """
        features = self.features(self.windows(signal, sampling_rate, unit=unit, leads=leads, check_leads=check_leads))
        return features if per_window else features.mean(axis=0)

    def windows(
        self,
        signal: Any,
        sampling_rate: float | None,
        *,
        unit: str = "mV",
        leads: Sequence[str] = LEADS,
        where: str = "the record",
        check_leads: bool = True,
    ) -> np.ndarray:
        """(windows, leads of the model, samples) float32: what the model takes of a recording.

        Args:
            where: what to call the recording in errors.
            check_leads: whether limb leads that contradict each other are refused.
        """
        signal = np.asarray(signal)
        if signal.ndim == 2 and signal.shape[1] == len(leads) and signal.dtype.kind in "fiu":  # else: the extractor
            signal = to_canonical(signal, leads, where=where, missing="error")
            leads = LEADS
            if check_leads and unit in VOLTS:
                check_lead_order(signal * np.float32(VOLTS[unit] * 1e3), where=where)
        batch = self.extractor(signal, sampling_rate=sampling_rate, unit=unit, leads=leads, return_tensors="np")
        return batch["input_values"]

    def features(self, windows: np.ndarray) -> np.ndarray:
        """(windows, width) float32: the pooled features of windows."""
        parts = []
        with torch.inference_mode():
            for start in range(0, len(windows), self.batch_size):
                batch = torch.from_numpy(windows[start : start + self.batch_size]).to(self.device)
                output = self.model(batch)
                if self.pooling == "model":
                    pooled = output.pooler_output
                else:
                    tokens = output.last_hidden_state
                    pooled = tokens.mean(dim=1) if self.pooling == "mean" else tokens.amax(dim=1)
                parts.append(pooled.float().cpu().numpy())
        return np.concatenate(parts)

    def facts(self) -> dict[str, Any]:
        """What identifies these embeddings, as JSON values."""
        return {
            "model": model_id_of(self.config.model_type),
            "source": self.source,
            "digest": self.digest,
            "checkpoint_digest": self.config.source_digest,
            "preprocessing": self.config.preprocessing,
            "sampling_rate": self.config.sampling_rate,
            "window_seconds": self.config.window_seconds,
            "pooling": self.pooling,
            "width": self.width,
        }


def _device(name: str | None) -> torch.device:
    try:
        device = torch.device(name or ("cuda" if torch.cuda.is_available() else "cpu"))
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        raise EcgBenchError(
            f"device {name!r} cannot be used here: {str(error).splitlines()[0]}", fix="--device cpu"
        ) from error
    return device

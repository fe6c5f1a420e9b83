"""How long one record takes from its samples to the model's outputs."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import torch
from transformers import PreTrainedModel

from hf_ecg_bench.models.feature_extraction import EcgFeatureExtractor
from hf_ecg_bench.signals.leads import LEADS
from hf_ecg_bench.training.costs.undisturbed import undisturbed

SECONDS = 10.0
_WARM_UP = 2
_AT_LEAST, _AT_MOST = 3, 25
_BUDGET = 0.5  # seconds of repetitions
_TYPES = {"fp16": torch.float16, "bf16": torch.bfloat16}


def latency(
    model: PreTrainedModel, extractor: EcgFeatureExtractor, sampling_rate: int, precision: str = "fp32"
) -> dict[str, Any]:
    """Time of one 10 s record: (time, 12) mV at the dataset's rate -> windows -> one batch -> logits on the CPU.

    On the device that the model is on; the model is left as it was.

    Args:
        sampling_rate: Hz of the record.
        precision: `fp32`, or `fp16` or `bf16` by autocast.

    Returns:
        {median_seconds, p95_seconds, repetitions, windows, device, precision, threads}, warmed up; repeated for about
        half a second, at least 3 and at most 25 times.

    Raises:
        ContractError: the model cannot be fed with 10 s at this rate.
    """
    record = example_record(sampling_rate)
    device = next(model.parameters()).device
    windows = 0

    def once() -> None:
        nonlocal windows
        batch = extractor(record, sampling_rate=sampling_rate)["input_values"]
        windows = len(batch)
        with torch.autocast(device.type, _TYPES.get(precision), enabled=precision in _TYPES):
            model(batch.to(device)).logits.float().cpu()  # .cpu() waits for the device

    times: list[float] = []
    with undisturbed(model), torch.inference_mode():
        start, slow = time.perf_counter(), False
        for _ in range(_WARM_UP):
            if not slow:
                once()
                slow = time.perf_counter() - start > _BUDGET
        while len(times) < _AT_LEAST or (not slow and len(times) < _AT_MOST and sum(times) < _BUDGET):
            start = time.perf_counter()
            once()
            times.append(time.perf_counter() - start)
    return {
        "median_seconds": float(np.median(times)),
        "p95_seconds": float(np.quantile(times, 0.95)),
        "repetitions": len(times),
        "windows": windows,
        "device": str(device.type),
        "precision": precision,
        "threads": torch.get_num_threads(),
    }


def example_record(rate: int) -> np.ndarray:
    """(time, 12) in mV: limb leads that fit each other, as every preprocessing wants them. No noise is drawn."""
    seconds = np.arange(round(SECONDS * rate)) / rate
    first, second = np.sin(2 * np.pi * 1.2 * seconds), 0.8 * np.sin(2 * np.pi * 1.2 * seconds + 0.3)
    limb = [first, second, second - first, -(first + second) / 2, first - second / 2, second - first / 2]
    chest = [np.sin(2 * np.pi * (1.2 + 0.1 * lead) * seconds) for lead in range(len(LEADS) - len(limb))]
    return np.stack([*limb, *chest], axis=1).astype(np.float32)

"""Digests of what a run reads, cheap enough to compare before torch is imported."""

from __future__ import annotations

import json
from pathlib import Path

from hf_ecg_bench.files import sha256_file
from hf_ecg_bench.names import INFO_FILE, NAMESPACE
from hf_ecg_bench.training.spec import RunSpec

_WEIGHTS = "model.safetensors"


def input_digests(spec: RunSpec, dataset_id: str) -> dict[str, str | None]:
    """`dataset` and `model`: what lies in the local folders that the run will read; None for what comes from elsewhere.

    Part of a run's identity: a dataset prepared again or weights converted again under the same path are another run.
    """
    data = Path(spec.data) if spec.data else Path(NAMESPACE) / dataset_id
    return {"dataset": _dataset_digest(data / INFO_FILE), "model": _file_digest(Path(spec.model) / _WEIGHTS)}


def _dataset_digest(path: Path) -> str | None:
    try:
        return str(json.loads(path.read_text(encoding="utf-8"))["digest"])
    except (OSError, ValueError, KeyError, TypeError):
        return None  # not a prepared folder: opening it says what is wrong


def _file_digest(path: Path) -> str | None:
    return sha256_file(path) if path.is_file() else None

"""hf_ecg_bench: evaluate ECG foundation models the Hugging Face way.

Importing this package is light: no torch, no datasets, no import hook. Names are loaded on first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from hf_ecg_bench.data.ecg_record import read_record
    from hf_ecg_bench.data.registry import list_datasets
    from hf_ecg_bench.embedding.embedder import Embedder
    from hf_ecg_bench.models.loading import load_model
    from hf_ecg_bench.models.registry import list_models
    from hf_ecg_bench.tasks import get_task, list_tasks
    from hf_ecg_bench.training.run import run
    from hf_ecg_bench.training.spec import RunSpec

_PUBLIC = {
    "Embedder": "hf_ecg_bench.embedding.embedder",
    "read_record": "hf_ecg_bench.data.ecg_record",
    "list_datasets": "hf_ecg_bench.data.registry",
    "list_tasks": "hf_ecg_bench.tasks",
    "list_models": "hf_ecg_bench.models.registry",
    "get_task": "hf_ecg_bench.tasks",
    "load_model": "hf_ecg_bench.models.loading",
    "run": "hf_ecg_bench.training.run",
    "RunSpec": "hf_ecg_bench.training.spec",
}

__all__ = [
    "Embedder",
    "RunSpec",
    "__version__",
    "get_task",
    "list_datasets",
    "list_models",
    "list_tasks",
    "load_model",
    "read_record",
    "run",
]


def __getattr__(name: str) -> Any:
    if name in _PUBLIC:
        return getattr(import_module(_PUBLIC[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)

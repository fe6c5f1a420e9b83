"""A cache of its own for every test, a tiny backbone and the embedded data's records."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from transformers import PreTrainedModel

from hf_ecg_bench.data.load import load_prepared
from hf_ecg_bench.features.planning import plan_features
from hf_ecg_bench.features.store import open_planned
from hf_ecg_bench.features.stored import StoredFeatures
from hf_ecg_bench.models.loading import load_model
from hf_ecg_bench.saying import silent
from hf_ecg_bench.tasks import get_task
from hf_ecg_bench.training.build import conversion_plan
from hf_ecg_bench.training.records.of_task import TaskRecords, task_records
from tests.training.conftest import quick_collections  # noqa: F401

FOUNDER = {"base_width": 16, "widths": [16] * 4, "depths": [1] * 4, "window_seconds": 2.5}


@pytest.fixture(autouse=True)
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The cache's root."""
    root = tmp_path / "cache"
    monkeypatch.setenv("HF_ECG_BENCH_CACHE", str(root))
    return root


@dataclass
class Case:
    """What `plan_features` needs; `open` changes single arguments."""

    records: TaskRecords
    digest: str
    model: PreTrainedModel

    def arguments(self, **changes: Any) -> dict[str, Any]:
        """Of `plan_features`, for the test split: 37 records, one block of 148 windows or more."""
        name = changes.get("split_name", "test")
        values = {
            "model": self.model,
            "split": self.records.splits[name],
            "kind": "pooled",
            "data_digest": self.digest,
            "split_name": name,
            "dataset": "synthetic",
            "batch_size": 32,
            **changes,
        }
        values.setdefault("plan", conversion_plan(self.records, values["model"].config, "here"))
        return values

    def open(self, **changes: Any) -> StoredFeatures:
        """The store, complete."""
        say = changes.pop("say", silent)
        arguments = self.arguments(**changes)
        return open_planned([plan_features(**arguments)], arguments["model"], say)[0]


@pytest.fixture(scope="session")
def _synthetic(synthetic_folder: Path) -> tuple[TaskRecords, str]:
    prepared = load_prepared(synthetic_folder)
    return task_records(prepared, get_task("synthetic")), prepared.info["digest"]


@pytest.fixture
def case(_synthetic: tuple[TaskRecords, str]) -> Case:
    """A narrow ECGFounder on the embedded data."""
    return Case(*_synthetic, load_model("ecg_founder", pretrained=False, seed=0, **FOUNDER))

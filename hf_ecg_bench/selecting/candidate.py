"""What can be picked: a model, adapted in one way."""

from __future__ import annotations

from dataclasses import dataclass

from hf_ecg_bench.models.registry import MODELS
from hf_ecg_bench.names import NAMESPACE
from hf_ecg_bench.results.row import Row


@dataclass(frozen=True, order=True)
class Candidate:
    """A model (an id, or the folder of weights of its own) and a mode."""

    model: str
    mode: str

    @property
    def key(self) -> str:
        """`merl/lora`."""
        return f"{self.model}/{self.mode}"


def model_name(text: str) -> str:
    """The model id behind an id or its Hub id; any other text, a folder, is a model of its own."""
    bare = text.removeprefix(f"{NAMESPACE}/").replace("-", "_")
    return bare if bare in MODELS else text


def candidate_of(row: Row) -> Candidate:
    """Weights from a folder are not those of the public checkpoint, whatever their architecture is."""
    named = model_name(row.model_source) if row.model_source and row.mode != "scratch" else row.model
    return Candidate(named, row.mode)

"""What is declared about a model, readable without torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from hf_ecg_bench.names import NAMESPACE


@dataclass(frozen=True)
class Overlap:
    """Pretraining data against one of our datasets: `yes`, `no` or `unknown`, with the reason."""

    dataset: str
    state: Literal["yes", "no", "unknown"]
    reason: str


@dataclass(frozen=True)
class ModelSpec:
    """Facts about a model that listings, cards, the signal contract and the training need.

    Attributes:
        id: the id users type (`ecg_founder`).
        title: the name in tables (`ECGFounder`).
        paper, citation: one line, and BibTeX.
        license_code, license_weights: as the authors state them; `unknown` where they do not.
        parameters: of the backbone.
        hidden_size: width of the tokens and of the pooled features.
        sampling_rate: Hz the model is fed with in the paper's protocol.
        window_seconds: length of a window in the paper's protocol.
        fixed_length: samples per window where the architecture takes no other length, else None.
        pretraining: datasets it was pretrained on; empty for a supervised baseline.
        overlaps: what of that overlaps with our test sets.
        late, early: parameter-name prefixes (inside the backbone) of the two layer groups; both empty: one
            group.
        lora_targets: module-name patterns for adapters.
        ignored_tensors: patterns of checkpoint tensors that are deliberately not used, with the reason.
        containers: keys under which the public file nests the tensors (`state_dict`); a flat file is accepted
            as well.
        wrappers: prefixes that may stand before every tensor name (what training wrappers add).
        renames: (pattern, replacement) from public tensor names to ours, applied in order.
        checkpoint: where the public checkpoint is, or None for a model that is trained from scratch.
        checkpoint_file: its file name.
        full_precision: True where the paper's protocol trains in float32 even on a GPU.
    """

    id: str
    title: str
    paper: str
    citation: str
    license_code: str
    license_weights: str
    parameters: int
    hidden_size: int
    sampling_rate: int
    window_seconds: float
    pretraining: tuple[str, ...] = ()
    overlaps: tuple[Overlap, ...] = ()
    late: tuple[str, ...] = ()
    early: tuple[str, ...] = ()
    lora_targets: tuple[str, ...] = ()
    ignored_tensors: tuple[tuple[str, str], ...] = ()
    containers: tuple[str, ...] = ()
    wrappers: tuple[str, ...] = ("module.", "model.")
    renames: tuple[tuple[str, str], ...] = ()
    checkpoint: str | None = None
    checkpoint_file: str | None = None
    fixed_length: int | None = None
    full_precision: bool = False

    @property
    def hub_id(self) -> str:
        """The Hub id, `ecg-bench/<id with - for _>`."""
        return f"{NAMESPACE}/{self.id.replace('_', '-')}"

    @property
    def pretrained(self) -> bool:
        """Whether there is a public checkpoint to adapt."""
        return self.checkpoint is not None

"""What a model's pretraining has seen of the datasets that models are tested on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

#: `none`: nothing of the dataset; `same_corpus`: other records from where it comes from (the same hospitals or the same
#: collection), so that patients may be shared; `test_records`: records of its test split; `unknown`: nobody knows.
OverlapState = Literal["test_records", "same_corpus", "unknown", "none"]
#: From the one that flatters a score most.
STATES: tuple[OverlapState, ...] = get_args(OverlapState)

#: Ids of the datasets that models are tested on.
TEST_SETS = (
    *("ptb", "ptbxl", "ningbo", "cpsc2018", "cpsc_extra", "georgia", "chapman"),
    *("sph", "code15", "code_test", "echonext", "zzu_pecg", "mimic_iv_ecg"),
)


@dataclass(frozen=True)
class Overlap:
    """Pretraining data against one of our datasets.

    Attributes:
        dataset: its id.
        state: what was seen of it.
        reason: why that follows.
        source: who says so.
    """

    dataset: str
    state: OverlapState
    reason: str
    source: str


def overlaps_for_all(*known: Overlap, others: OverlapState = "none", reason: str, source: str) -> tuple[Overlap, ...]:
    """An overlap for each test set: the known ones first, then all others with one state, reason and source."""
    named = {overlap.dataset for overlap in known}
    return (*known, *(Overlap(dataset, others, reason, source) for dataset in TEST_SETS if dataset not in named))


def worst(states: list[OverlapState]) -> OverlapState:
    """The state of models together: that of the one whose scores may be flattered most; of no model, `none`."""
    return min(states, key=STATES.index, default="none")

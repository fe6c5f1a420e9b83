"""Whether a further test set is new to a model: recordings it was trained on, corpora it was pretrained on."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from hf_ecg_bench.data.folder_rows import PreparedFolder
from hf_ecg_bench.data.overlap import find_overlaps
from hf_ecg_bench.errors import EcgBenchError
from hf_ecg_bench.models.overlaps import TEST_SETS
from hf_ecg_bench.models.registry import MODELS
from hf_ecg_bench.results.contamination import contamination_elsewhere
from hf_ecg_bench.results.schema import Result

_SEEN = ("train", "validation")


def seen_recordings(home: str, there: str) -> tuple[frozenset[str], str | None]:
    """Ids of a prepared folder's test records whose recordings are also in another's training or validation split.

    Args:
        home: the folder that a model was trained on.
        there: the folder it is to be tested on.

    Returns:
        The ids, and why nobody could look (then there are none), or None.
    """
    for source in (home, there):
        if not Path(source).is_dir():
            return frozenset(), f"{source} is not a prepared folder"
    try:
        found = find_overlaps([PreparedFolder.open(Path(home)), PreparedFolder.open(Path(there))])
    except EcgBenchError as error:
        return frozenset(), error.message
    seen = set()
    for group in found["groups"]:
        if any(dataset == 0 and split in _SEEN for dataset, _, split in group):
            seen |= {record for dataset, record, split in group if dataset == 1 and split == "test"}
    return frozenset(seen), None


def unseen(record_id: np.ndarray, seen: frozenset[str]) -> np.ndarray:
    """Positions of the records that are not among `seen`."""
    return np.flatnonzero([str(record) not in seen for record in record_id.tolist()])


def pretraining_warnings(result: Result, dataset: str) -> list[str]:
    """What is known of a model's pretraining, and of what it was trained on, and a further dataset."""
    model = str(result.model.get("id"))
    found = contamination_elsewhere(result.model, str(result.dataset.get("id")), dataset, result.mode)
    if model not in MODELS or found.state == "none" or dataset not in TEST_SETS:
        return []
    if found.state == "test_records":
        return [f"{model} was pretrained on recordings of {dataset} ({found.reason}): no test on new patients"]
    if found.state == "same_corpus":
        return [f"{model} has seen recordings from where {dataset} comes from ({found.reason})"]
    return [f"whether {model} was pretrained on recordings of {dataset} is not known ({found.reason})"]

"""Digests of what cells read, as far as it lies on this machine; nothing is fetched here."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from hf_ecg_bench.combining.members import member_names
from hf_ecg_bench.errors import EcgBenchError
from hf_ecg_bench.grid.plan import Cell
from hf_ecg_bench.models.resolve import find_local, weights_digest
from hf_ecg_bench.names import INFO_FILE, NAMESPACE
from hf_ecg_bench.tasks import get_task
from hf_ecg_bench.training.modes import get_mode
from hf_ecg_bench.training.spec import RunSpec

#: In place of a digest: what is meant is not on this machine yet, so that nothing can be said about it.
UNKNOWN = "unknown"


def local_inputs(cells: Iterable[Cell]) -> dict[str, dict[str, Any]]:
    """By cell what `training.digests.input_digests` will find; `UNKNOWN` for weights that are still to be fetched."""
    weights: dict[str, str | None] = {}
    data: dict[str, str | None] = {}
    found = {}
    for cell in cells:
        run = cell.run
        place = run.data or str(Path(NAMESPACE) / get_task(run.task).dataset)
        if place not in data:
            data[place] = data_digest(Path(place))
        model = None
        if get_mode(run.mode).pretrained:
            if run.model not in weights:
                weights[run.model] = _weights(run)
            model = weights[run.model]
        found[cell.id] = {"dataset": data[place], "model": model}
    return found


def expected_identity(run: RunSpec, inputs: dict[str, Any]) -> dict[str, Any]:
    """What the cell's run.json should say."""
    identity: dict[str, Any] = {**run.identity(), "inputs": inputs}
    return identity


def dataset_info(run: RunSpec) -> dict[str, Any]:
    """What ecg_bench.json of the run's data says; empty where they are not on this machine."""
    place = Path(run.data or Path(NAMESPACE) / get_task(run.task).dataset)
    try:
        value = json.loads((place / INFO_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def _weights(run: RunSpec) -> str | None:
    if run.fault is not None:  # some start from random weights: the run itself says which
        return UNKNOWN
    digests = []
    for name in member_names(run.model):
        try:
            local = find_local(name)
        except EcgBenchError:  # said by the cell itself
            local = None
        if local is None:
            return UNKNOWN
        digests.append(str(weights_digest(local.folder)))
    return "+".join(digests)


def data_digest(folder: Path) -> str | None:
    """Of a prepared dataset; None where there is none."""
    try:
        return str(json.loads((folder / INFO_FILE).read_text(encoding="utf-8"))["digest"])
    except (OSError, ValueError, KeyError, TypeError):
        return None

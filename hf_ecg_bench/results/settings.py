"""What tells runs of one model and mode apart: the settings that decide a training, in words and as a digest."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from hf_ecg_bench.errors import PredictionsError
from hf_ecg_bench.results.schema import Result
from hf_ecg_bench.training.protocol import PROTOCOLS

Settings = dict[str, Any]
#: Characters of `settings_digest`.
DIGITS = 12
# Chosen by the machine, or splitting the work without changing a step.
_MACHINE = {"precision", "accumulation", "evaluation_batch_size", "gradient_checkpointing", "compile"}
# They follow from the training records, or were chosen on the validation records (the convex solver's penalty).
_FOLLOWING = {"target_mean", "target_std", "target_units", "strength"}
_USUAL = {"limit": "none", "subset": "nested"}


def training_settings(result: Result) -> Settings:
    """What was decided about the training and is not usual: hyperparameters that are not the paper's, and limit and
    rule of the subset.

    Not among them: what follows from the task's records (scales of the targets), what the machine decides (precision,
    micro-batches), what validation chose (the rate of a search), and seed and fraction. Numbers are floats, so that 1
    and 1.0 are the same; a value that an older file lacks is the paper's.

    Raises:
        PredictionsError: hyperparameters that no run writes.
    """
    decided = result.hyperparameters.items()
    values = _plain({name: value for name, value in decided if name not in _MACHINE | _FOLLOWING})
    searched = {"learning_rate"} if values.get("learning_rates") else set()
    left_out = searched | {"limit"}
    own = {name: values[name] for name in (*_PAPER, *sorted(values.keys() - _PAPER.keys())) if name in values}
    own = {name: value for name, value in own.items() if name not in left_out and not _is_usual(name, value)}
    # A limit above the number of records leaves no subset: it decided nothing.
    if limit := result.subset.get("limit"):
        own["limit"] = _plain(limit)
    if result.subset.get("rule") == "published":
        own["subset"] = "published"
    members = result.model.get("members")
    if isinstance(members, list) and not result.model.get("digest"):
        # The mean of finished runs has no settings of its own: it is its members.
        own["members"] = sorted(str(item.get("digest")) for item in members if isinstance(item, Mapping))
    return own


def settings_digest(result: Result) -> str:
    """The first digits of the SHA-256 of `training_settings`: equal for runs whose trainings differ in records, seed
    and machine alone."""
    text = json.dumps(training_settings(result), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:DIGITS]


def differences(settings: Sequence[Settings]) -> list[str]:
    """Of each, what is not the same in all of them: `epochs 9, adapter dora`; also where it is the usual value."""
    found = []
    names = dict.fromkeys(name for own in settings for name in own)
    for own in settings:
        differing = [name for name in names if any(_value(other, name) != _value(own, name) for other in settings)]
        found.append(", ".join(f"{name} {_text(_value(own, name))}" for name in differing))
    return found


def differing_settings(results: Sequence[Result]) -> list[str]:
    """Per result: `epochs 9, adapter dora` where others of its model, mode, fraction and seed have other values.

    Only what is not the paper's is named; what follows from the data or the machine is not.
    """
    settings = [training_settings(result) for result in results]
    found = []
    for result, own in zip(results, settings, strict=True):
        alike = [other for other, one in zip(settings, results, strict=True) if _name(one) == _name(result)]
        said = [
            f"{key} {_text(value)}" for key, value in own.items() if any(other.get(key) != value for other in alike)
        ]
        found.append(", ".join(said))
    return found


def _name(result: Result) -> tuple[Any, ...]:
    model = str(result.model.get("id"))
    return model, result.mode, result.preprocessing, result.fraction, result.seed, result.trained_as


def _plain(value: Any) -> Any:
    """As JSON has it, with floats alone for numbers."""
    try:
        return json.loads(json.dumps(value), parse_int=float)
    except (ValueError, TypeError, RecursionError) as error:
        raise PredictionsError("hyperparameters: expected JSON values", fix="run again into an empty folder") from error


_PAPER: dict[str, Any] = _plain(asdict(PROTOCOLS["paper"]))


def _is_usual(name: str, value: Any) -> bool:
    """The paper's value; of what is no hyperparameter of a protocol (`fault`, `model_options`) nothing."""
    return bool(value == _PAPER[name]) if name in _PAPER else value is None or value in ("", [], {})


def _value(own: Settings, name: str) -> Any:
    return own.get(name, _PAPER.get(name, _USUAL.get(name, "none")))


def _text(value: Any) -> str:
    if isinstance(value, list):
        return " ".join(map(_text, value))
    if isinstance(value, dict):
        return " ".join(f"{name} {_text(one)}" for name, one in value.items())
    return f"{value:.12g}" if isinstance(value, float) else str(value)

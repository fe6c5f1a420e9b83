"""What a model's pretraining has seen of a dataset's records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hf_ecg_bench.models.overlaps import worst
from hf_ecg_bench.models.registry import MODELS, get_model_spec
from hf_ecg_bench.results.row import ContaminationState
from hf_ecg_bench.training.modes import MODES

_IF_PUBLIC = "if these are the public weights"


@dataclass(frozen=True)
class Contamination:
    """The state, and how it is known."""

    state: ContaminationState
    reason: str


def contamination(model: str | Mapping[str, Any], dataset: str, mode: str) -> Contamination:
    """Of one cell of a table.

    Args:
        model: an id, for what is declared about its public weights; or what a result says of the model that it used
            (`Result.model`: id, source, digest, checkpoint_digest; of several models together, members).
        dataset: id of the dataset that was tested on.
        mode: training from scratch has seen nothing before.
    """
    facts: Mapping[str, Any] = {"id": model} if isinstance(model, str) else model
    if members := _members(facts):
        return _together([contamination(member, dataset, mode) for member in members], members)
    if mode in MODES and not MODES[mode].pretrained:
        return Contamination("none", "trained from scratch")
    if "digest" in facts and facts["digest"] is None:
        return Contamination("none", "no weights were loaded: training began at random ones")
    return _declared(facts, dataset)


#: Datasets that were collected in one place, by what that is: who is in one of them may be in another.
COLLECTIONS: tuple[tuple[frozenset[str], str], ...] = (
    (frozenset({"cpsc2018", "cpsc_extra"}), "the recordings of the China Physiological Signal Challenge 2018"),
    (frozenset({"code15", "code_test"}), "the telehealth network of Minas Gerais"),
    (frozenset({"chapman", "ningbo"}), "the arrhythmia database of Shaoxing and Ningbo"),
)


def contamination_elsewhere(model: str | Mapping[str, Any], trained_on: str, dataset: str, mode: str) -> Contamination:
    """Of a run that is tested on another dataset than it was trained on: what either pretraining or training has seen.

    Single recordings that both datasets hold are another matter: `data.overlap` finds them.

    Args:
        trained_on: id of the dataset that the run was trained on.
    """
    before = contamination(model, dataset, mode)
    place = next((place for ids, place in COLLECTIONS if {trained_on, dataset} <= ids), None)
    if place is None or trained_on == dataset:
        return before
    training = Contamination(
        "same_corpus", f"trained on {trained_on}: both come from {place}, so patients may be shared"
    )
    state = worst([before.state, training.state])
    return Contamination(state, "; ".join(item.reason for item in (before, training) if item.state == state))


def _declared(facts: Mapping[str, Any], dataset: str) -> Contamination:
    name = str(facts.get("id", ""))
    if name not in MODELS:
        return Contamination("unknown", "nothing is declared about this model's pretraining")
    spec = get_model_spec(name)
    if spec.source is None:
        return Contamination(
            "unknown", f"{spec.title} has no public weights; nothing is known about the ones used here"
        )
    found = next((overlap for overlap in spec.overlaps if overlap.dataset == dataset), None)
    if found is None:
        return Contamination("unknown", f"nothing is declared about {spec.title} and {dataset or 'this dataset'}")
    converted_from = facts.get("checkpoint_digest")
    certain = facts.keys() == {"id"} or (converted_from is not None and converted_from == spec.source.sha256)
    return Contamination(found.state, found.reason if certain else f"{found.reason} ({_IF_PUBLIC})")


def _members(facts: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    members = facts.get("members")
    return [member for member in members if isinstance(member, Mapping)] if isinstance(members, list) else []


def _together(found: list[Contamination], members: list[Mapping[str, Any]]) -> Contamination:
    """The worst state; the reasons of every member that is in it."""
    state = worst([item.state for item in found])
    reasons = {
        f"{member.get('id', '?')}: {item.reason}": None
        for item, member in zip(found, members, strict=True)
        if item.state == state
    }
    return Contamination(state, "; ".join(reasons))

"""`--model a,b,c`: the names in it, and what such a run may ask for. No torch here."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from hf_ecg_bench.errors import TrainingError
from hf_ecg_bench.models.registry import MODELS, get_model_spec
from hf_ecg_bench.training.modes import MODES

if TYPE_CHECKING:
    from hf_ecg_bench.training.spec import RunSpec


def member_names(model: str) -> tuple[str, ...]:
    """`a,b` -> (`a`, `b`), in that order; one name for everything without a comma, and for a path that has one."""
    if "," not in model or Path(model).exists():
        return (model,)
    return tuple(part.strip() for part in model.split(","))


def is_combination(model: str) -> bool:
    """Whether several models are meant."""
    return len(member_names(model)) > 1


def check_members(spec: RunSpec) -> None:
    """Refuse what several models cannot do together; a run of one model is not looked at.

    Raises:
        TrainingError: an empty name, a model without pretrained weights, a mode other than frozen and linear, features
            that are not stored, or settings that are one model's.
    """
    names = member_names(spec.model)
    if len(names) < 2 or spec.mode not in MODES:  # a mode that does not exist is said elsewhere
        return
    if not all(names):
        raise TrainingError(f"--model {spec.model!r}: a name is missing beside a comma", fix="--model a,b")
    fresh = [name for name in names if name in MODELS and not get_model_spec(name).pretrained]
    if fresh:
        raise TrainingError(
            f"--model {spec.model}: {', '.join(fresh)} has no pretrained weights whose features could be combined",
            fix="leave it out, or give the model folder of a finished run of it",
        )
    if not MODES[spec.mode].on_features:
        able = [mode.id for mode in MODES.values() if mode.on_features]
        raise TrainingError(
            f"several models are combined by their frozen features; mode {spec.mode!r} trains a backbone",
            fix=f"--mode {' or '.join(able)}; or a run per model, then: hf-ecg-bench ensemble RUN RUN",
        )
    if spec.hyperparameters().features != "stored":
        raise TrainingError("the features of several models have to be stored", fix="--features stored")
    own = {
        "--fault": spec.fault,
        "--model-option": spec.model_options,
        "--evaluate-on": spec.evaluate_on,
        "--perturb": spec.perturb,
    }
    for flag, value in own.items():
        if value:
            raise TrainingError(f"{flag} works for one model, --model names {len(names)}", fix=f"leave out {flag}")

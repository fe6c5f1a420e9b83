"""What every preprocessing step can do, and sequences of steps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, ClassVar

import numpy as np

from hf_ecg_bench.errors import ContractError, unknown_name

_STEPS: dict[str, type[Step]] = {}


@dataclass(frozen=True)
class Step:
    """One preprocessing step with its parameters. Calling it never changes its input.

    Subclasses are frozen dataclasses of JSON values with a `name`, found again under it by `step_from_dict`.
    """

    name: ClassVar[str] = ""

    def __init_subclass__(cls) -> None:
        if "name" in vars(cls):
            _STEPS[cls.name] = cls

    def __call__(self, signal: np.ndarray, rate: float) -> tuple[np.ndarray, float]:
        """Do it.

        Args:
            signal: (batch, time, leads) float64 at `rate` Hz.

        Returns:
            The new signal, (batch, new time, leads) float64, and its rate in Hz.

        Raises:
            ContractError: the step cannot be done at this rate or length.
        """
        self.output(signal.shape[1], rate)
        return self._apply(signal, rate), rate

    def describe(self) -> str:
        """What is done, in words, for the conversion plan and the card."""
        raise NotImplementedError

    def output(self, samples: int, rate: float) -> tuple[int, float]:
        """Length and rate after the step, without doing it; raises as the call would."""
        return samples, rate

    def to_dict(self) -> dict[str, Any]:
        """JSON values: `step` and the parameters."""
        return {"step": self.name, **asdict(self)}

    def _apply(self, signal: np.ndarray, rate: float) -> np.ndarray:
        raise NotImplementedError

    def _positive(self, **values: float) -> None:
        """Refuse parameters that are not positive numbers; for `__post_init__`."""
        for name, value in values.items():
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < float("inf"):
                raise ContractError(f"step {self.name!r}: {name} = {value!r}; expected a positive number")


def step_from_dict(values: Mapping[str, Any]) -> Step:
    """The step that `to_dict` wrote down.

    Raises:
        UnknownNameError: no such step or parameter.
        ContractError: a parameter is missing or has an impossible value.
    """
    name = str(values.get("step"))
    if name not in _STEPS:
        raise unknown_name("preprocessing step", name, _STEPS)
    kind = _STEPS[name]
    given = {key: value for key, value in values.items() if key != "step"}
    known = [item.name for item in fields(kind)]
    for key in given:
        if key not in known:
            raise unknown_name(f"parameter of step {name!r}", key, known)
    try:
        return kind(**given)
    except TypeError as error:
        raise ContractError(f"step {name!r} needs the parameters {', '.join(known)}; found {given}") from error


def follow(steps: Iterable[Step], samples: int, rate: float) -> tuple[int, float]:
    """Length and rate after all steps; raises where one of them is impossible."""
    for step in steps:
        samples, rate = step.output(samples, rate)
    return samples, rate


def run_steps(steps: Sequence[Step], signal: np.ndarray, rate: float) -> tuple[np.ndarray, float]:
    """The steps one after the other, as `Step.__call__`."""
    for step in steps:
        signal, rate = step(signal, rate)
    return signal, rate


def along_time(signal: np.ndarray) -> np.ndarray:
    """(batch, time, leads) as (batch, leads, time), C-contiguous: where filters are several times faster."""
    return np.ascontiguousarray(signal.transpose(0, 2, 1))

"""What a run has cost, over all its starts: a killed run goes on adding to what it spent before."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from hf_ecg_bench.files import write_json
from hf_ecg_bench.training.costs.energy import EnergyMeter, nvml_counter, rapl_counter
from hf_ecg_bench.training.costs.memory import memory_peaks, reset_gpu_peaks
from hf_ecg_bench.training.costs.phases import PHASES, Phases, Spent
from hf_ecg_bench.training.costs.ranks import added_up

#: Beside the checkpoints, with which it goes when the result is there.
COST_FILE = "cost.json"
_MEMORY = ("process", "children", "gpu_allocated", "gpu_reserved")
_ENERGY = ("cpu", "gpu")


@dataclass
class Spending:
    """Sums over the processes of a launch; seconds on the clock are those of the first one.

    Attributes:
        starts: how often the run was started.
        phases: seconds by phase.
        trained: records that went through training steps, repeated ones again.
        memory: peaks in bytes, by kind; the largest of all starts.
        joules: by counter; absent where it could not be read.
    """

    starts: int = 0
    phases: dict[str, Spent] = field(default_factory=dict)
    trained: int = 0
    memory: dict[str, int] = field(default_factory=dict)
    joules: dict[str, float] = field(default_factory=dict)

    def plus(self, later: Spending) -> Spending:
        """Both together."""
        kinds = {**self.memory, **later.memory}
        counters = self.joules.keys() & later.joules.keys() if self.starts else later.joules.keys()
        return Spending(
            self.starts + later.starts,
            {
                name: self.phases.get(name, Spent()) + later.phases.get(name, Spent())
                for name in PHASES
                if name in self.phases or name in later.phases
            },
            self.trained + later.trained,
            {kind: max(self.memory.get(kind, 0), later.memory.get(kind, 0)) for kind in kinds},
            # A counter that one start could not read would give half of the truth.
            {name: self.joules.get(name, 0.0) + later.joules[name] for name in _ENERGY if name in counters},
        )


class CostMeter:
    """Measures a start of a run, from when it is made.

    Args:
        file: where what was spent is kept for a later start (None: nowhere). Written at the end of each phase and
            where `save` is called; what is spent between that and a kill is not counted.
        main: whether this process writes it.
        energy: whether the machine's energy counters are read.
    """

    def __init__(self, file: Path | None = None, *, main: bool = True, energy: bool = False) -> None:
        self.phases = Phases()
        self.trained = 0
        self._reasons: dict[str, str] = {}
        self.before = Spending()
        if file is not None and main and file.exists():
            try:
                self.before = _read(file)
            except (ValueError, KeyError, TypeError) as error:
                self._reasons["earlier starts"] = f"{file.name} cannot be read: {error!r}"
        self._file, self._main = file, main
        counters = {}
        if energy:
            counters["gpu"] = nvml_counter()
            if int(os.environ.get("LOCAL_RANK", "0")) == 0:  # one process a machine: the counters are the machine's
                counters["cpu"] = rapl_counter()
            reset_gpu_peaks()
        self.energy = EnergyMeter(counters)

    @contextmanager
    def __call__(self, phase: str) -> Iterator[None]:
        """Count the block for a phase, one of `PHASES`; the end of an outermost one is written down."""
        outermost = not self.phases.running
        with self.phases(phase):
            yield
        if outermost:
            self.save()

    def now(self) -> Spending:
        """What this start has spent. Every process of a launch has to ask."""
        seconds, memory, joules = self.phases.seconds(), memory_peaks(), self.energy.joules()
        sums = added_up(
            [
                *(seconds.get(name, Spent()).cpu for name in PHASES),
                *(float(memory[kind] or 0) for kind in _MEMORY),
                *(joules.get(name, 0.0) for name in _ENERGY),
            ]
        )
        cpu, peaks = sums[: len(PHASES)], sums[len(PHASES) : len(PHASES) + len(_MEMORY)]
        energies = dict(zip(_ENERGY, sums[-len(_ENERGY) :], strict=True))
        return Spending(
            1,
            {name: Spent(seconds[name].wall, cpu[PHASES.index(name)]) for name in seconds},
            self.trained,
            {kind: round(peak) for kind, peak in zip(_MEMORY, peaks, strict=True) if memory[kind] is not None},
            {name: energies[name] for name in joules},
        )

    def total(self) -> Spending:
        """What all starts have spent. Every process of a launch has to ask."""
        return self.before.plus(self.now())

    @property
    def reasons(self) -> dict[str, str]:
        """Why something could not be measured, by what it is."""
        return self._reasons | self.energy.reasons

    def save(self) -> None:
        """Write down what was spent so far. Every process of a launch has to call it."""
        if self._file is None:
            return
        total = self.total()
        if self._main:
            write_json(self._file, asdict(total))


def _read(file: Path) -> Spending:
    """What earlier starts wrote."""
    raw: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return Spending(
        raw["starts"],
        {name: Spent(*spent) for name, spent in raw["phases"].items()},
        raw["trained"],
        raw["memory"],
        raw["joules"],
    )

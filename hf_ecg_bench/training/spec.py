"""What a run is: everything that decides its result, typed, with the paper's protocol as the default."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from hf_ecg_bench.combining.members import check_members
from hf_ecg_bench.errors import TrainingError, unknown_name
from hf_ecg_bench.models.preprocessing import PREPROCESSINGS
from hf_ecg_bench.training.conflicts import check_combination
from hf_ecg_bench.training.modes import MODES, get_mode
from hf_ecg_bench.training.protocol import Protocol, protocol_of

SUBSETS = ("nested", "published")


@dataclass(frozen=True)
class RunSpec:
    """One run. Two runs with equal specs on one machine give the same result.

    Attributes:
        model: a model id, a folder of `convert` or of an earlier run, or a Hub id; several with commas between them
            train one head on the features of all (see `combining`).
        task: task id.
        mode: see `training.modes`.
        output_dir: where the run's files go.
        data: a dataset id, a prepared folder or a Hub id; None takes the task's own dataset.
        protocol: name of the preset; `overrides` replaces single values of it.
        fraction: share of the training records that is used.
        subset: how they are chosen: `nested`, whole patients, stratified, smaller shares inside larger ones; or
            `published`, one record per patient, of which the share is taken, in training and validation.
        seed: of initialisation, order, crops and the subset.
        limit: at most so many training records, for a quick look (0: all).
        model_options: fields of the model's configuration to set (only with mode `scratch`).
        n_resamples: of the bootstrap over test patients.
        examples: how many test ECGs are kept for the report.
        preprocessing: `paper`, all models fed alike, or `original`, as the model's authors fed it; decides also for a
            folder whose configuration says otherwise.
        accept_unit: a unit that has no conversion to mV and is fed as it is, on purpose (`z`: EchoNext), or None.
        fault: a published slip to repeat on purpose (see `training.faults`), or None.
        evaluate_on: further datasets (ids, folders) that the finished model is tested on; decides nothing else.
        perturb: perturbations of the test signals (`robustness`) under which it is tested; decides nothing else.
        merge_adapter: in mode `lora`, save the merged model instead of the adapter alone.
    """

    model: str
    task: str
    mode: str
    output_dir: Path
    data: str | None = None
    protocol: str = "paper"
    overrides: dict[str, Any] = field(default_factory=dict)
    fraction: float = 1.0
    seed: int = 0
    limit: int = 0
    model_options: dict[str, Any] = field(default_factory=dict)
    n_resamples: int = 1000
    examples: int = 6
    fault: str | None = None
    preprocessing: str = "paper"
    accept_unit: str | None = None
    subset: Literal["nested", "published"] = "nested"
    evaluate_on: tuple[str, ...] = ()
    perturb: tuple[str, ...] = ()
    merge_adapter: bool = False

    def __post_init__(self) -> None:
        if not 0 < self.fraction <= 1:
            raise TrainingError(f"--fraction {self.fraction}: expected a number above 0, at most 1")
        if self.preprocessing not in PREPROCESSINGS:
            raise unknown_name("preprocessing", self.preprocessing, PREPROCESSINGS)
        if self.subset not in SUBSETS:
            raise unknown_name("subset", self.subset, SUBSETS)
        if self.limit < 0:
            raise TrainingError(f"--limit {self.limit}: expected a number of records, or 0 for all")
        if self.examples < 0:
            raise TrainingError(f"examples = {self.examples}: expected a number of test ECGs, or 0 for none")
        if self.seed < 0:
            raise TrainingError(f"--seed {self.seed}: expected 0 or more")
        if self.mode in MODES and not MODES[self.mode].adapter:
            settings = ["merge_adapter"] if self.merge_adapter else []
            settings += sorted(name for name in self.overrides if name.startswith("adapter"))
            if settings:
                raise TrainingError(
                    f"mode {self.mode!r} trains no adapters: {', '.join(settings)} would change nothing",
                    fix="--mode lora",
                )
        if self.n_resamples < 1:
            raise TrainingError(f"--n-resamples {self.n_resamples}: expected at least 1")
        check_members(self)

    def hyperparameters(self) -> Protocol:
        """The preset with this run's overrides.

        Raises:
            UnknownNameError: no such preset or hyperparameter.
            TrainingError: a value out of its range, or that means nothing with another one or in this mode.
        """
        values = protocol_of(self.protocol, self.overrides)
        check_combination(values, self.overrides, get_mode(self.mode))
        return values

    def identity(self) -> dict[str, Any]:
        """What decides the result, as JSON: everything but the output folder and what is asked of the result."""
        values = asdict(self)
        for name in ("output_dir", "evaluate_on", "perturb"):
            values.pop(name)
        values["hyperparameters"] = asdict(self.hyperparameters())
        values.pop("overrides")
        if self.accept_unit is None:  # as in runs from before there was a choice: they can go on
            values.pop("accept_unit")
        return values

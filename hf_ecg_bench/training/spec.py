"""What a run is: everything that decides its result, typed, with the paper's protocol as the default."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from hf_ecg_bench.errors import TrainingError, unknown_name
from hf_ecg_bench.models.preprocessing import PREPROCESSINGS


@dataclass(frozen=True)
class Protocol:
    """Hyperparameters. The defaults are the paper's (arXiv 2509.25095 and its released code).

    Attributes:
        epochs: passes over the training records; each takes one random window per record.
        batch_size: records per optimizer step, over all processes and accumulation steps.
        learning_rate, weight_decay: AdamW's; the decay applies to every trained parameter, biases and norms included.
        layer_factors: learning-rate factors of head, late and early layers where the mode uses them.
        max_grad_norm: gradient clipping; 0 is none.
        schedule: learning-rate schedule by its name in transformers.
        warmup_steps: of the schedule.
        accumulation: micro-batches per optimizer step; the step is the same whatever their number.
        evaluation_batch_size: windows per forward pass in evaluation; changes no result beyond rounding.
        precision: `auto` is float16 autocast on a GPU (float32 for models that the paper trains so), float32 on a CPU.
        tail: what evaluation does with the end of a record that fills no window: `drop` (paper) or `shift`.
        last_window: whether training may draw a record's last possible window; the published code never does.
        undefined: what a label without positives or negatives does to the macro AUROC: it is left out (`drop`), or
            counts 0.5 (`half`, the published code), also in every resample, which pulls intervals down.
    """

    epochs: int = 100
    batch_size: int = 64
    learning_rate: float = 1e-3
    weight_decay: float = 1e-3
    layer_factors: tuple[float, float, float] = (1.0, 0.1, 0.01)
    max_grad_norm: float = 0.0
    schedule: str = "constant"
    warmup_steps: int = 0
    accumulation: int = 1
    evaluation_batch_size: int = 256
    precision: Literal["auto", "fp32", "fp16", "bf16"] = "auto"
    tail: Literal["drop", "shift"] = "drop"
    last_window: bool = True
    undefined: Literal["drop", "half"] = "drop"


# What the text-valued hyperparameters may be; the schedules are those of transformers that need no further settings.
CHOICES: dict[str, tuple[str, ...]] = {
    "precision": ("auto", "fp32", "fp16", "bf16"),
    "tail": ("drop", "shift"),
    "undefined": ("drop", "half"),
    "schedule": ("constant", "constant_with_warmup", "linear", "cosine", "inverse_sqrt"),
}

# `published` also repeats what the released code does by mistake; for comparing with its numbers.
PROTOCOLS: dict[str, Protocol] = {"paper": Protocol(), "published": Protocol(last_window=False, undefined="half")}


@dataclass(frozen=True)
class RunSpec:
    """One run. Two runs with equal specs on one machine give the same result.

    Attributes:
        model: a model id, a folder of `convert` or of an earlier run, or a Hub id.
        task: task id.
        mode: see `training.modes`.
        output_dir: where the run's files go.
        data: a dataset id, a prepared folder or a Hub id; None takes the task's own dataset.
        protocol: name of the preset; `overrides` replaces single values of it.
        fraction: share of the training records, as a nested random subset of whole patients.
        seed: of initialisation, order, crops and the subset.
        limit: at most so many training records, for a quick look (0: all).
        model_options: fields of the model's configuration to set (only with mode `scratch`).
        n_resamples: of the bootstrap over test patients.
        examples: how many test ECGs are kept for the report.
        preprocessing: `paper`, all models fed alike, or `original`, as the model's authors fed it; decides also for a
            folder whose configuration says otherwise.
        accept_unit: a unit that has no conversion to mV and is fed as it is, on purpose (`z`: EchoNext), or None.
        fault: a published slip to repeat on purpose (see `training.faults`), or None.
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

    def __post_init__(self) -> None:
        if not 0 < self.fraction <= 1:
            raise TrainingError(f"--fraction {self.fraction}: expected a number above 0, at most 1")
        if self.preprocessing not in PREPROCESSINGS:
            raise unknown_name("preprocessing", self.preprocessing, PREPROCESSINGS)
        if self.limit < 0:
            raise TrainingError(f"--limit {self.limit}: expected a number of records, or 0 for all")
        if self.seed < 0:
            raise TrainingError(f"--seed {self.seed}: expected 0 or more")
        if self.n_resamples < 1:
            raise TrainingError(f"--n-resamples {self.n_resamples}: expected at least 1")

    def hyperparameters(self) -> Protocol:
        """The preset with this run's overrides.

        Raises:
            UnknownNameError: no such preset or hyperparameter.
            TrainingError: a value out of its range.
        """
        if self.protocol not in PROTOCOLS:
            raise unknown_name("protocol", self.protocol, PROTOCOLS)
        preset = PROTOCOLS[self.protocol]
        known = asdict(preset)
        for name in self.overrides:
            if name not in known:
                raise unknown_name("hyperparameter", name, known)
        values = replace(preset, **self.overrides)
        for name in ("epochs", "batch_size", "accumulation", "evaluation_batch_size"):
            if getattr(values, name) < 1:
                raise TrainingError(f"{name} = {getattr(values, name)}: expected at least 1")
        for name in ("learning_rate", "weight_decay", "max_grad_norm", "warmup_steps"):
            if not 0 <= getattr(values, name) < float("inf"):
                raise TrainingError(f"{name} = {getattr(values, name)}: expected 0 or more")
        if len(values.layer_factors) != 3 or not all(0 <= factor < float("inf") for factor in values.layer_factors):
            raise TrainingError(f"layer_factors = {values.layer_factors}: expected three numbers of 0 or more")
        for name, allowed in CHOICES.items():
            if getattr(values, name) not in allowed:
                raise unknown_name(name, str(getattr(values, name)), allowed)
        if values.warmup_steps and values.schedule == "constant":
            raise TrainingError("the constant schedule has no warm-up", fix="--schedule constant_with_warmup")
        return values

    def identity(self) -> dict[str, Any]:
        """What decides the result, as JSON: everything but the output folder."""
        values = asdict(self)
        values.pop("output_dir")
        values["hyperparameters"] = asdict(self.hyperparameters())
        values.pop("overrides")
        if self.accept_unit is None:  # as in runs from before there was a choice: they can go on
            values.pop("accept_unit")
        return values

"""What a grid is: names to expand, settings of its runs, and where they are executed. Read by `reading`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

ExecutorKind = Literal["local", "slurm"]


@dataclass(frozen=True)
class ModelEntry:
    """A model of the grid.

    Attributes:
        name: in folders and tables.
        weights: a model id, a folder, a Hub id, or several with commas between them: what pretrained modes adapt.
        architecture: the model id that mode `scratch` builds; None: that mode is left out.
        model_options: fields of its configuration, for mode `scratch` alone.
    """

    name: str
    weights: str
    architecture: str | None = None
    model_options: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Where:
    """Which cells are meant: a cell must match each part that is not empty, and one of its patterns.

    Attributes:
        model, task, mode: names with `*`; a task is also matched by the name of a suite.
        fraction, seed: values.
    """

    model: tuple[str, ...] = ()
    task: tuple[str, ...] = ()
    mode: tuple[str, ...] = ()
    fraction: tuple[float, ...] = ()
    seed: tuple[int, ...] = ()


@dataclass(frozen=True)
class Rule:
    """Settings for some cells; later rules win, hyperparameters are merged.

    Attributes:
        where: which; a task is the one that is trained.
        settings: fields of RunSpec.
        place: in the file, for messages.
    """

    where: Where
    settings: dict[str, Any]
    place: str = ""


@dataclass(frozen=True)
class Slurm:
    """Options of jobs; None leaves it to the cluster.

    Attributes:
        partition, account, qos, constraint: as sbatch takes them.
        minutes: time limit of a job. A job that reaches it is queued again and goes on from its last checkpoint.
        memory_gb, cpus, gpus: of a job.
        parallel: jobs that run at the same time, at most.
        cells_per_job: cells that a job computes one after the other.
        setup: shell lines before each job (`module load ...`).
        extra: further sbatch parameters.
    """

    partition: str | None = None
    account: str | None = None
    qos: str | None = None
    constraint: str | None = None
    minutes: int = 240
    memory_gb: float | None = None
    cpus: int | None = None
    gpus: int | None = None
    parallel: int = 64
    cells_per_job: int = 1
    setup: tuple[str, ...] = ()
    extra: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Executor:
    """Where cells are computed.

    Attributes:
        kind: worker processes of this machine, or SLURM.
        workers: processes of this machine; 0: one for each accelerator, without any one for every two cores.
        slurm: options of jobs.
    """

    kind: ExecutorKind = "local"
    workers: int = 0
    slurm: Slurm = Slurm()


@dataclass(frozen=True)
class GridSpec:
    """A grid: all combinations of its models, tasks, modes, fractions and seeds but the excluded ones.

    Attributes:
        models, tasks, modes, fractions, seeds: expanded, in the order of the file, each once.
        data: dataset id -> prepared folder or Hub id; the others are found as `run` finds them.
        settings: fields of RunSpec for all runs.
        rules: settings for some runs.
        exclude: combinations that are left out; a task is the one that was asked for.
        share_training: whether tasks that are parts of another one's outputs share its run.
        executor: where the cells are computed.
    """

    models: tuple[ModelEntry, ...]
    tasks: tuple[str, ...]
    modes: tuple[str, ...]
    fractions: tuple[float, ...] = (1.0,)
    seeds: tuple[int, ...] = (0,)
    data: dict[str, str] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    rules: tuple[Rule, ...] = ()
    exclude: tuple[Where, ...] = ()
    share_training: bool = True
    executor: Executor = Executor()

"""From a grid to its cells: which runs answer what was asked for, what they share, what cannot be. Reads no run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

from hf_ecg_bench.combining.members import is_combination
from hf_ecg_bench.errors import EcgBenchError
from hf_ecg_bench.grid.document import GridFileError
from hf_ecg_bench.grid.names import is_task_match, matching_names
from hf_ecg_bench.grid.spec import GridSpec, ModelEntry, Where
from hf_ecg_bench.grid.stores import store_group
from hf_ecg_bench.models.registry import MODELS, get_model_spec
from hf_ecg_bench.tasks import get_task
from hf_ecg_bench.training.modes import get_mode
from hf_ecg_bench.training.spec import RunSpec

RUNS = "runs"


@dataclass(frozen=True)
class Cell:
    """A run of the grid.

    Attributes:
        id: `<model>/<task>/<mode>/fraction-<f>/seed-<s>`, its folder below `runs`.
        model: the short name.
        run: the run; its output folder is below the grid's.
        answers: the tasks asked for that it answers: its own, or parts of its outputs.
        store: runs with the same text read the same stored features; None: none are stored.
    """

    id: str
    model: str
    run: RunSpec
    answers: tuple[str, ...]
    store: str | None = None


@dataclass(frozen=True)
class Plan:
    """What a grid comes to.

    Attributes:
        cells: the runs, in the order of the file.
        asked: how many combinations of model, task, mode, fraction and seed they answer.
        left_out: how many combinations cannot be or are excluded, by reason.
        notes: what a user should know about shared runs.
    """

    cells: tuple[Cell, ...]
    asked: int
    left_out: dict[str, int]
    notes: tuple[str, ...] = ()


def expand(grid: GridSpec, output_dir: Path) -> Plan:
    """The grid's runs.

    Raises:
        GridFileError: a cell whose settings cannot be, or nothing is left to run.
    """
    left_out: dict[str, int] = {}
    answers: dict[tuple[str, str, str, float, int], list[str]] = {}
    models = {model.name: model for model in grid.models}
    for model, task, mode, fraction, seed in product(grid.models, grid.tasks, grid.modes, grid.fractions, grid.seeds):
        reason = _impossible(model, mode)
        if reason is None and any(_matches(rule, model.name, task, mode, fraction, seed) for rule in grid.exclude):
            reason = "excluded by the file"
        if reason is not None:
            left_out[reason] = left_out.get(reason, 0) + 1
            continue
        trained = trained_task(task) if grid.share_training else task
        answers.setdefault((model.name, trained, mode, fraction, seed), []).append(task)
    if not answers:
        reasons = "; ".join(f"{reason} ({number})" for reason, number in left_out.items())
        raise GridFileError(f"nothing is left to run: {reasons}", fix="name other models, tasks or modes")
    cells = tuple(_cell(grid, models[key[0]], key, tuple(tasks), output_dir) for key, tasks in answers.items())
    return Plan(cells, sum(map(len, answers.values())), left_out, (*_idle(grid, list(answers)), *_notes(cells)))


def _idle(grid: GridSpec, runs: list[tuple[str, str, str, float, int]]) -> Iterator[str]:
    """A line for each rule and exclusion that meets nothing: a name in it may be wrong."""
    for rule in grid.rules:
        if not any(_matches(rule.where, *run) for run in runs):
            yield f"{rule.place}: meets no run of this grid"
    asked = ([model.name for model in grid.models], grid.tasks, grid.modes, grid.fractions, grid.seeds)
    for position, where in enumerate(grid.exclude):
        if not any(_matches(where, *combination) for combination in product(*asked)):
            yield f"exclude[{position}]: meets nothing that this grid asks for"


def trained_task(task: str) -> str:
    """The task whose run answers this one."""
    return get_task(task).trained_as or task


def _impossible(model: ModelEntry, mode: str) -> str | None:
    chosen = get_mode(mode)
    if not chosen.pretrained:
        return None if model.architecture else f"{model.name}: mode {mode} needs `architecture`, a model id"
    if model.weights in MODELS and not get_model_spec(model.weights).pretrained:
        return f"{model.name} has no pretrained weights: mode scratch alone"
    if is_combination(model.weights) and not chosen.on_features:
        return f"{model.name}: several models go together in modes frozen and linear alone"
    return None


def _cell(
    grid: GridSpec, model: ModelEntry, key: tuple[str, str, str, float, int], tasks: tuple[str, ...], folder: Path
) -> Cell:
    _, task, mode, fraction, seed = key
    settings = _settings(grid, model.name, task, mode, fraction, seed)
    scratch = not get_mode(mode).pretrained
    elsewhere = [grid.data.get(get_task(name).dataset, get_task(name).dataset) for name in tasks if _is_other(name)]
    if grid.share_training and elsewhere:
        settings["evaluate_on"] = tuple(dict.fromkeys((*settings.get("evaluate_on", ()), *elsewhere)))
    name = f"{model.name}/{task}/{mode}/fraction-{fraction:.12g}/seed-{seed}"
    try:
        run = RunSpec(
            model=str(model.architecture) if scratch else model.weights,
            task=task,
            mode=mode,
            output_dir=folder / RUNS / name,
            data=grid.data.get(get_task(task).dataset),
            fraction=fraction,
            seed=seed,
            model_options=model.model_options if scratch else {},
            **settings,
        )
        run.hyperparameters()
    except EcgBenchError as error:
        fix = "settings for some modes go below rules: - {where: {mode: ...}, hyperparameters: {...}}"
        raise GridFileError(f"{name}: {error.message}", fix=f"{error.fix}; {fix}" if error.fix else fix) from error
    return Cell(name, model.name, run, tasks, store_group(run))


def _is_other(task: str) -> bool:
    """Whether the task is a further test set of another one's model (CODE-test)."""
    trained = get_task(task).trained_as
    return trained is not None and get_task(trained).dataset != get_task(task).dataset


def _settings(grid: GridSpec, model: str, task: str, mode: str, fraction: float, seed: int) -> dict[str, Any]:
    settings = {**grid.settings, "overrides": dict(grid.settings.get("overrides", {}))}
    for rule in grid.rules:
        if _matches(rule.where, model, task, mode, fraction, seed):
            merged = {**settings["overrides"], **rule.settings.get("overrides", {})}
            settings = {**settings, **rule.settings, "overrides": merged}
    return settings


def _matches(where: Where, model: str, task: str, mode: str, fraction: float, seed: int) -> bool:
    return (
        (not where.model or any(matching_names(pattern, [model]) for pattern in where.model))
        and (not where.task or any(is_task_match(pattern, task) for pattern in where.task))
        and (not where.mode or any(matching_names(pattern, [mode]) for pattern in where.mode))
        and (not where.fraction or fraction in where.fraction)
        and (not where.seed or seed in where.seed)
    )


def _notes(cells: tuple[Cell, ...]) -> Iterator[str]:
    """One line for each task whose run answers others."""
    answered: dict[str, dict[str, None]] = {}
    for cell in cells:
        answered.setdefault(cell.run.task, {}).update(dict.fromkeys(cell.answers))
    for task, names in answered.items():
        parts = [name for name in names if name != task and not _is_other(name)]
        others = [name for name in names if name != task and _is_other(name)]
        if parts:
            yield f"{', '.join(parts)}: parts of the outputs of the run on {task}, as in the paper"
        if others:
            yield f"{', '.join(others)}: further test data of the run on {task} (evaluations/ in its folder)"
    groups: dict[str, int] = {}
    for cell in cells:
        if cell.store is not None:
            groups[cell.store] = groups.get(cell.store, 0) + 1
    shared = [number for number in groups.values() if number > 1]
    if shared:
        yield f"{sum(shared)} runs read {len(shared)} shared sets of stored features"

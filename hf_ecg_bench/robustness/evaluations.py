"""What is asked of a finished run: tests on other datasets and on disturbed signals, each in its own folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hf_ecg_bench.data.load import load_prepared, read_info, require_signals
from hf_ecg_bench.data.registry import get_dataset_spec
from hf_ecg_bench.errors import DataError, EcgBenchError
from hf_ecg_bench.names import INFO_FILE, NAMESPACE
from hf_ecg_bench.results.predictions import read_predictions
from hf_ecg_bench.results.schema import Result
from hf_ecg_bench.robustness.evaluation_files import (
    EVALUATION_FILE,
    EVALUATIONS,
    PERTURBED,
    is_done,
    read_evaluation,
    write_evaluation,
)
from hf_ecg_bench.robustness.perturbations import chosen_perturbations
from hf_ecg_bench.robustness.shared_targets import is_same_source, label_column, require_shared, yes_no_names
from hf_ecg_bench.saying import Say
from hf_ecg_bench.tasks import Task
from hf_ecg_bench.training.spec import RunSpec

if TYPE_CHECKING:
    from hf_ecg_bench.robustness.finished import FinishedRun
    from hf_ecg_bench.robustness.perturbations import Perturbation

_APART = 0.01


def check_wanted(spec: RunSpec, task: Task) -> None:
    """Refuse wrong names and datasets that share nothing with the task, before anything is trained.

    Raises:
        UnknownNameError: no such perturbation.
        DataError: a folder that is no prepared dataset, one that shares no target with the task, or the run's own.
    """
    chosen_perturbations(spec.perturb)
    home = _folder_of(spec.data or task.dataset)
    own = read_info(home / INFO_FILE).get("digest") if home is not None else None
    for name in spec.evaluate_on:
        folder = _folder_of(name)
        # What is not on this machine is fetched now: better no Hub before the training than after it.
        info = read_info(folder / INFO_FILE) if folder is not None else load_prepared(name).info
        _refuse_home(name, info.get("digest"), own)
        if is_same_source(task, info["dataset"]):
            continue
        column = label_column(list(info["label_columns"]))
        there = list(info["label_columns"][column]) if column is not None else []
        require_shared(task, _yes_no_names(task, spec), info["dataset"], there)


def evaluate_finished(spec: RunSpec, result: Result, say: Say) -> None:
    """Carry out what `spec.evaluate_on` and `spec.perturb` ask for, as far as it is not there yet.

    Raises:
        DataError, ContractError, CheckpointError: of the first dataset that could not be used, after all others, with
            the step that mends it; whatever was finished stays.
    """
    wanted = chosen_perturbations(spec.perturb)
    folder = Path(spec.output_dir) / EVALUATIONS
    loaded: list[FinishedRun] = []

    def finished() -> FinishedRun:
        # Torch and the model are loaded for work to do only, and once.
        if not loaded:
            from hf_ecg_bench.robustness.finished import load_finished

            loaded.append(load_finished(Path(spec.output_dir), result))
        return loaded[0]

    failed: list[EcgBenchError] = []
    for name in spec.evaluate_on:
        try:
            _elsewhere(spec, result, name, folder, finished, say)
        except EcgBenchError as error:  # the others can be tested none the less; the first is said at the end
            if failed:
                say(f"{name}: not scored: {error.message}")
            failed.append(error)
    _perturbed(spec, wanted, folder / PERTURBED, finished, say)
    if failed:
        raise type(failed[0])(
            f"{len(failed)} of {len(spec.evaluate_on)} further datasets not scored, the first: {failed[0].message}; "
            f"the run itself is finished, its scores are in {spec.output_dir}",
            fix=failed[0].fix,
        ) from failed[0]


def _perturbed(
    spec: RunSpec, wanted: tuple[Perturbation, ...], folder: Path, finished: Callable[[], FinishedRun], say: Say
) -> None:
    missing = [item for item in wanted if not is_done(folder / item.id, _settings(spec))]
    if len(missing) < len(wanted):
        say(f"{len(wanted) - len(missing)} of {len(wanted)} perturbations: finished before, in {folder}")
    if not missing:
        return
    from hf_ecg_bench.robustness.panel import Panel

    panel = Panel(finished(), spec.data, read_predictions(spec.output_dir), spec.n_resamples)
    if panel.apart is not None and panel.apart > _APART:
        say(
            f"note: on clean signals the saved model's outputs differ from the run's by up to {panel.apart:.3f} (it "
            "was tested on rounded features, or on another device); disturbed signals are compared with the saved "
            "model's"
        )
    for item in missing:
        content, predictions = panel.score(item)
        write_evaluation(folder / item.id, {**content, "settings": _settings(spec)}, predictions)
        say(f"perturbation {item.id}: {_in_words(content, 'clean')}")


def _elsewhere(
    spec: RunSpec, result: Result, name: str, folder: Path, finished: Callable[[], FinishedRun], say: Say
) -> None:
    prepared = load_prepared(name)
    require_signals(prepared)
    dataset, digest = str(prepared.info["dataset"]), str(prepared.info["digest"])
    _refuse_home(name, digest, result.dataset.get("digest"))
    settings = {**_settings(spec), "digest": digest}
    place = folder / dataset
    if read_evaluation(place / EVALUATION_FILE).get("settings", {}).get("digest", digest) != digest:
        place = folder / f"{dataset}-{digest[:8]}"  # another copy or part of the same dataset was evaluated before
    if is_done(place, settings):
        say(f"{dataset}: finished before, in {place}")
        return
    from hf_ecg_bench.robustness.shift import score_elsewhere

    run = finished()
    content, predictions = score_elsewhere(run, prepared, read_predictions(run.folder), spec.n_resamples)
    write_evaluation(place, {**content, "settings": settings}, predictions)
    say(f"{dataset}: {_in_words(content, 'at home')}, {content['dataset']['records']} records")
    for warning in content["warnings"]:
        say(f"note: {warning}")


def _refuse_home(name: str, digest: str | None, own: str | None) -> None:
    if own is not None and digest == own:
        raise DataError(
            f"--evaluate-on {name}: that is the data of the run itself; its test scores are in its result.json",
            fix="name another dataset",
        )


def _settings(spec: RunSpec) -> dict[str, Any]:
    """What makes an evaluation another one."""
    return {"n_resamples": spec.n_resamples}


def _in_words(content: dict[str, Any], reference: str) -> str:
    """`macro AUROC 0.812 [0.790, 0.834], -0.031 [-0.040, -0.022] against clean`."""
    parts = []
    for metric, title in (("macro_auroc", "macro AUROC"), ("pooled_mae", "pooled MAE")):
        score, gap = content["metrics"]["metrics"].get(metric), content["difference"].get(metric)
        if score and gap:
            parts.append(
                f"{title} {score['value']:.3f} [{score['low']:.3f}, {score['high']:.3f}], "
                f"{gap['value']:+.3f} [{gap['low']:+.3f}, {gap['high']:+.3f}] against {reference}"
            )
    return "; ".join(parts)


def _folder_of(name: str) -> Path | None:
    """Where a dataset lies on this machine, if it does."""
    for folder in (Path(name), Path(NAMESPACE) / name):
        if folder.is_dir():
            return folder
    return None


def _yes_no_names(task: Task, spec: RunSpec) -> tuple[str, ...]:
    """The yes/no targets of the run, from its prepared data where they lie here."""
    folder = _folder_of(spec.data or task.dataset)
    if folder is not None:
        return yes_no_names(task, read_info(folder / INFO_FILE)["label_columns"])
    return yes_no_names(task, get_dataset_spec(task.dataset).label_columns)

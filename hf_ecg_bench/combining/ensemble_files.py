"""An ensemble's folder: predictions and result as of a run, the comparison as JSON and as a short table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from hf_ecg_bench.combining.ensemble import Ensemble, FinishedMember
from hf_ecg_bench.combining.names import ENSEMBLE_FILE, TABLE_FILE
from hf_ecg_bench.errors import PredictionsError
from hf_ecg_bench.files import write_json, write_text
from hf_ecg_bench.results.estimate import Estimate
from hf_ecg_bench.results.metrics import metric_name
from hf_ecg_bench.results.predictions import VALIDATION_FILE, read_predictions, write_predictions
from hf_ecg_bench.results.run_folder import check_types
from hf_ecg_bench.results.schema import PREDICTIONS_FILE, RESULT_FILE, Result
from hf_ecg_bench.results.table_formats import to_markdown
from hf_ecg_bench.results.tables import Cell, Table, columns_of


def read_members(folders: Sequence[Path]) -> list[FinishedMember]:
    """The finished runs in these folders.

    Raises:
        PredictionsError: a folder holds no finished run, or a broken one.
    """
    members = []
    for folder in folders:
        result = Result.load(folder)
        check_types(result)
        stored = folder / VALIDATION_FILE
        validation = read_predictions(stored) if stored.exists() else None
        members.append(FinishedMember(str(folder), result, read_predictions(folder), validation))
    return members


def check_output(folder: Path) -> None:
    """Refuse to write over anything but an earlier ensemble.

    Raises:
        PredictionsError: the folder holds something else.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())) and not (folder / ENSEMBLE_FILE).exists():
        raise PredictionsError(f"{folder} is not empty and holds no ensemble", fix="choose another --output-dir")


def write_ensemble(folder: Path, ensemble: Ensemble, command: str | None = None) -> None:
    """Write predictions, ensemble.json, ensemble.md and, last, result.json, each atomically."""
    check_output(folder)
    for file in (RESULT_FILE, VALIDATION_FILE):  # of an earlier one: they must not stand beside other predictions
        (folder / file).unlink(missing_ok=True)
    write_json(folder / ENSEMBLE_FILE, to_json(ensemble))
    write_predictions(folder / PREDICTIONS_FILE, ensemble.predictions)
    if ensemble.validation is not None:
        write_predictions(folder / VALIDATION_FILE, ensemble.validation)
    table = to_markdown(comparison_table(ensemble))
    notes = "\n".join(f"- {warning}" for warning in ensemble.warnings)
    write_text(folder / TABLE_FILE, f"{table}\n\n{notes}\n")
    as_result(ensemble, command).save(folder)


def to_json(ensemble: Ensemble) -> dict[str, Any]:
    """Everything but the predictions, as JSON values."""
    return {
        "task": ensemble.members[0].result.task,
        "weights": "equal",
        "members": [
            {
                "run": member.name,
                "model": member.result.model.get("id"),
                "mode": member.result.mode,
                "seed": member.result.seed,
                "metrics": member.result.metrics["metrics"],
                "difference": ensemble.differences[member.name],
            }
            for member in ensemble.members
        ],
        "best": {"run": ensemble.best, "metric": ensemble.metric, "picked_on": "test"},
        "metrics": ensemble.metrics["metrics"],
        "resampling": ensemble.metrics["resampling"],
        "warnings": list(ensemble.warnings),
    }


def comparison_table(ensemble: Ensemble) -> Table:
    """Per member its own value, and the ensemble minus it with interval and p values; the best one is strong."""
    metric = ensemble.metric
    own = Estimate.from_json(ensemble.metrics["metrics"][metric], metric)
    rows = [(Cell("mean of all", strong=True), Cell(own.format()), Cell(""), Cell(""), Cell(""))]
    for member in ensemble.members:
        value = Estimate.from_json(member.result.metrics["metrics"][metric], metric)
        difference = ensemble.differences[member.name][metric]
        model = f"{member.result.model.get('id', '?')}, {member.result.mode}, seed {member.result.seed}"
        rows.append(
            (
                Cell(f"{member.name} ({model})", strong=member.name == ensemble.best),
                Cell(value.format()),
                Cell(Estimate.from_json(difference, metric).format()),
                Cell(f"{difference['p']:.4f}"),
                Cell(f"{difference['p_adjusted']:.4f}"),
            )
        )
    titles = ("Run", f"{metric_name(metric)} [95 %]", "Mean minus run [95 %]", "p", "p, Holm")
    return Table("ensemble", "Mean of predictions against each run", columns_of(titles), tuple(rows))


def as_result(ensemble: Ensemble, command: str | None = None) -> Result:
    """A result like a run's, so that reports and comparisons read it."""
    results = [member.result for member in ensemble.members]
    first = results[0]
    counts = Counter(str(result.model.get("id", "?")) for result in results)
    models = ", ".join(f"{number} {name}" if number > 1 else name for name, number in counts.items())
    told = ", ".join(f"{member.name} (seed {member.result.seed})" for member in ensemble.members)
    scales = ("undefined", "target_mean", "target_std", "target_units")
    return Result(
        task=first.task,
        dataset=first.dataset,
        model={
            "id": f"mean of {models}",
            "source": ", ".join(member.name for member in ensemble.members),
            "digest": None,
            "members": [{**member.result.model, "run": member.name} for member in ensemble.members],
        },
        mode=_common(result.mode for result in results),
        protocol=_common(result.protocol for result in results),
        preprocessing=_common(result.preprocessing for result in results),
        fraction=min(result.fraction for result in results),
        seed=first.seed,
        hyperparameters={name: first.hyperparameters[name] for name in scales if name in first.hyperparameters},
        signal={"source": first.signal["source"]} if "source" in first.signal else {},
        selection={},
        metrics=ensemble.metrics,
        history=[],
        cost={},
        environment={"command": command} if command else {},
        warnings=[f"the mean of the predictions of {len(results)} runs: {told}", *ensemble.warnings],
    )


def _common(values: Iterable[str]) -> str:
    """The value of all, else all of them."""
    return " and ".join(dict.fromkeys(values))

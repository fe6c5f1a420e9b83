"""A result against the prepared dataset: the same data, the task's own test records, their own targets."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from hf_ecg_bench.data.load import PreparedDataset, load_prepared
from hf_ecg_bench.data.registry import get_builder, get_dataset_spec
from hf_ecg_bench.hub.submission.checks import Check, shown, verdict
from hf_ecg_bench.names import INFO_FILE, NAMESPACE
from hf_ecg_bench.results.predictions import Predictions
from hf_ecg_bench.results.schema import Result
from hf_ecg_bench.results.target_units import stored_scales
from hf_ecg_bench.tasks import get_task
from hf_ecg_bench.training.records.of_task import only_test_records, standardise, task_records

_TOLERANCE = 1e-5  # z-scores are float32


def find_data(result: Result, data: str | Path | None) -> PreparedDataset | None:
    """The dataset that was given, or the one in the working directory; None where there is neither.

    Raises:
        DataError: what was given is no prepared dataset, or another one.
    """
    task = get_task(result.task)
    if data is None:
        local = Path(NAMESPACE) / task.dataset
        if (local / INFO_FILE).is_file():
            data = local
        elif get_dataset_spec(task.dataset).needs_raw_dir:
            return None
    return load_prepared(data if data is not None else task.dataset)


def check_dataset(result: Result, prepared: PreparedDataset | None, *, given: bool) -> Iterator[Check]:
    """The digest of the data, and that they are the release's default build (or the one that was given).

    Args:
        given: whether the caller named the data: then a difference is a failure, else only said.
    """
    digest = str(result.dataset.get("digest"))
    same = prepared is not None and prepared.info["digest"] == digest
    if prepared is None:
        yield Check("dataset", None, found="these data are not here", fix="--data with the prepared dataset")
    elif same or given:
        here = str(prepared.info["digest"])
        problems = [] if same else [f"digest {digest[:16]}"]
        expected, fix = f"digest {here[:16]}", "prepare the data with this version and run again"
        yield verdict("dataset", problems, expected=expected, fix=fix)
    else:
        found = f"the data here have the digest {str(prepared.info['digest'])[:16]}, the run's {digest[:16]}"
        yield Check("dataset", None, found=found, fix="--data with the dataset of the run")
    options = result.dataset.get("options")
    defaults = vars(get_builder(get_task(result.task).dataset).BUILDER_CONFIG_CLASS(name="default"))
    changed = [
        f"{shown(key)}={value!r:.40}"
        for key, value in (options if isinstance(options, dict) else {}).items()
        if key not in defaults or _plain(defaults[key]) != _plain(value)
    ]
    name, default, fix = "dataset options", "the default build", "prepare the data without --option and run again"
    if changed and same and given:
        # Whoever has these data may want them; whoever has not would see a stranger's choice of records.
        found = f"{', '.join(changed)}: refused by a check without --data, as that of {NAMESPACE}/results is"
        yield Check(name, None, default, found, fix)
    else:
        yield verdict(name, changed, expected=default, fix=fix)


def check_targets(result: Result, predictions: Predictions, prepared: PreparedDataset) -> Iterator[Check]:
    """Records and targets of the file against those of the task in the data."""
    task = get_task(result.task)
    test_only = "train" not in get_dataset_spec(task.dataset).splits
    records = only_test_records(prepared, task) if test_only else task_records(prepared, task)
    test = records.splits["test"]
    names, fix = records.columns.names, "run again on these data"
    problems = []
    if tuple(names) != predictions.names:
        yield Check("targets", False, f"{len(names)} targets of {task.id}", f"{len(predictions.names)} others", fix)
        return
    place = {str(record): row for row, record in enumerate(test.record_id.tolist())}
    strangers = [record for record in predictions.record_id if record not in place]
    if strangers or len(predictions) != len(place):
        odd = f", for instance {shown(strangers[0])}" if strangers else ""
        found = f"{len(predictions)} records, {len(strangers)} of them no test records{odd}"
        yield Check("targets", False, f"the {len(place)} test records", found, fix)
        return
    mean, std = stored_scales(result, names)
    regression = records.columns.is_regression
    if not (
        np.isfinite(std).all() and (std > 0).all() and (std[~regression] == 1).all() and not mean[~regression].any()
    ):
        problems.append("scales that no training records have")
    if not test_only and not result.subset and result.fraction == 1:
        own_mean, own_std = standardise(records)
        if not (np.allclose(mean, own_mean, rtol=1e-6, atol=1e-6) and np.allclose(std, own_std, rtol=1e-6, atol=1e-6)):
            problems.append("scales other than those of the training records")
        own = records.splits["test"].targets
    else:
        own = ((test.targets - mean) / np.where(std == 0, 1, std)).astype(np.float32)
    own = own[[place[record] for record in predictions.record_id]]
    wrong = ~np.isclose(own, predictions.targets, rtol=_TOLERANCE, atol=_TOLERANCE, equal_nan=True)
    if wrong.any():
        row, column = (int(i) for i in np.argwhere(wrong)[0])
        problems.append(
            f"{int(wrong.sum())} targets differ, first {shown(predictions.record_id[row])}, {names[column]}: "
            f"{predictions.targets[row, column]:g}, expected {own[row, column]:g}"
        )
    patients = test.patient_id[[place[record] for record in predictions.record_id]]
    if [_text(value) for value in patients] != [_text(value) for value in predictions.patient_id]:
        problems.append("other patients: the intervals depend on who belongs to whom")
    yield verdict("targets", problems, expected=f"those of the {len(place)} test records of {task.id}", fix=fix)


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value

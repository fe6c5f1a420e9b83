"""Which targets of a task another dataset can score, and what that dataset's records say about them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from hf_ecg_bench.data.registry import get_dataset_spec
from hf_ecg_bench.errors import DataError, some
from hf_ecg_bench.results.slices import target_names
from hf_ecg_bench.robustness.concepts import SUPERCLASSES, Concept, Said, concepts, statement_groups
from hf_ecg_bench.tasks import CATALOGUE, Task

_GROUPED = {"labels_super": "superclass", "labels_sub": "subclass"}


@dataclass(frozen=True)
class SharedTarget:
    """One thing that a task predicts and another dataset annotates.

    Attributes:
        id: of the concept, superclass or target.
        home: targets of the task; any of them says it is present, and the largest prediction counts.
        there: how the other dataset says it.
        opposed: labels of which a record must have one to be a negative; None: every record that says neither `present`
            nor `unsure` is one.
        concepts: ids of the rows of the concept table that it rests on; empty for a label of the same name and source.
    """

    id: str
    home: tuple[str, ...]
    there: Said
    opposed: tuple[str, ...] | None = None
    concepts: tuple[str, ...] = ()


def is_same_source(task: Task, dataset: str) -> bool:
    """Whether a dataset has the task's own labels: another copy of its dataset, or a further test set for it."""
    further = (other.dataset for other in CATALOGUE.values() if other.trained_as == task.id)
    return dataset in (task.dataset, *further)


def shared_targets(task: Task, names: Sequence[str], dataset: str, labels: Sequence[str]) -> tuple[SharedTarget, ...]:
    """What a task's yes/no targets and a dataset's labels have in common; empty where there is nothing.

    Args:
        names: the task's yes/no targets.
        dataset: id of the other dataset.
        labels: its label list, all sets together.
    """
    if is_same_source(task, dataset):
        return tuple(SharedTarget(name, (name,), Said((name,))) for name in names if name in labels)
    if task.dataset == "ptbxl" and task.labels in _GROUPED:
        found = [_group(name, _GROUPED[task.labels], dataset, labels) for name in names]
        return tuple(target for target in found if target is not None)
    shared = []
    for concept in concepts():
        home = concept.said_in(task.dataset, names).present
        there = concept.said_in(dataset, labels)
        if home and there.present:
            shared.append(_opposed(SharedTarget(concept.id, home, there, concepts=(concept.id,)), dataset, labels))
    return tuple(shared)


def require_shared(task: Task, names: Sequence[str], dataset: str, labels: Sequence[str]) -> tuple[SharedTarget, ...]:
    """The shared targets.

    Raises:
        DataError: there are none; names tasks that share some with the dataset.
    """
    found = shared_targets(task, names, dataset, labels)
    if not found:
        others = [other.id for other in CATALOGUE.values() if shared_targets(other, _declared(other), dataset, labels)]
        raise DataError(
            f"task {task.id} and dataset {dataset} share no target: nothing could be scored there",
            fix=f"--evaluate-on another dataset; models of these tasks can be tested on {dataset}: {some(others, 12)}",
        )
    return found


def targets_there(present: np.ndarray, labels: Sequence[str], shared: Sequence[SharedTarget]) -> np.ndarray:
    """(records, shared targets) float32: 1, 0, or NaN where a record leaves it open.

    Args:
        present: (records, labels) 0 or 1.
        labels: names of its columns.
    """
    position = {label: column for column, label in enumerate(labels)}

    def any_of(names: Sequence[str]) -> np.ndarray:
        return (present[:, [position[name] for name in names]] == 1).any(axis=1)

    result = np.zeros((len(present), len(shared)), np.float32)
    for column, target in enumerate(shared):
        yes = any_of(target.there.present)
        no = ~any_of(target.there.unsure) if target.opposed is None else any_of(target.opposed)
        result[:, column] = np.where(yes, 1.0, np.where(no, 0.0, np.nan))
    return result


def at_home(values: np.ndarray, names: Sequence[str], shared: Sequence[SharedTarget]) -> np.ndarray:
    """(records, shared targets): the largest of each shared target's columns, of targets or predictions.

    Args:
        values: (records, targets of the task); a NaN (missing target) counts where no column says 1.
        names: of its columns.
    """
    position = {name: column for column, name in enumerate(names)}
    columns = []
    for target in shared:
        part = values[:, [position[name] for name in target.home]]
        highest = np.where(np.isnan(part), -np.inf, part).max(axis=1)
        open_ = np.isnan(part).any(axis=1) & (highest < 1)
        columns.append(np.where(open_, np.nan, highest))
    return np.stack(columns, axis=1).astype(values.dtype)


def _group(name: str, column: str, dataset: str, labels: Sequence[str]) -> SharedTarget | None:
    """A superclass or subclass of PTB-XL in another dataset, from all concepts that belong to it."""
    belongs = _superclass if column == "superclass" else _subclass(statement_groups(column))
    present: list[str] = []
    unsure: list[str] = []
    rows = []
    for concept in concepts():
        said, certain = concept.said_in(dataset, labels), belongs(concept, name)
        if certain is None:
            continue
        if certain and said.present:
            rows.append(concept.id)
        (present if certain else unsure).extend(said.present)
        unsure.extend(said.unsure)
    if not present:
        return None
    open_ = tuple(dict.fromkeys(label for label in unsure if label not in present))
    target = SharedTarget(name, (name,), Said(tuple(dict.fromkeys(present)), open_), concepts=tuple(rows))
    return _opposed(target, dataset, labels)


def _superclass(concept: Concept, name: str) -> bool | None:
    return True if concept.superclass == name else False if concept.may_be == name else None


def _subclass(groups: dict[str, str]) -> Callable[[Concept, str], bool | None]:
    def belongs(concept: Concept, name: str) -> bool | None:
        statements = concept.labels["ptbxl"].present if "ptbxl" in concept.labels else ()
        inside = [groups.get(statement) == name for statement in statements]
        return None if not any(inside) else all(inside)

    return belongs


def _opposed(target: SharedTarget, dataset: str, labels: Sequence[str]) -> SharedTarget:
    """A normal ECG is opposed to a finding of another superclass; a mere rhythm or premature beat leaves it open."""
    if target.id != "NORM":
        return target
    others = [
        label
        for concept in concepts()
        if concept.superclass in SUPERCLASSES[1:]
        for label in concept.said_in(dataset, labels).present
    ]
    return replace(target, opposed=tuple(dict.fromkeys(others)))


def label_column(columns: Sequence[str]) -> str | None:
    """The label column of a dataset that holds all labels of the concept table."""
    return next((name for name in ("labels_all", "labels") if name in columns), None)


def yes_no_names(task: Task, class_names: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """The yes/no targets of a task.

    Args:
        class_names: the classes of the dataset's label columns, by column.
    """
    kinds = {target.name: target.kind for target in get_dataset_spec(task.dataset).targets}
    return tuple(name for name in target_names(task, class_names) if kinds.get(name, "binary") == "binary")


def _declared(task: Task) -> tuple[str, ...]:
    """The yes/no targets of a task on the complete release."""
    return yes_no_names(task, get_dataset_spec(task.dataset).label_columns)

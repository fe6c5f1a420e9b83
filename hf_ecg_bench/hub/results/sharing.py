"""What of a result may be passed on: predictions name records, and some records are not ours to name."""

from __future__ import annotations

from dataclasses import dataclass

from hf_ecg_bench.errors import UnknownNameError
from hf_ecg_bench.tasks.catalogue import CATALOGUE


@dataclass(frozen=True)
class Sharing:
    """Whether values per record may go to the Hub, and why not."""

    records: bool
    reason: str = ""


def sharing(task: str, *datasets: str) -> Sharing:
    """By the access of every dataset concerned: of the task, and those that a result itself names.

    What this project does not know counts as closed.
    """
    from hf_ecg_bench.data.registry import get_dataset_spec

    known = CATALOGUE.get(task)
    if known is None:
        return Sharing(False, f"the task {task} is not known here")
    for dataset in dict.fromkeys((known.dataset, *datasets)):
        try:
            access = get_dataset_spec(dataset).access
        except UnknownNameError:
            return Sharing(False, f"the dataset {dataset} is not known here")
        if access != "open":
            return Sharing(False, f"{dataset} is {access} data: predictions, targets and record ids stay with you")
    return Sharing(True)

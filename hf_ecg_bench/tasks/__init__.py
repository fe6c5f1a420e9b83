"""Tasks, the catalogue they are listed in, and suites of them."""

from hf_ecg_bench.errors import unknown_name
from hf_ecg_bench.tasks.catalogue import CATALOGUE
from hf_ecg_bench.tasks.suites import SUITES, Suite, get_suite, suites_of
from hf_ecg_bench.tasks.task import Task

__all__ = ["CATALOGUE", "SUITES", "Suite", "Task", "get_suite", "get_task", "list_tasks", "suites_of"]


def list_tasks() -> list[str]:
    """Ids of all tasks, in catalogue order."""
    return list(CATALOGUE)


def get_task(name: str) -> Task:
    """The task of that id; a wrong name raises UnknownNameError with close matches."""
    if name not in CATALOGUE:
        raise unknown_name("task", name, CATALOGUE, fix="hf-ecg-bench list tasks")
    return CATALOGUE[name]

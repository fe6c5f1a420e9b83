"""The categories of tasks, and the order in which tables list categories and tasks."""

from __future__ import annotations

from hf_ecg_bench.tasks.catalogue import CATALOGUE

#: Id -> name as the paper has it, and one that fits the head of a column. In the paper's order, then our own.
_NAMES = {
    "adult_ecg_interpretation": ("Adult ECG interpretation", "Adult ECG"),
    "pediatric_ecg_interpretation": ("Pediatric ECG interpretation", "Pediatric ECG"),
    "cardiac_structure_function": ("Cardiac structure and function", "Cardiac structure"),
    "cardiac_outcomes": ("Cardiac outcomes", "Cardiac outcomes"),
    "noncardiac_outcomes": ("Non-cardiac outcomes", "Non-cardiac outcomes"),
    "acute_care": ("Acute care", "Acute care"),
    "patient_characteristics": ("Patient characteristics", "Patient characteristics"),
    "embedded": ("Synthetic", "Synthetic"),
    "joint_training": ("Joint training", "Joint training"),
}


def category_name(category: str, *, short: bool = False) -> str:
    """Its name; an id that is not ours as words. `short`: for the head of a column."""
    if not category:
        return "Not in the catalogue"
    return _NAMES[category][short] if category in _NAMES else category.replace("_", " ")


def category_order(category: str) -> tuple[int, str]:
    """To sort by: the paper's order, then others by name; none (an empty id) last."""
    return (list(_NAMES).index(category) if category in _NAMES else len(_NAMES) + (not category), category)


def task_order(task: str) -> tuple[int, str]:
    """To sort by: the catalogue's order, then others by name."""
    return (list(CATALOGUE).index(task) if task in CATALOGUE else len(CATALOGUE), task)

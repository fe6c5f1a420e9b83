"""Numbers that occur twice: what two trainings without a seed cannot give."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

from hf_ecg_bench.errors import some
from hf_ecg_bench.published.finding import Finding, better, keys, together
from hf_ecg_bench.results.row import Row


def repeated_points(rows: Sequence[Row]) -> list[Finding]:
    """One finding for each model and pair of modes with equal points on a task."""
    pairs = [pair for group in together(rows, "task").values() for pair in combinations(group, 2)]
    equal = [(a, b) for a, b in pairs if a.value == b.value and a.model == b.model]
    chance = sum(a.value == b.value for a, b in pairs if a.model != b.model)
    others = sum(a.model != b.model for a, b in pairs)
    groups: dict[tuple[str, str, str], list[tuple[Row, Row]]] = {}
    for a, b in equal:
        groups.setdefault((a.model, a.mode, b.mode), []).append((a, b))
    return [
        _repeated(rows, *names, found, f"{chance} of {others:,} pairs of rows of different models agree like that")
        for names, found in groups.items()
    ]


def _repeated(
    rows: Sequence[Row], model: str, first: str, second: str, found: list[tuple[Row, Row]], chance: str
) -> Finding:
    same_interval = sum((a.low, a.high) == (b.low, b.high) for a, b in found)
    tasks = [a.task for a, _ in found]
    own = together(rows, "model", "mode")
    elsewhere = [
        (a, b)
        for a, b in zip(own[model, first], own[model, second], strict=True)
        if a.task == b.task and a.task not in tasks
    ]
    ahead = sum(better(a, b) for a, b in elsewhere)
    evidence = (
        f"{first} and {second} have the same value to six digits on {len(found)} task{'s' * (len(found) > 1)} "
        f"({some(tasks, 12)}); {chance}. "
        f"{same_interval} of the {len(found)} pairs have the same interval as well: "
        + (
            "the same predictions were resampled twice (no seed is fixed), so one model was tested under two names, "
            "rather than a line copied. "
            if not same_interval
            else "lines were copied. "
        )
        + f"On its other {len(elsewhere)} tasks {first} is better than {second} on {ahead}. "
        "Which of the two the number belongs to cannot be told from outside"
    )
    third = next((mode for name, mode in own if name == model and mode not in (first, second)), None)
    if third is not None:
        there = [(a, b) for a in own[model, first] for b in own[model, third] if a.task == b.task]
        beaten = [sum(better(b, a) for a, b in there if (a.task in tasks) == inside) for inside in (True, False)]
        evidence += (
            f"; {third} is better than {first} on {beaten[0]} of these {len(tasks)} tasks and on {beaten[1]} of the "
            f"other {len(there) - len(tasks)}"
        )
    return Finding(
        f"repeated-{model}-{first}-{second}",
        f"{model}: {first} repeats {second} to six digits on {len(found)} task{'s' * (len(found) > 1)}",
        "do_not_use",
        "value",
        evidence + ".",
        "",
        keys(row for pair in found for row in pair),
    )

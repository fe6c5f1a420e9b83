"""From rows of results to what can be learnt from them about one task, with everything left out counted."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from hf_ecg_bench.results.row import Row
from hf_ecg_bench.selecting.candidate import Candidate, candidate_of
from hf_ecg_bench.selecting.scale import kind_of, to_scale
from hf_ecg_bench.selecting.trainings import of_one_training, of_one_weights

#: How far below the middle of its task a value counts, in robust SDs: how bad a bad one is does not say what is best.
FLOOR = 3.0
#: On the common scale: what one doubling of the training records may change between two models, and a seed.
PER_DOUBLING, PER_SEED = 0.04, 0.02
#: What is added to the SD of a row whose model has seen other records of the same corpus, or of which the audit says
#: that its value is to be read with caution.
_CORPUS_SD, _CAUTION_SD = 0.1, 0.1


@dataclass(frozen=True)
class Cell:
    """What is known about a candidate, on one task or on the tasks of one category of a dataset.

    Attributes:
        candidate: who.
        block: cells of one block have a common unknown level; only their differences say something.
        dataset, category: of the tasks.
        asked: whether it is the asked task itself.
        value: mean on the common scale, less the levels of its tasks where there are several.
        tasks: how many tasks it is the mean of.
        noise: variance of the value beyond what tasks differ in.
        origin: `ours`, `published` or `probe`.
    """

    candidate: Candidate
    block: str
    dataset: str
    category: str
    asked: bool
    value: float
    tasks: int
    noise: float
    origin: str


@dataclass(frozen=True)
class Evidence:
    """All cells.

    Attributes:
        left_out: rows by reason.
        levels: (category, dataset, kind, level) of each task.
        task_variance: by how much candidates differ from task to task of one dataset and category, over what they
            differ in everywhere; NaN where no dataset has two tasks.
    """

    cells: tuple[Cell, ...]
    left_out: Counter[str] = field(default_factory=Counter)
    levels: tuple[tuple[str, str, str, float], ...] = ()
    task_variance: float = math.nan


def usable(rows: Iterable[Row], asked: str) -> tuple[list[Row], Counter[str]]:
    """The rows that say something about how well a candidate does, and how many others there are, by reason."""
    kept, left_out = [], Counter[str]()
    for row in rows:
        reason = _unusable(row, asked)
        if reason:
            left_out[reason] += 1
        else:
            kept.append(row)
    return kept, left_out


def _unusable(row: Row, asked: str) -> str:
    if grade(row) == "do_not_use":
        return "published, and the audit says not to use them"
    if row.contamination == "test_records":
        return "pretrained on the test records"
    if not kind_of(row.metric) or not math.isfinite(row.value):
        return "without a comparable value"
    if row.preprocessing != "paper":
        return "fed in another way than by default"
    if ", fault " in row.protocol:
        return "with a published slip repeated on purpose"
    if row.fraction < 1 and row.task != asked:
        return "on a part of the training records of another task"
    return ""


def grade(row: Row) -> str:
    """The gravest thing that the audit says about a row's value: `do_not_use`, `caution`, or nothing.

    What is known against its interval, or as a mere note, changes no value. An id that this version does not know
    counts as a caution.
    """
    if not row.audit:
        return ""
    from hf_ecg_bench.published import findings_of

    found = findings_of(row)
    grades = {finding.severity for finding in found if finding.about == "value"}
    if "do_not_use" in grades:
        return "do_not_use"
    return "caution" if "caution" in grades or len(found) < len(row.audit.split(",")) else ""


def nearest_records(rows: Iterable[Row], task: str, records: float) -> float:
    """The number of training records to predict for: as asked, but within the numbers that were run on the task.

    NaN, which is all records, becomes the largest number that was run, where there is one.
    """
    kept, _ = usable(rows, task)
    sizes = [row.records_train for row in kept if row.task == task and row.records_train > 0]
    if not sizes:
        return records
    return max(sizes) if math.isnan(records) else min(max(records, min(sizes)), max(sizes))


def gather(rows: Sequence[Row], task: str, records: float) -> Evidence:
    """Cells for one task, after so many training records (NaN: all, see `nearest_records`).

    The asked task has a block for each origin and number of training records. The other tasks of a dataset and category
    are one observation per candidate: label sets of one dataset, and tasks of one joint run, are not independent.
    Runs of other weights or settings are not averaged as if they were seeds (`trainings`).
    """
    kept, left_out = usable(rows, task)
    kept = of_one_weights(kept, left_out)
    values: dict[tuple[str, str, str, float], dict[Candidate, list[Row]]] = defaultdict(lambda: defaultdict(list))
    for row in kept:
        size = _rounded(row.records_train) if row.task == task else math.nan
        values[row.task, row.dataset, row.origin, -1.0 if math.isnan(size) else size][candidate_of(row)].append(row)
    for block in values.values():
        for who, found_rows in block.items():
            block[who] = of_one_training(who, found_rows, left_out)
    cells: list[Cell] = []
    levels = []
    groups: dict[tuple[str, str, str], list[dict[Candidate, tuple[float, float]]]] = defaultdict(list)
    for (name, dataset, origin, size), found in values.items():
        first = next(iter(found.values()))[0]
        means = _floored({who: _mean(own) for who, own in found.items()})
        if name == task:
            away = _doublings(size, records)
            extra = (PER_DOUBLING * away) ** 2
            cells += [
                Cell(who, f"{origin} {name} {size:g}", dataset, first.category, True, value, 1, noise + extra, origin)
                for who, (value, noise) in means.items()
            ]
        else:
            groups[dataset, first.category, origin].append(means)
        middle = float(np.median([value for value, _ in means.values()]))
        levels.append((first.category, dataset, kind_of(first.metric), middle))
    squares, freedom = 0.0, 0
    for (dataset, category, origin), tasks in groups.items():
        own, sum_of_squares, free = _averaged(tasks, dataset, category, origin)
        cells += own
        squares, freedom = squares + sum_of_squares, freedom + free
    variance = squares / freedom if freedom else math.nan
    return Evidence(tuple(cells), left_out, tuple(levels), variance)


def _averaged(
    tasks: list[dict[Candidate, tuple[float, float]]], dataset: str, category: str, origin: str
) -> tuple[list[Cell], float, int]:
    """One cell per candidate: its mean over the tasks after their levels, found together with the candidates'.

    Beside them the sum of squares of what is left over, and its degrees of freedom.
    """
    who = sorted({candidate for task in tasks for candidate in task})
    values = np.full((len(who), len(tasks)), np.nan)
    noise = np.zeros_like(values)
    for column, task in enumerate(tasks):
        for candidate, (value, variance) in task.items():
            values[who.index(candidate), column], noise[who.index(candidate), column] = value, variance
    known = ~np.isnan(values)
    number = known.sum(1)
    effect = np.zeros(len(who))
    for _ in range(50):
        level = np.nansum(values - effect[:, None], 0) / known.sum(0)
        effect = np.nansum(values - level, 1) / number
    block = f"{origin} {dataset} {category}"
    rest = values - level - effect[:, None]
    freedom = int(known.sum()) - len(who) - len(tasks) + 1
    cells = [
        Cell(
            candidate, block, dataset, category, False, float(effect[i]), int(number[i]),
            float(noise[i][known[i]].sum() / number[i] ** 2), origin,
        )
        for i, candidate in enumerate(who)
    ]  # fmt: skip
    return cells, float(np.nansum(rest**2)), max(freedom, 0) if len(tasks) > 1 else 0


def _mean(rows: list[Row]) -> tuple[float, float]:
    """Mean over seeds on the common scale and its variance."""
    values = to_scale([row.value for row in rows], kind_of(rows[0].metric))
    seen = max(row.contamination == "same_corpus" for row in rows)
    doubted = max(grade(row) == "caution" for row in rows)
    # Seeds are tested on the same patients: their mean knows these no better than one of them.
    tested = float(np.mean([_sampling_variance(row) for row in rows]))
    return float(values.mean()), PER_SEED**2 / len(values) + tested + seen * _CORPUS_SD**2 + doubted * _CAUTION_SD**2


def _sampling_variance(row: Row) -> float:
    """Of a value of ours, by which patients it was tested on: from its 95 % interval, 0 where it has none.

    As if candidates were tested on patients of their own; on the same ones they differ less by chance. Published
    intervals are of the complete test sets, narrow, and not to be relied on (see the audit).
    """
    if row.origin != "ours" or not row.low <= row.high:
        return 0.0
    low, high = np.sort(to_scale([row.low, row.high], kind_of(row.metric)))
    return float(((high - low) / (2 * 1.96)) ** 2)


def _floored(means: dict[Candidate, tuple[float, float]]) -> dict[Candidate, tuple[float, float]]:
    values = np.array([value for value, _ in means.values()])
    middle = float(np.median(values))
    spread = 1.4826 * float(np.median(np.abs(values - middle)))
    if len(values) < 5 or spread == 0:
        return means
    return {who: (max(value, middle - FLOOR * spread), noise) for who, (value, noise) in means.items()}


def _rounded(records: float) -> float:
    """To half doublings, so that runs of several seeds, whose subsets differ by a few patients, are one block."""
    return 2 ** (round(2 * math.log2(records)) / 2) if records > 0 else math.nan


def _doublings(size: float, records: float) -> float:
    return abs(math.log2(records / size)) if size > 0 and records > 0 else 0.0

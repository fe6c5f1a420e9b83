"""From the standings of tasks to one order of entries."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hf_ecg_bench.errors import EcgBenchError
from hf_ecg_bench.evaluation.multiplicity import holm_of_defined
from hf_ecg_bench.evaluation.ranking import rank
from hf_ecg_bench.standings.cells import Table, table_of
from hf_ecg_bench.standings.entry import Entry
from hf_ecg_bench.standings.friedman import critical_difference, friedman
from hf_ecg_bench.standings.overall import ContaminationPolicy, OverallStanding, Rule
from hf_ecg_bench.standings.ranks import (
    draw_tasks,
    interval,
    mean_over_tasks,
    over_datasets,
    task_ranks,
    value_ranks,
    win_rate,
)
from hf_ecg_bench.standings.signed_rank import signed_rank_p, smallest_p
from hf_ecg_bench.standings.skill import choose_baseline, errors, log_ratios, skill
from hf_ecg_bench.standings.task import TaskStanding
from hf_ecg_bench.texts import plural

Floats = NDArray[np.float64]
ALPHA = 0.05


def over_tasks(
    standings: Mapping[str, TaskStanding],
    *,
    policy: ContaminationPolicy = "keep",
    rule: Rule = "anchor",
    datasets: Mapping[str, str],
    categories: Mapping[str, str],
    entries: Collection[Entry] | None = None,
    seed: int = 0,
    n_resamples: int = 1000,
    alpha: float = ALPHA,
) -> OverallStanding:
    """Order entries by their mean rank over tasks.

    Under the rule `anchor` an entry's rank on a task is that of its value, and entries are tied over tasks where
    Wilcoxon's signed-rank test, Holm-adjusted over all pairs, does not separate them from the best of their group.
    Under `paper` it is 1 + the number of entries that are significantly better on that task (`ranks.task_ranks`); the
    groups are found in the same way, as the paper says nothing about them. Whether the paper takes the mean or the
    median of ranks is not recoverable either: both are given, the mean orders.

    Intervals come from resampling tasks within their datasets and, with `anchor`, test patients within tasks. A
    dataset with one task always takes part with it: how the order depends on the choice of datasets is said by the
    second interval, for which whole datasets are drawn.

    Args:
        standings: task -> its standing; entries and tasks without a value are missing, not imputed.
        datasets, categories: task -> dataset, and category; tasks that are not there are their own dataset, and in
            no category.
        entries: rank these alone; default all.
        alpha: level of groups.

    Raises:
        EcgBenchError: there is nothing to rank.
    """
    table = table_of(standings, policy, entries)
    if not len(table.tasks):
        raise EcgBenchError("nothing to rank: none of the entries has a result", fix="hf-ecg-bench report RESULTS_DIR")
    mean = mean_over_tasks(task_ranks(table, rule))
    enough = (~np.isnan(table.values)).sum(axis=1) >= len(table.tasks) / 2
    k = len(table.entries)
    table = table.take(sorted(range(k), key=lambda i: (not enough[i], np.nan_to_num(mean[i], nan=np.inf), i)))
    ranks, values = task_ranks(table, rule), table.values
    enough = (~np.isnan(values)).sum(axis=1) >= len(table.tasks) / 2
    mean = mean_over_tasks(ranks)
    of_task = [datasets.get(task) or task for task in table.tasks]
    pairs = _pairs(table.signed, enough)
    group = np.zeros(k, dtype=np.int64)
    if enough.any():
        group[enough] = _groups(mean[enough], pairs[np.ix_(enough, enough)], alpha)
    base = choose_baseline(table.entries, values)
    ratios = log_ratios(errors(values, table.higher), base)
    rank_ends, skill_ends = _intervals(table, ranks, rule, of_task, base, seed, n_resamples)
    dataset_ends = over_datasets(ranks, of_task, n_resamples, np.random.default_rng(seed))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "All-NaN slice")
        median = np.nanmedian(ranks, axis=1)
    named = {task: categories.get(task, "") for task in table.tasks}
    return OverallStanding(
        entries=table.entries,
        tasks=table.tasks,
        values=values,
        ranks=ranks,
        missing=(table.position < 0).sum(axis=1),
        hidden=table.hidden.sum(axis=1),
        imputed=table.imputed.sum(axis=1),
        enough=enough,
        mean_rank=mean,
        median_rank=median,
        win_rate=win_rate(value_ranks(table.signed)),
        rank_low=rank_ends[0],
        rank_high=rank_ends[1],
        dataset_low=dataset_ends[0],
        dataset_high=dataset_ends[1],
        skill=skill(ratios),
        skill_low=skill_ends[0],
        skill_high=skill_ends[1],
        baseline=_baseline(table, base),
        group=group,
        category_rank={
            category: mean_over_tasks(ranks[:, [named[task] == category for task in table.tasks]])
            for category in dict.fromkeys(filter(None, named.values()))
        },
        pairs=pairs,
        policy=policy,
        rule=rule,
        friedman=_friedman(table, enough, of_task),
        notes=tuple(_notes(table, enough, alpha)),
    )


def _pairs(signed: Floats, enough: NDArray[np.bool_]) -> Floats:
    k = len(signed)
    adjusted = np.full((k, k), np.nan)
    first, second = np.triu_indices(k, 1)
    both = enough[first] & enough[second]
    first, second = first[both], second[both]
    if len(first):
        adjusted[first, second] = holm_of_defined(signed_rank_p(signed[first] - signed[second]))
        adjusted[second, first] = adjusted[first, second]
    return adjusted


def _groups(mean: Floats, pairs: Floats, alpha: float) -> NDArray[np.int64]:
    with np.errstate(invalid="ignore"):
        better = (pairs < alpha) & (mean[:, None] < mean[None, :])
    return rank(mean, better, higher_is_better=False).rank


def _intervals(
    table: Table, ranks: Floats, rule: Rule, datasets: list[str], base: int | None, seed: int, n: int
) -> tuple[tuple[Floats, Floats], tuple[Floats, Floats]]:
    """Ends of the mean rank's and of the skill's interval, from the same draws."""
    rng = np.random.default_rng(seed)
    tasks = draw_tasks(datasets, n, rng)
    samples = table.samples(n)
    resample = rng.integers(0, samples.shape[2], tasks.shape)
    if rule == "anchor" and samples.shape[2] > 1:
        drawn_ranks = value_ranks(np.where(table.higher[:, None], samples, -samples))[:, tasks, resample]
    else:
        drawn_ranks = ranks[:, tasks]
    rank_ends = interval(mean_over_tasks(drawn_ranks))
    drawn = np.moveaxis(samples[:, tasks, resample], 0, 1)  # (n, k, t)
    ratios = log_ratios(errors(drawn, table.higher[tasks][:, None, :]), base)
    return rank_ends, interval(skill(ratios).T)


def _baseline(table: Table, base: int | None) -> str:
    if base is not None:
        lacks = int(np.isnan(table.values[base]).sum())
        without = f"; without the {lacks} tasks that it lacks" if lacks else ""
        return f"{table.entries[base].key}{without}"
    return "the median entry of each task"


def _friedman(table: Table, enough: NDArray[np.bool_], datasets: list[str]) -> dict[str, Any]:
    k = int(enough.sum())
    complete = np.asarray(~np.isnan(table.values[enough]).any(axis=0), dtype=bool)
    signed = table.signed[enough][:, complete].T
    if k < 3:
        return {}
    found = _test(signed, k, "tasks", np.flatnonzero(enough))
    names = [name for name, kept in zip(datasets, complete.tolist(), strict=True) if kept]
    ranks = value_ranks(signed.T)
    blocks = [-ranks[:, [name == dataset for name in names]].mean(axis=1) for dataset in dict.fromkeys(names)]
    if found and (by_dataset := _test(np.array(blocks), k, "datasets", np.flatnonzero(enough))):
        found["datasets"] = by_dataset
    return found


def _test(signed: Floats, k: int, blocks: str, entries: NDArray[np.intp]) -> dict[str, Any]:
    if len(signed) < 2:
        return {}
    chi2, p = friedman(signed)
    return {
        "blocks": blocks,
        "chi2": chi2,
        "p": p,
        "n_entries": k,
        f"n_{blocks}": len(signed),
        "critical_difference": critical_difference(k, len(signed)),
        "mean_rank": value_ranks(signed.T).mean(axis=1).tolist(),
        "entries": entries.tolist(),
    }


def _notes(table: Table, enough: NDArray[np.bool_], alpha: float) -> list[str]:
    notes, n_tasks = [], len(table.tasks)
    if (k := int(enough.sum())) > 1 and smallest_p(n_tasks, k * (k - 1) // 2) >= alpha:
        notes.append(
            f"{plural(n_tasks, 'task is', 'tasks are')} too few for the signed-rank test to separate any two of {k} "
            "entries after Holm's adjustment: all are one group, the tests on each task say more"
        )
    if (few := int((~enough).sum())) > 0:
        notes.append(
            f"{plural(few, 'entry', 'entries')} with results on less than half of the {n_tasks} tasks: in no group"
        )
    if (number := int(table.hidden.sum())) > 0:
        notes.append(f"{number} hidden results: the model may have seen the test records")
    if (number := int(table.imputed.sum())) > 0:
        notes.append(f"{number} results of models that may have seen the test records count as the mean of the others")
    if (lacking := int((table.position < 0).any(axis=1).sum())) > 0:
        without = f"{plural(lacking, 'entry', 'entries')} without some of the tasks"
        notes.append(f"{without}: mean ranks of different tasks compare roughly")
    untested = sum(
        1 for row in range(len(table.entries)) if not any(_tested(table, row, c) for c in range(len(table.tasks)))
    )
    if untested:
        without = f"{plural(untested, 'entry', 'entries')} without predictions"
        notes.append(f"{without}: ranks on a task are by value alone, untested")
    return notes


def _tested(table: Table, row: int, column: int) -> bool:
    at = int(table.position[row, column])
    return at >= 0 and bool(table.standings[column].tested[at])

"""Every choice of source, modes and contaminated cells that the Space offers, worked out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from hf_ecg_bench.leaderboard.gathering import Results
from hf_ecg_bench.leaderboard.numbers import amount, number
from hf_ecg_bench.leaderboard.own_notes import part_notes, settings_notes, weights_notes
from hf_ecg_bench.leaderboard.space.board.snapshot import (
    ALL_MODES,
    BEST_MODE,
    CONTAMINATION,
    SOURCES,
    Standing,
    View,
)
from hf_ecg_bench.standings.across import over_tasks
from hf_ecg_bench.standings.cells import SEEN
from hf_ecg_bench.standings.counted import counted
from hf_ecg_bench.standings.entry import Entry
from hf_ecg_bench.standings.overall import ContaminationPolicy, OverallStanding, Rule
from hf_ecg_bench.standings.selection import best_modes
from hf_ecg_bench.standings.skill import SUPERVISED
from hf_ecg_bench.training.modes import MODES

#: What may become part of a file's name.
SAFE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+=@-]{0,60}")


@dataclass(frozen=True)
class Choice:
    """Which entries are ranked: (k,) of them, and what to say about how they were chosen."""

    entries: tuple[Entry, ...]
    notes: tuple[str, ...] = ()


def modes_of(results: Results) -> list[str]:
    """Modes with a name that can be shown as a choice: ours in their order, then others."""
    found = {entry.mode for item in results.scores.values() for entry in item.entries}
    usable = {mode for mode in found if SAFE.fullmatch(mode) and mode not in (ALL_MODES, BEST_MODE)}
    return [mode for mode in MODES if mode in usable] + sorted(usable - MODES.keys())


def choose(results: Results, source: str, mode: str) -> Choice:
    """The entries of a source (`ours`, `published`, `both`) in a mode, or in `all`, or each model's `best`.

    A model that has no other mode than training from scratch stands beside every mode: it is what they are compared
    with.
    """
    scores = {
        task: item.of([entry for entry in item.entries if source in (entry.origin, "both")])
        for task, item in results.scores.items()
    }
    entries = sorted({entry for item in scores.values() for entry in item.entries})
    if mode == ALL_MODES:
        return Choice(tuple(entries))
    if mode == BEST_MODE:
        best = best_modes({task: item for task, item in scores.items() if item.entries})
        return Choice(best.entries, best.notes)
    chosen = tuple(entry for entry in entries if entry.mode == mode)
    adapted = {(entry.model, entry.origin) for entry in entries if entry.mode not in SUPERVISED}
    others = tuple(
        entry
        for entry in entries
        if entry.mode in SUPERVISED and entry.mode != mode and (entry.model, entry.origin) not in adapted
    )
    if not chosen:
        return Choice(())
    notes = ("supervised models, trained from scratch, stand beside every mode",) if others else ()
    return Choice(tuple(sorted((*chosen, *others))), notes)


def rank_view(
    results: Results, source: str, mode: str, policy: ContaminationPolicy, rule: Rule = "anchor"
) -> OverallStanding | None:
    """One order of entries over tasks; None where the choice holds no entry."""
    found = next(iter(_ranked(results, source, mode, (policy,), rule)), None)
    return None if found is None else found[1]


def views(results: Results, entries: Mapping[Entry, int]) -> Iterator[View]:
    """Every view that holds an entry."""
    for source in SOURCES:
        for mode in (ALL_MODES, BEST_MODE, *modes_of(results)):
            for policy, overall in _ranked(results, source, mode, CONTAMINATION, "anchor"):
                yield _view(f"{source}-{mode}-{policy}", overall, entries, results)


def _ranked(
    results: Results, source: str, mode: str, policies: Sequence[str], rule: Rule
) -> Iterator[tuple[str, OverallStanding]]:
    choice = choose(results, source, mode)
    standings, left_out = counted(results.standings, results.categories)
    chosen = set(choice.entries)
    usable = [s for s in standings.values() if chosen & set(s.scores.entries)]
    if not usable:
        return
    seen = any(
        state in SEEN
        for s in usable
        for entry, state in zip(s.scores.entries, s.scores.contamination, strict=True)
        if entry in chosen
    )
    found: OverallStanding | None = None
    for policy in policies:
        # Where nothing is contaminated, all policies give the same.
        if found is None or seen:
            found = over_tasks(
                standings,
                policy=policy,  # type: ignore[arg-type]  # one of CONTAMINATION
                rule=rule,
                datasets=results.datasets,
                categories=results.categories,
                entries=chosen,
                n_resamples=results.n_resamples,
            )
        own = (*weights_notes(chosen), *settings_notes(usable, chosen), *part_notes(usable, chosen))
        notes = (*choice.notes, *own, *left_out, *found.notes, f"skill is against {found.baseline}")
        yield policy, OverallStanding(**{**vars(found), "policy": policy, "notes": notes})


def _view(name: str, overall: OverallStanding, entries: Mapping[Entry, int], results: Results) -> View:
    positions = [entries[entry] for entry in overall.entries]
    friedman = _test(overall.friedman, positions)
    if "datasets" in friedman:
        friedman["datasets"] = _test(friedman["datasets"], positions)
    return {
        "view": name,
        "standings": [_standing(overall, i, positions[i], results) for i in range(len(positions))],
        "friedman": friedman,
        "critical_difference": friedman.get("critical_difference"),
        "notes": list(overall.notes),
    }


def _test(found: Mapping[str, Any], positions: Sequence[int]) -> dict[str, Any]:
    """Friedman's test with the index's numbers of entries."""
    if not found:
        return {}
    return {
        **found,
        **{key: amount(found[key]) for key in ("chi2", "p", "critical_difference")},
        "entries": [positions[i] for i in found["entries"]],
        "mean_rank": [number(value, 4) for value in found["mean_rank"]],
    }


def _standing(overall: OverallStanding, i: int, entry: int, results: Results) -> Standing:
    return {
        "entry": entry,
        "group": int(overall.group[i]),
        "mean_rank": number(overall.mean_rank[i], 4),
        "rank_low": number(overall.rank_low[i], 4),
        "rank_high": number(overall.rank_high[i], 4),
        "dataset_low": number(overall.dataset_low[i], 4),
        "dataset_high": number(overall.dataset_high[i], 4),
        "median_rank": number(overall.median_rank[i], 4),
        "win_rate": number(overall.win_rate[i], 4),
        "skill": number(overall.skill[i], 4),
        "skill_low": number(overall.skill_low[i], 4),
        "skill_high": number(overall.skill_high[i], 4),
        "n_tasks": int((~np.isnan(overall.values[i])).sum()),
        "missing": int(overall.missing[i]),
        "hidden": int(overall.hidden[i]),
        "category_rank": {category: number(ranks[i], 4) for category, ranks in overall.category_rank.items()},
        "category_value": _category_values(overall, i, results),
    }


def _category_values(overall: OverallStanding, i: int, results: Results) -> dict[str, float | None]:
    """Mean score over a category's tasks; null where they have several metrics or one is missing."""
    found: dict[str, float | None] = {}
    for category in overall.category_rank:
        at = [n for n, task in enumerate(overall.tasks) if results.categories.get(task) == category]
        one = len({results.scores[overall.tasks[n]].metric for n in at}) == 1
        found[category] = number(overall.values[i, at].mean()) if one else None
    return found

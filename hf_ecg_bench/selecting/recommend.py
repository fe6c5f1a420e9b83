"""The recommendation: which candidates there are, what is expected of each, at what cost, how sure, and why."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from hf_ecg_bench.models.registry import MODELS, get_model_spec
from hf_ecg_bench.results.row import Row
from hf_ecg_bench.selecting.budget import Cost, costs_of, known_costs, over_budget
from hf_ecg_bench.selecting.calibration import Calibration, calibrate, probe_cells
from hf_ecg_bench.selecting.candidate import Candidate, candidate_of, model_name
from hf_ecg_bench.selecting.evidence import Cell, gather, nearest_records
from hf_ecg_bench.selecting.outlook import Outlook, outlook
from hf_ecg_bench.selecting.reasons import reasons_of
from hf_ecg_bench.selecting.scoring import NotScored, Scores
from hf_ecg_bench.selecting.sureness import Judgement, sureness
from hf_ecg_bench.tasks.task import Task
from hf_ecg_bench.training.modes import MODES


@dataclass(frozen=True)
class Ranked:
    """A candidate with what is expected of it.

    Attributes:
        candidate: who.
        score, low, high: expected value of the metric in a run, with its 80 % interval; of any task of the category
            where the asked one has no result.
        behind, behind_low, behind_high: the score less that of the first, with its 80 % interval (better is positive).
        chance: of being the best of those within the budget; `regret`: expected loss to the best of them.
        costs: by name, see `budget.COSTS`.
        outside: what keeps it out of the recommendation: costs above the budget, or not known under one.
        reasons: in words, what it rests on.
    """

    candidate: Candidate
    score: float
    low: float
    high: float
    behind: float
    behind_low: float
    behind_high: float
    chance: float
    regret: float
    costs: dict[str, Cost]
    outside: str
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class Recommendation:
    """The answer.

    Attributes:
        task, kind: asked for; `kind` `auroc` (more is better) or `mae` (less is).
        records: training records, NaN: all of the dataset.
        ranked: all candidates with any evidence, those within the budget first, best first.
        unknown: candidates that no result and no score says anything about.
        sure: how sure, and why.
        scores, not_scored: of transferability; `worth` of the probes as evidence.
        left_out: rows that were not used, by reason.
        notes: what else a reader should know.
    """

    task: str
    kind: str
    records: float
    ranked: tuple[Ranked, ...]
    unknown: tuple[Candidate, ...]
    sure: Judgement
    scores: tuple[Scores, ...] = ()
    not_scored: tuple[NotScored, ...] = ()
    worth: Calibration | None = None
    left_out: dict[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def pick(self) -> Ranked | None:
        """The first within the budget; None where there is nothing to recommend."""
        within = [item for item in self.ranked if not item.outside]
        return within[0] if within and self.sure.level != "too little to say" else None


def task_kind(task: Task) -> str:
    """What a task is scored by."""
    return "mae" if task.selection == "mae" else "auroc"


def candidates_of(
    rows: Sequence[Row], models: Sequence[str] = (), modes: Sequence[str] = (), scored: Sequence[str] = ()
) -> tuple[Candidate, ...]:
    """Those with results and those that could be run: of the asked models (all) in the asked modes (all).

    A model without pretrained weights has mode `scratch` only, and a folder of weights all others. `scratch` of a
    pretrained architecture is a candidate where somebody ran it.
    """
    wanted = tuple(dict.fromkeys(model_name(model) for model in models))
    found = dict.fromkeys(candidate_of(row) for row in rows)
    names = wanted or tuple(dict.fromkeys([*MODELS, *(who.model for who in found), *scored]))
    for name in names:
        pretrained = name not in MODELS or get_model_spec(name).pretrained
        for mode in MODES.values():
            if mode.pretrained == pretrained:
                found[Candidate(name, mode.id)] = None
    return tuple(who for who in found if who.model in names and who.mode in MODES and (not modes or who.mode in modes))


def recommend(
    rows: Sequence[Row],
    task: Task,
    *,
    records: float = math.nan,
    limits: dict[str, float] | None = None,
    models: Sequence[str] = (),
    modes: Sequence[str] = (),
    scores: Sequence[Scores] = (),
    not_scored: Sequence[NotScored] = (),
    earlier: Sequence[Scores] = (),
    seed: int = 0,
) -> Recommendation:
    """Rank the candidates for a task.

    Args:
        rows: results on any tasks, ours and published.
        records: training records there are; NaN: all of the dataset.
        limits: budget by name of cost.
        models, modes: candidates to choose from; empty: all.
        scores: transferability scores of models on this task; `earlier` ones on others calibrate them.
        seed: of the draws.
    """
    limits = limits or {}
    asked, records = records, nearest_records(rows, task.id, records)
    kind = task_kind(task)
    worth = calibrate(earlier, rows, task.id)
    candidates = candidates_of(rows, models, modes, [score.model for score in scores])
    probes = probe_cells(scores, task.dataset, task.category, worth)
    costs = known_costs(rows, task.id, records if math.isnan(asked) else asked)
    outside = {who: _outside(costs_of(who, costs), limits) for who in candidates}
    seen = None
    unknown = list(candidates)
    if candidates:
        backed = _backed(rows, task, candidates, records, probes)
        unknown = [who for who in candidates if who not in backed]
        inside = [who for who in candidates if who in backed and not outside[who]]
        seen = _look(rows, task, kind, inside, records, probes, seed)
    ranked = _ranked(seen, task, kind, costs, outside, scores) if seen else []
    beyond = [who for who in candidates if who not in unknown and outside[who]]
    other = _look(rows, task, kind, beyond, records, probes, seed)
    ranked += _ranked(other, task, kind, costs, outside, scores) if other else []
    judged = sureness(seen, kind, beyond_runs=asked > 2 * records or asked < records / 2)
    if seen is None and beyond:
        judged = Judgement("too little to say", "no candidate with results is known to be within the budget")
    left_out: dict[str, int] = next((look.evidence.left_out for look in (seen, other) if look), {})
    return Recommendation(
        task.id, kind, asked, tuple(ranked), tuple(unknown), judged, tuple(scores), tuple(not_scored),
        worth if scores else None, dict(left_out), tuple(_notes(seen, asked, records, limits, worth, scores)),
    )  # fmt: skip


def _look(
    rows: Sequence[Row], task: Task, kind: str, who: Sequence[Candidate], records: float, probes: list[Cell], seed: int
) -> Outlook | None:
    return outlook(rows, task.id, task.dataset, task.category, kind, who, records=records, probes=probes, seed=seed)


def _backed(
    rows: Sequence[Row], task: Task, candidates: Sequence[Candidate], records: float, probes: list[Cell]
) -> set[Candidate]:
    """Those with evidence of their own; a probe speaks for a model in the modes that read the same features."""
    known = {cell.candidate for cell in gather(rows, task.id, records).cells}
    probed = {cell.candidate.model for cell in probes}
    return {who for who in candidates if who in known or (who.model in probed and MODES[who.mode].on_features)}


def _outside(costs: dict[str, Cost], limits: dict[str, float]) -> str:
    over, missing = over_budget(costs, limits)
    if over:
        return "over the budget: " + ", ".join(f"{name} {costs[name].value:.4g} > {limits[name]:.4g}" for name in over)
    return f"cost not known: {', '.join(missing)}" if missing else ""


def _ranked(
    seen: Outlook,
    task: Task,
    kind: str,
    costs: dict[Candidate, dict[str, Cost]],
    outside: dict[Candidate, str],
    scores: Sequence[Scores],
) -> list[Ranked]:
    low, high = np.quantile(seen.scores, [0.1, 0.9], axis=0)
    behind = (seen.scores - seen.scores[:, :1]) * (1 if kind == "auroc" else -1)
    behind_low, behind_high = np.quantile(behind, [0.1, 0.9], axis=0)
    mean, gap = seen.scores.mean(0), behind.mean(0)
    return [
        Ranked(
            who, float(mean[i]), float(low[i]), float(high[i]),
            float(gap[i]), float(behind_low[i]), float(behind_high[i]),
            float(seen.chance[i]), float(seen.regret[i]), costs_of(who, costs), outside[who],
            reasons_of(who, seen, task, scores),
        )
        for i, who in enumerate(seen.candidates)
    ]  # fmt: skip


def _notes(
    seen: Outlook | None,
    asked: float,
    records: float,
    limits: dict[str, float],
    worth: Calibration,
    scores: Sequence[Scores],
) -> list[str]:
    notes = []
    if seen and not seen.level_known:
        notes.append(
            "no usable result on this task: scores are of any task of this kind, the differences between candidates "
            "are what the order rests on"
        )
    if asked > 0 and asked != records:
        notes.append(f"predicted for {records:g} training records, the nearest to {asked:g} that were run on this task")
    elif asked > 0 and seen and not any(cell.asked and cell.origin == "ours" for cell in seen.model.cells):
        notes.append(
            f"no result of ours after {asked:g} training records of this task: the order is that of other numbers "
            "of records"
        )
    if limits:
        notes.append("costs are medians of our runs; candidates whose cost is not known stand apart")
    if scores and not worth.tasks:
        notes.append("the probes were not compared with results on other tasks yet: their worth is assumed")
    return notes

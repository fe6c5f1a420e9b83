"""What an expectation rests on, in words."""

from __future__ import annotations

from collections.abc import Sequence

from hf_ecg_bench.results.contamination import contamination
from hf_ecg_bench.selecting.candidate import Candidate
from hf_ecg_bench.selecting.outlook import Outlook
from hf_ecg_bench.selecting.scoring import Scores
from hf_ecg_bench.tasks.task import Task


def reasons_of(who: Candidate, seen: Outlook, task: Task, scores: Sequence[Scores]) -> tuple[str, ...]:
    """Direct results, related ones, probes, relatives where there is nothing else, and contamination."""
    cells = [cell for cell in seen.model.cells if cell.candidate == who]
    direct = sorted({cell.origin for cell in cells if cell.asked and cell.origin != "probe"})
    others = [cell for cell in cells if not cell.asked]
    found = [f"{' and '.join(direct)} on this task" if direct else "no usable result on this task"]
    if others:
        tasks = sum(cell.tasks for cell in others)
        datasets = len({cell.dataset for cell in others})
        close = sum(cell.tasks for cell in others if cell.category == task.category)
        same = sum(cell.tasks for cell in others if cell.dataset == task.dataset)
        found.append(f"{tasks} other results on {datasets} datasets ({close} of this category, {same} of this dataset)")
    score = next((score for score in scores if score.model == who.model), None)
    if score is not None:
        kind = "AUROC" if score.kind == "auroc" else "MAE"
        found.append(f"linear probe of its features on {score.records} training records: {kind} {score.probe:.4f}")
    if not cells:
        found.append("none of its own: from the model's other modes")
    known = contamination(who.model, task.dataset, who.mode)
    if known.state in ("test_records", "same_corpus"):
        what = "the test records" if known.state == "test_records" else "other records of this corpus"
        found.append(f"contaminated, its pretraining has seen {what}: {known.reason}")
    return tuple(found)

"""From a folder of results to what the overview says; writes nothing."""

from __future__ import annotations

from pathlib import Path

from hf_ecg_bench.overview.adaptation_part import adaptation_part
from hf_ecg_bench.overview.category_part import category_part
from hf_ecg_bench.overview.choices import Choices
from hf_ecg_bench.overview.cost_part import cost_part
from hf_ecg_bench.overview.gaps_part import gap_alerts, gaps_part
from hf_ecg_bench.overview.numbers import study_numbers
from hf_ecg_bench.overview.parts import Overview
from hf_ecg_bench.overview.published_part import published_part
from hf_ecg_bench.overview.runs_part import runs_part
from hf_ecg_bench.overview.scaling_part import scaling_part
from hf_ecg_bench.overview.standing_part import standing_part
from hf_ecg_bench.overview.study import Study, read_study
from hf_ecg_bench.overview.task_part import task_part
from hf_ecg_bench.texts import plural


def build_overview(results_dir: Path, choices: Choices) -> Overview:
    """Read, rank and describe everything at or below `results_dir`.

    Raises:
        EcgBenchError: no result, or none that can be read.
    """
    return overview_of(read_study(results_dir, choices))


def overview_of(study: Study) -> Overview:
    """What the page says of a study."""
    parts = (
        standing_part(study),
        category_part(study),
        task_part(study),
        adaptation_part(study),
        scaling_part(study),
        cost_part(study),
        *((published_part(study),) if study.choices.published else ()),
        gaps_part(study),
        runs_part(study),
    )
    runs = len({row.folder for row in study.rows})
    models = {entry.model for entry in study.entries}
    modes = {entry.mode for entry in study.entries}
    facts = (
        plural(runs, "run"),
        plural(len(models), "model"),
        plural(len(study.standings), "task"),
        plural(len(modes), "mode"),
        plural(len({row.seed for row in study.rows}), "seed"),
    )
    tables = [table for part in parts for block in part.blocks for table in block.tables]
    title = f"{plural(len(models), 'model')} on {plural(len(study.standings), 'task')}"
    return Overview(title, facts, tuple(gap_alerts(study)), parts, study_numbers(study, tables))

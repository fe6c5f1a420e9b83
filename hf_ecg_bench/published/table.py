"""The published table: the 728 rows of the spreadsheet that goes with arXiv 2509.25095, read as rows like ours."""

from __future__ import annotations

import csv
from functools import cache
from importlib.resources import files

from hf_ecg_bench.results.contamination import contamination
from hf_ecg_bench.results.metrics import higher_is_better
from hf_ecg_bench.results.row import Row
from hf_ecg_bench.tasks.catalogue import CATALOGUE

PAPER = "M. A. Al-Masud et al., ICLR 2026, arXiv 2509.25095"
_FILE = "published_results.csv"


@cache
def table_rows() -> tuple[Row, ...]:
    """All rows in the spreadsheet's order, without what the audit says about them.

    Classification tasks are scored by macro AUROC, an undefined label counting 0.5. Regression tasks are scored by a
    mean absolute error in standard deviations of the training targets; it is called `pooled_mae` here, as the authors'
    code pools all values, but whether a group's number is that or the mean over its targets is not recoverable.
    """
    text = (files("hf_ecg_bench.published") / _FILE).read_text(encoding="utf-8")
    return tuple(_row(raw) for raw in csv.DictReader(text.splitlines()))


def _row(raw: dict[str, str]) -> Row:
    task = CATALOGUE[raw["task"]]
    known = contamination(raw["model"], task.dataset, raw["mode"])
    return Row(
        model=raw["model"],
        task=task.id,
        category=task.category,
        dataset=task.dataset,
        mode=raw["mode"],
        metric=raw["metric"],
        higher_is_better=higher_is_better(raw["metric"]),
        value=float(raw["value"]),
        low=float(raw["low"]),
        high=float(raw["high"]),
        trained_as=task.trained_as or "",
        n_targets=float(raw["targets"]),
        resampling="record",
        contamination=known.state,
        contamination_reason=known.reason,
        origin="published",
        citation=f"{PAPER}, sheet {raw['sheet']}, row {raw['row']}",
    )

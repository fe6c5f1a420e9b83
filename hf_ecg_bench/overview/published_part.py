"""Ours beside the published rows of the same model, mode and task, with what is known against them."""

from __future__ import annotations

import math
import re
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hf_ecg_bench.overview.parts import Block, Part
from hf_ecg_bench.overview.plots.agreement import plot_beside
from hf_ecg_bench.overview.study import Study
from hf_ecg_bench.overview.wording import entry_cells, fixed, signed, task_name, with_interval
from hf_ecg_bench.published import Beside, Finding, beside, findings_of, published_rows
from hf_ecg_bench.results.figures import Picture
from hf_ecg_bench.results.metrics import metric_name
from hf_ecg_bench.results.tables import Cell, Column, Table
from hf_ecg_bench.standings.entry import Entry
from hf_ecg_bench.texts import plural

_MOST_ROWS = 400


@dataclass(frozen=True, eq=False)
class Reproduction:
    """An entry of ours on a task and the published row; seeds are averaged.

    Attributes:
        value: ours as scored, with its interval; `as_published` under the published rule for undefined labels.
        pairs: one per seed.
    """

    task: str
    entry: Entry
    value: float
    low: float
    high: float
    pairs: tuple[Beside, ...]

    @property
    def as_published(self) -> float:
        """Mean over seeds."""
        return statistics.fmean(pair.as_published for pair in self.pairs)

    @property
    def difference(self) -> float:
        """Ours minus theirs, under the published rule."""
        return self.as_published - self.pairs[0].theirs.value

    @property
    def obstacles(self) -> tuple[str, ...]:
        """Why the two values cannot be compared, of any seed."""
        return tuple(dict.fromkeys(text for pair in self.pairs for text in pair.obstacles))

    @property
    def remarks(self) -> tuple[str, ...]:
        """What else to know, of any seed."""
        return tuple(dict.fromkeys(text for pair in self.pairs for text in pair.remarks))


def published_part(study: Study) -> Part:
    """A table of all pairs, a picture of them, and the findings against the rows that are shown."""
    title = "Beside the published rows"
    found = reproductions(study)
    if not found:
        return Part("published", title, ("No published row is of the same model, mode and task as one of ours.",))
    comparable = [item for item in found if not item.obstacles]
    intro = [
        "Published values are of one run each, and no predictions of them exist: differences are of point values and "
        "cannot be tested. The difference counts undefined labels as 0.5, as the published values do."
    ]
    if comparable:
        median = statistics.median(abs(item.difference) for item in comparable)
        intro.append(
            f"{len(comparable)} of {plural(len(found), 'pair')} can be compared; their median absolute difference "
            f"is {median:.3f}."
        )
    else:
        intro.append(f"None of {plural(len(found), 'pair')} can be compared: the table says why.")
    reasons = obstacle_table(found)
    blocks = [
        Block(tables=(reasons,) if reasons.rows else (), pictures=tuple(_pictures(found))),
        Block(tables=(published_table(found),), folded=len(found) > 24, title="Pairs"),
    ]
    if findings := _findings(found):
        blocks.append(
            Block("What is known against these published rows", (findings_table(findings, found),), folded=True)
        )
    return Part("published", title, tuple(intro), tuple(blocks))


def reproductions(study: Study) -> list[Reproduction]:
    """Every entry and task with a published row, in the order of tasks and entries."""
    found = []
    for task, standing in study.standings.items():
        scores = standing.scores
        for entry in study.entries:
            if entry not in scores.entries:
                continue
            i = scores.entries.index(entry)
            if pairs := beside(scores.rows[i], published_rows()):
                value, low, high = (float(getattr(scores, name)[i]) for name in ("value", "low", "high"))
                found.append(Reproduction(task, entry, value, low, high, tuple(pairs)))
    return found


def published_table(found: Sequence[Reproduction]) -> Table:
    """One row per pair; those that cannot be compared are in italics."""
    rows = []
    for item in found[:_MOST_ROWS]:
        first = item.pairs[0]
        doubtful = bool(item.obstacles)
        rows.append(
            (
                Cell(task_name(item.task)),
                *entry_cells(item.entry),
                Cell(metric_name(first.ours.metric)),
                Cell(with_interval(item.value, item.low, item.high)),
                Cell(fixed(item.as_published, 3)),
                Cell(with_interval(first.theirs.value, first.theirs.low, first.theirs.high), weak=doubtful),
                Cell(signed(item.difference), weak=doubtful),
                Cell("no" if doubtful else "yes", weak=doubtful),
                Cell("; ".join([*item.obstacles, *item.remarks])),
                Cell(first.theirs.audit.replace(",", ", ")),
            )
        )
    right = ("Ours [95 %]", "Ours, 0.5 rule", "Published [95 %]", "Difference")
    columns = (
        *(Column(title) for title in ("Task", "Model", "Mode", "Metric")),
        *(Column(title, "right") for title in right),
        *(Column(title) for title in ("Comparable", "Why not, and remarks", "Audit")),
    )
    more = f" The first {_MOST_ROWS} of {len(found)}." if len(found) > _MOST_ROWS else ""
    caption = (
        "Ours beside the published rows. 0.5 rule: undefined labels count 0.5. Audit: ids of what is known against "
        f"the published row. The published intervals are made in another way and not to be compared with ours.{more}"
    )
    return Table("published", caption, columns, tuple(rows))


def obstacle_table(found: Sequence[Reproduction]) -> Table:
    """One row per reason why pairs cannot be compared; those that differ only in numbers are one."""
    said: dict[str, tuple[str, int]] = {}
    for item in found:
        for text in item.obstacles:
            pattern = re.sub(r"[\d,.]+", "#", text)
            first, number = said.get(pattern, (text, 0))
            said[pattern] = first, number + 1
    rows = tuple((Cell(text), Cell(str(number))) for text, number in sorted(said.values(), key=lambda one: -one[1]))
    caption = "Why pairs cannot be compared; reasons that differ in numbers alone are in the words of the first."
    return Table("published-obstacles", caption, (Column("Reason"), Column("Pairs", "right")), rows)


def findings_table(findings: Sequence[Finding], found: Sequence[Reproduction]) -> Table:
    """One row per finding against a row that is shown."""
    rows = []
    for finding in findings:
        concerned = sum(finding.id in item.pairs[0].theirs.audit.split(",") for item in found)
        cells = (finding.id, finding.severity.replace("_", " "), finding.title, finding.evidence, finding.source)
        rows.append((*(Cell(text) for text in cells), Cell(str(concerned))))
    titles = ("Id", "Severity", "Finding", "Evidence", "Source")
    columns = (*(Column(title) for title in titles), Column("Rows here", "right"))
    return Table(
        "published-audit", "The audit of the published rows, where it concerns those above", columns, tuple(rows)
    )


def _findings(found: Sequence[Reproduction]) -> list[Finding]:
    named = {finding.id: finding for item in found for finding in findings_of(item.pairs[0].theirs)}
    return list(named.values())


def _pictures(found: Sequence[Reproduction]) -> Iterator[Picture]:
    known = [item for item in found if math.isfinite(item.as_published)]
    if len(known) < 2:
        return
    yield Picture(
        "published",
        "Ours against the published value, one mark a pair, colour and shape by mode; on the diagonal both agree. "
        "Hollow: the two cannot be compared.",
        plot_beside(
            [item.pairs[0].theirs.value for item in known],
            [item.as_published for item in known],
            [item.pairs[0].ours.mode for item in known],
            [not item.obstacles for item in known],
            [item.pairs[0].ours.higher_is_better for item in known],
        ),
        "Our values against published ones; the table above has the numbers",
    )

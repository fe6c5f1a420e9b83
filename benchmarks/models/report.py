"""The figures as tables, for a terminal or in Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from benchmarks.models.cases import PRETRAINING, REQUIRED_PRETRAINING

STAGES = ("forward", "forward + backward")
Table = tuple[str, list[str], list[list[str]]]


def tables(rows: Sequence[dict[str, Any]]) -> list[Table]:
    """(title, header, cells) of each table."""
    models = [row for row in rows if row["name"] != PRETRAINING]
    found: list[Table] = []
    if models:
        found += [(f"{stage}, seconds per batch", *_stage_table(models, stage)) for stage in STAGES]
        found.append(
            ("peak memory (growth of the process, weights included) and latency of one window", *_rest(models))
        )
    for row in rows:
        if row["name"] == PRETRAINING:
            title = (
                f"ECG-CPC pretraining step without optimizer, seconds (loop: {row['extrapolated from']}, extrapolated)"
            )
            found.append((title, *_pretraining(row)))
    return found


def notes(rows: Sequence[dict[str, Any]]) -> list[str]:
    """Where the machine was busy, and where our algorithm does other arithmetic than the yardstick."""
    lines = []
    for row in rows:
        if row.get("share of a core", 1) < 0.97:
            share = f"{100 * row['share of a core']:.0f} %"
            lines.append(f"{row['name']}: other programs ran; this one had a core {share} of the time")
        for stage in STAGES:
            part = row.get(stage, {})
            if "yardstick floor s" not in part:
                continue
            other = part["yardstick floor s"]
            lines.append(
                f"{row['name']}, {stage}: our algorithm does {part['GFLOP'] / part['GFLOP yardstick']:.2f} of the "
                f"yardstick's arithmetic; the yardstick's operations alone take {other:.3f} s; "
                f"share of the lesser floor {100 * min(other, part['floor s']) / part['ours s']:.0f} %"
            )
    return lines


def as_text(table: Table) -> str:
    """Aligned columns."""
    title, header, cells = table
    widths = [max(len(line[column]) for line in [header, *cells]) for column in range(len(header))]
    lines = [title]
    for line in [header, *cells]:
        first, *others = (cell.rjust(width) for cell, width in zip(line, widths, strict=True))
        lines.append("  ".join([line[0].ljust(len(first)), *others]).rstrip())
    return "\n".join(lines)


def as_markdown(table: Table) -> str:
    """A Markdown table under its title."""
    title, header, cells = table
    rule = ["---"] + ["---:"] * (len(header) - 1)
    return "\n".join([f"**{title}**", "", *("| " + " | ".join(line) + " |" for line in [header, rule, *cells])])


def verdict(ratio: float, required: float, quoted_ratio: float | None = None) -> str:
    """Whether it is fast enough: against the yardstick of this run, then against the quoted time."""
    answer = "ok" if ratio >= required else f"below {required:.2f}"
    if quoted_ratio is not None and quoted_ratio < required:
        answer += f", quoted below {required:.2f}"
    return answer


def _stage_table(rows: Sequence[dict[str, Any]], stage: str) -> tuple[list[str], list[list[str]]]:
    header = ["model", "batch", "ours", "yardstick", "ratio", "quoted", "ratio", "floor", "share", "GFLOP", "GFLOP/s"]
    cells = []
    for row in rows:
        part = row[stage]
        quoted = part["quoted s"]
        cells.append(
            [
                row["name"],
                f"{row['batch']} x {row['samples']}",
                _s(part["ours s"]),
                _s(part["yardstick s"]),
                f"{part['ratio']:.2f}",
                _s(quoted) if quoted else "",
                f"{quoted / part['ours s']:.2f}" if quoted else "",
                _s(part["floor s"]),
                f"{100 * part['share']:.0f} %",
                f"{part['GFLOP']:.1f}",
                f"{part['GFLOP/s']:.0f}",
                verdict(part["ratio"], part["required"], quoted / part["ours s"] if quoted else None),
            ]
        )
    return [*header, "verdict"], cells


def _rest(rows: Sequence[dict[str, Any]]) -> tuple[list[str], list[list[str]]]:
    header = ["model", "parameters", "forward MB", "yardstick", "with backward MB", "yardstick", "latency ms"]
    cells = []
    for row in rows:
        forward, training = (row[stage] for stage in STAGES)
        cells.append(
            [
                row["name"],
                f"{row['parameters']:,}",
                *(f"{part[f'peak MB {who}']:.0f}" for part in (forward, training) for who in ("ours", "yardstick")),
                f"{row['latency']['ours ms']:.1f}",
                f"{row['latency']['yardstick ms']:.1f}",
                f"{row['latency']['ratio']:.2f}",
                f"{row['largest difference']:.0e}",
            ]
        )
    return [*header, "yardstick", "ratio", "difference of outputs"], cells


def _pretraining(row: dict[str, Any]) -> tuple[list[str], list[list[str]]]:
    header = ["model", "batch", "ours", "loop", "ratio", "quoted", "ratio", "MB", "verdict"]
    ratio, quoted = row["ratio"], row["quoted s"]
    answer = verdict(ratio, REQUIRED_PRETRAINING, quoted / row["ours s"])
    cells = [row["name"], f"{row['batch']} x {row['samples']}", _s(row["ours s"]), _s(row["yardstick s"])]
    return header, [
        [*cells, f"{ratio:.1f}", _s(quoted), f"{quoted / row['ours s']:.1f}", f"{row['peak MB ours']:.0f}", answer]
    ]


def _s(seconds: float) -> str:
    return f"{seconds:.3f}" if seconds < 1 else f"{seconds:.2f}"

"""`audit`: the published rows, and what speaks against them."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from hf_ecg_bench.cli.arguments import example
from hf_ecg_bench.cli.printing import field, print_json
from hf_ecg_bench.errors import EcgBenchError, unknown_name

if TYPE_CHECKING:
    from hf_ecg_bench.published import Finding
    from hf_ecg_bench.results.row import Row

_SEVERITY = {"do_not_use": "DO NOT USE", "caution": "CAUTION", "note": "NOTE"}


def register(verbs: Any) -> None:
    """Add the verb to the parser."""
    audit = verbs.add_parser(
        "audit",
        help="the published results as reference rows, and what the evidence says against them",
        **example(
            "hf-ecg-bench audit", "hf-ecg-bench audit --model st_mem --task ptbxl_super", "hf-ecg-bench audit --json"
        ),
    )
    audit.add_argument("--model", metavar="ID", help="only what concerns this model")
    audit.add_argument("--task", metavar="TASK", help="only what concerns this task")
    audit.add_argument("--json", action="store_true", help="print findings, checks and rows as JSON")
    audit.set_defaults(handler=_audit)


def _audit(arguments: argparse.Namespace) -> None:
    from hf_ecg_bench.published import published_findings, published_rows
    from hf_ecg_bench.published.checks import checks
    from hf_ecg_bench.published.finding import key

    everything = published_rows()
    rows = [row for row in everything if arguments.model in (None, row.model) and arguments.task in (None, row.task)]
    for kind, name, known in (
        ("model", arguments.model, {row.model for row in everything}),
        ("task", arguments.task, {row.task for row in everything}),
    ):
        if name is not None and name not in known:
            raise unknown_name(f"{kind} with published rows:", name, known, fix="hf-ecg-bench audit --json")
    if not rows:
        raise EcgBenchError(f"no published row of {arguments.model} on {arguments.task}", fix="hf-ecg-bench audit")
    shown = {key(row) for row in rows}
    findings = [finding for finding in published_findings() if not shown.isdisjoint(finding.rows)]
    looked_for = checks(everything)
    if arguments.json:
        print_json(
            {
                "findings": [asdict(finding) for finding in findings],
                "checks": [asdict(check) for check in looked_for],
                "rows": [asdict(row) for row in rows],
            }
        )
        return
    print("\n".join(_summary(rows, findings)))
    for finding in findings:
        print("\n" + "\n".join(_finding(finding, len(shown.intersection(finding.rows)))))
    if len(rows) <= 12:
        print()
        for row in rows:
            print(
                "\n".join(
                    field(row.mode, f"{row.model} on {row.task}: {row.value:.4f} [{row.low:.4f}, {row.high:.4f}]")
                )
            )
    print("\nlooked for, among all rows, and found in order")
    for check in looked_for:
        state = "" if check.in_order else "NOT IN ORDER: "
        print("\n".join(field("", f"{state}{check.what}: {check.found}")))


def _summary(rows: Sequence[Row], findings: Sequence[Finding]) -> Iterator[str]:
    from hf_ecg_bench.models.overlaps import STATES
    from hf_ecg_bench.published.finding import key

    concerned = {
        (severity, about): {
            own
            for finding in findings
            if (finding.severity, finding.about) == (severity, about)
            for own in finding.rows
        }
        for severity in _SEVERITY
        for about in ("value", "interval")
    }
    shown = {key(row) for row in rows}
    worst = concerned["do_not_use", "value"] & shown
    careful = (concerned["caution", "value"] & shown) - worst
    intervals = (concerned["caution", "interval"] & shown) - worst - careful
    yield f"{len(rows)} published rows ({rows[0].citation.partition(', sheet')[0]})"
    yield f"  {len(worst)} do not hold what their column says, or say nothing: do not use them"
    yield f"  {len(careful)} more have values to be read with caution"
    yield f"  {len(intervals)} more have intervals that cannot be used; their values can"
    yield f"  {len(shown) - len(worst) - len(careful) - len(intervals)} have nothing worse than a note"
    states = Counter(row.contamination for row in rows)
    said = ", ".join(f"{state.replace('_', ' ')} {states[state]}" for state in STATES if states[state])
    yield f"  what pretraining has seen of the test data: {said}"


def _finding(finding: Finding, number: int) -> Iterator[str]:
    yield f"{_SEVERITY[finding.severity]}: {finding.title}"
    yield from field("rows", f"{number}{'' if finding.about == 'value' else ', their intervals alone'}")
    yield from field("evidence", finding.evidence)
    if finding.source:
        yield from field("source", finding.source)
    yield from field("id", finding.id)

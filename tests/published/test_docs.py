"""docs/published_faults.md says what the audit says."""

from __future__ import annotations

from pathlib import Path

from hf_ecg_bench.published import published_findings

TEXT = (Path(__file__).parents[2] / "docs" / "published_faults.md").read_text(encoding="utf-8")


def test_the_table_is_the_audit() -> None:
    written = [line for line in TEXT.splitlines() if line.startswith("| `") and line.count("|") == 5]
    table = [line for line in written if "`--" not in line][-len(published_findings()) :]
    for finding, line in zip(published_findings(), table, strict=True):
        weight = finding.severity.replace("_", " ")
        assert line.startswith(f"| `{finding.id}` | {len(finding.rows)} | {weight} | {finding.title}")


def test_the_totals_are_the_audit_s() -> None:
    def concerned(severity: str, about: str) -> set:
        chosen = (item for item in published_findings() if (item.severity, item.about) == (severity, about))
        return {row for item in chosen for row in item.rows}

    worst = concerned("do_not_use", "value")
    careful = concerned("caution", "value") - worst
    intervals = concerned("caution", "interval") - worst - careful
    text = " ".join(TEXT.split())
    assert f"Together {len(worst)} rows should not be used, {len(careful)} more have values" in text
    assert f"{len(intervals)} more have intervals" in text

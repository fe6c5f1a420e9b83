"""Every case of `tests/data/bad`: said by name in a plain build, and the end of a strict one."""

from __future__ import annotations

from pathlib import Path

import pytest

from hf_ecg_bench.data.ledger import Ledger
from hf_ecg_bench.errors import DataError
from tests.data.bad_source import BadCase, all_cases, damaged_tree, run_case, said


@pytest.mark.parametrize("case", all_cases(), ids=lambda case: f"{case.dataset}: {case.name}")
def test_bad_source(case: BadCase, tmp_path: Path) -> None:
    root = damaged_tree(case, tmp_path)
    result = run_case(case, root)
    assert isinstance(result, DataError if case.outcome == "error" else Ledger), result
    text = said(case, result)
    assert text, result
    assert case.detail in text
    if isinstance(result, Ledger):
        assert result.kept, "the other records are kept"
        assert result.kept + result.n_excluded == result.found
        assert isinstance(run_case(case, root, strict=True), DataError)

"""Fixtures for dataset tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.data.ptbxl_tree import PtbXlTree


@pytest.fixture
def tree(tmp_path: Path) -> PtbXlTree:
    """Twelve made-up records in PTB-XL's layout, folds 1 to 10, one patient each; damage it as the test
    needs.
    """
    return PtbXlTree(tmp_path / "raw")

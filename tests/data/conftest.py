"""Fixtures for dataset tests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from hf_ecg_bench.data.registry import list_datasets
from tests.data.examples import Example, build_example
from tests.data.ptbxl_tree import PtbXlTree


@pytest.fixture
def tree(tmp_path: Path) -> PtbXlTree:
    """Twelve made-up records in PTB-XL's layout, folds 1 to 10, one patient each; damage it as the test
    needs.
    """
    return PtbXlTree(tmp_path / "raw")


@pytest.fixture(scope="session")
def build_once(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Example]:
    """A dataset's example tree, built for the first test that asks."""
    built: dict[str, Example] = {}

    def get(dataset: str) -> Example:
        if dataset not in built:
            built[dataset] = build_example(dataset, tmp_path_factory.mktemp(dataset))
        return built[dataset]

    return get


@pytest.fixture(params=list_datasets())
def example(request: pytest.FixtureRequest, build_once: Callable[[str], Example]) -> Example:
    """Every dataset in turn. Tests must leave its folders as they are."""
    return build_once(request.param)

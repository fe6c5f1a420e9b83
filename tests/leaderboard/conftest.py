"""Snapshots that were made up, and the app over them."""

from __future__ import annotations

from pathlib import Path

import pytest

from hf_ecg_bench.leaderboard.space.board.board import Board
from tests.leaderboard.fake_snapshot import fake_snapshot, hostile_names


@pytest.fixture(scope="session")
def snapshot_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """50 entries on 28 tasks."""
    return fake_snapshot(tmp_path_factory.mktemp("snapshot"))


@pytest.fixture(scope="session")
def board(snapshot_folder: Path) -> Board:
    return Board(snapshot_folder)


@pytest.fixture(scope="session")
def hostile_board(hostile_folder: Path) -> Board:
    return Board(hostile_folder)


@pytest.fixture(scope="session")
def hostile_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every text of a stranger is an attack."""
    return fake_snapshot(
        tmp_path_factory.mktemp("hostile"), n_entries=12, n_tasks=20, n_targets=5, name=hostile_names()
    )

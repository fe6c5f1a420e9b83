"""A server of misbehaving files for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.file_server import FileServer


@pytest.fixture
def server() -> Iterator[FileServer]:
    server = FileServer()
    yield server
    server.close()

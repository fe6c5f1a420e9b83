"""A server of misbehaving files for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.downloads.made_up import FILES
from tests.support.file_server import FileServer
from tests.support.open_hosts import OpenHosts


@pytest.fixture
def server() -> Iterator[FileServer]:
    server = FileServer()
    yield server
    server.close()


@pytest.fixture
def hosts(monkeypatch: pytest.MonkeyPatch) -> Iterator[OpenHosts]:
    """PhysioNet, Zenodo and figshare on loopback, asked in place of the real ones."""
    hosts = OpenHosts()
    monkeypatch.setenv("HF_ECG_BENCH_MIRRORS", hosts.mirrors)
    yield hosts
    hosts.server.close()


@pytest.fixture
def zenodo(hosts: OpenHosts) -> OpenHosts:
    """The hosts, with some files in a record of Zenodo."""
    hosts.zenodo("12", FILES)
    return hosts

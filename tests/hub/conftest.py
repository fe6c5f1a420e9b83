"""An empty Hub for each test of pushing."""

from __future__ import annotations

import pytest

from tests.support.hub_server import HubServer


@pytest.fixture(autouse=True)
def _empty_hub(hub: HubServer) -> None:
    hub.reset()

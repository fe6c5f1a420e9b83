"""A Hub on loopback for tests (placeholder until the real one lands in this file)."""

from types import SimpleNamespace


def start_hub_server() -> SimpleNamespace:
    """Stand-in with an address at which nothing listens."""
    return SimpleNamespace(url="http://127.0.0.1:9")

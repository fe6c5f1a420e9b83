"""What the tests of training share."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from tests.support.zygote import Zygote


@pytest.fixture(scope="session")
def zygote(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Zygote]:
    """Starts processes in milliseconds."""
    zygote = Zygote(tmp_path_factory.mktemp("zygote"))
    yield zygote
    zygote.close()


@pytest.fixture(scope="session", autouse=True)
def quick_collections() -> Iterator[None]:
    """The Trainer collects garbage at every start: what is imported by now need not be looked at each time."""
    import transformers.trainer  # noqa: F401

    gc.freeze()
    yield
    gc.unfreeze()

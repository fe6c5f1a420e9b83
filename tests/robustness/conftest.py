"""What the tests of robustness share."""

from tests.training.conftest import quick_collections  # noqa: F401

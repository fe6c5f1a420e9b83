"""Which failures of the Hub pass by themselves, and trying again after those.

The client repeats by itself what carries large files (LFS, downloads), with `http_backoff`. All other requests it
sends once: information, pre-upload, commit, tag, create, settings. Those are repeated here.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TypeVar

from hf_ecg_bench.downloads.retries import Retry, retry_after

T = TypeVar("T")

# A wrong request (400), no permission (401, 403), nothing there (404), there already (409) and a parent that has moved
# on (412) stay what they are however often one asks.
TEMPORARY = frozenset({408, 429, 500, 502, 503, 504})


def retried(call: Callable[[], T], retry: Retry | None = None) -> T:
    """Call until it returns, fails for good, or the attempts are used up; then the last error is raised.

    Only for what may be done twice. A server that asks for a longer wait than `retry.longest` gets no further attempt.
    """
    from huggingface_hub import errors as hub

    retry = retry or Retry()
    answered = False
    for attempt in range(1, retry.attempts + 1):
        try:
            return call()
        except (OSError, RuntimeError, hub.HTTPError) as error:  # type: ignore[attr-defined]
            if not is_temporary(error):
                raise
            answered = answered or not _unreachable(error)
            wait = wait_before(error, attempt, retry)
            allowed = retry.attempts if answered else min(retry.attempts, retry.unreachable)
            if attempt >= allowed or wait is None:
                raise
            (retry.pause or time.sleep)(wait)
    raise ValueError("a retry needs at least one attempt")


def is_temporary(error: BaseException) -> bool:
    """Whether the same request may succeed a little later."""
    from huggingface_hub import errors as hub

    # How a download says that the Hub did not answer, and how the upload of a large file says that it failed.
    if isinstance(error, hub.LocalEntryNotFoundError | RuntimeError):
        return error.__cause__ is not None and is_temporary(error.__cause__)
    if isinstance(error, hub.OfflineModeIsEnabled):
        return False
    if isinstance(error, hub.HfHubHTTPError):
        return error.response.status_code in TEMPORARY
    return isinstance(error, hub.HTTPError | ConnectionError | TimeoutError)  # type: ignore[attr-defined]


def wait_before(error: BaseException, attempt: int, retry: Retry) -> float | None:
    """Seconds until the next attempt: what the server asks for, else doubling; None: longer than `retry.longest`."""
    asked = retry_after(_headers(error).get("Retry-After"))
    if asked is None:
        return min(retry.longest, retry.wait * 2 ** (attempt - 1)) * random.uniform(0.8, 1.2)
    return asked if asked <= retry.longest else None


def _headers(error: BaseException) -> dict[str, str]:
    response = getattr(error, "response", None) or getattr(error.__cause__, "response", None)
    return {} if response is None else {name.title(): value for name, value in response.headers.items()}


def _unreachable(error: BaseException) -> bool:
    """Whether nobody answered at all: somebody without a network should know it soon."""
    error = error.__cause__ if isinstance(error, RuntimeError) and error.__cause__ else error
    return type(error).__name__ in ("ConnectError", "ConnectTimeout")

"""Commits that are made once, however often they have to be tried."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hf_ecg_bench import __version__
from hf_ecg_bench.downloads.retries import Retry
from hf_ecg_bench.hub.remote import MAIN, Remote
from hf_ecg_bench.hub.retrying import retried

_OTHERS_FIRST = 10  # attempts, each on top of what somebody else committed in the meantime
_PULL_REQUEST = "refs/pr/"


@dataclass(frozen=True)
class Change:
    """What a commit does.

    Attributes:
        add: path in the repository -> bytes, or the file on this machine.
        delete: paths of files that are there.
    """

    add: Mapping[str, bytes | Path] = field(default_factory=dict)
    delete: Sequence[str] = ()


@dataclass(frozen=True)
class Committed:
    """A commit, and its pull request where it is one."""

    oid: str
    pull_request: str | None = None


def commit(
    remote: Remote,
    plan: Callable[[str], Change],
    message: str,
    *,
    revision: str = MAIN,
    create_pr: bool = False,
) -> Committed:
    """Commit what `plan` returns for the newest commit; where another one came first, plan again on top of that.

    A commit whose answer got lost is looked for before it is sent again: each carries a mark of its own in its
    description. Nothing to change makes no commit.

    Args:
        plan: gets a commit id and says what to change there; called again for each new parent.
    """
    from huggingface_hub.errors import HfHubHTTPError

    mark = f"push {secrets.token_hex(8)}"
    for left in reversed(range(_OTHERS_FIRST)):
        parent = remote.head(revision)
        try:
            return _commit_onto(remote, parent, plan(parent), message, mark, revision, create_pr)
        except HfHubHTTPError as error:
            if error.response.status_code != 412 or not left:
                raise
            # A wait of random length: two that started together would meet again and again.
            _pause(remote.retry, secrets.randbelow(1000) / 1000 * remote.retry.wait)
    raise AssertionError("unreachable")


def _commit_onto(
    remote: Remote, parent: str, change: Change, message: str, mark: str, revision: str, create_pr: bool
) -> Committed:
    operations = _operations(change)
    sent = False

    def attempt() -> Committed:
        nonlocal sent
        if sent and (landed := _landed(remote, parent, mark, revision, create_pr)):
            return landed
        sent = True
        info = remote.api.create_commit(
            remote.repo_id,
            operations,
            repo_type=remote.kind,
            commit_message=message,
            commit_description=f"hf-ecg-bench {__version__}, {mark}",
            revision=revision,
            create_pr=create_pr,
            parent_commit=parent,
        )
        return Committed(str(info.oid), info.pr_url)

    return retried(attempt, remote.retry) if operations else Committed(parent)


def _operations(change: Change) -> list[Any]:
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete

    additions = [
        CommitOperationAdd(path, content if isinstance(content, bytes) else str(content))
        for path, content in change.add.items()
    ]
    return [*additions, *(CommitOperationDelete(path) for path in change.delete if path not in change.add)]


def _landed(remote: Remote, parent: str, mark: str, revision: str, create_pr: bool) -> Committed | None:
    """The commit with this mark, if an earlier attempt arrived after all."""
    if not create_pr:
        return _find(remote, revision, parent, mark, None)
    references = remote.ask("list_repo_refs", include_pull_requests=True)
    for pull in sorted(references.pull_requests or (), key=lambda pull: -_number(pull.ref)):
        page = f"{remote.page}/discussions/{_number(pull.ref)}"
        if (found := _find(remote, pull.ref, parent, mark, page)) is not None:
            return found
    return None


def _find(remote: Remote, revision: str, parent: str, mark: str, page: str | None) -> Committed | None:
    for item in remote.ask("list_repo_commits", revision=revision):
        if mark in item.message:
            return Committed(item.commit_id, page)
        if item.commit_id == parent:
            return None
    return None


def _number(reference: str) -> int:
    digits = reference.removeprefix(_PULL_REQUEST)
    return int(digits) if digits.isdigit() else 0


def _pause(retry: Retry, seconds: float) -> None:
    import time

    (retry.pause or time.sleep)(seconds)

"""What the test Hub keeps in memory: repositories, commits, references, pull requests. No HTTP here."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import yaml

MAIN = "main"
KINDS = ("models", "datasets", "spaces")


class HubError(Exception):
    """An answer other than 200; `code` becomes X-Error-Code, by which the client tells 404s apart."""

    def __init__(
        self, status: int, message: str, *, code: str | None = None, body: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code
        self.body = {"error": message, **(body or {})}
        self.headers: dict[str, str] = {}


@dataclass(frozen=True)
class Blob:
    """The content of one file; `lfs` tells how it was uploaded."""

    content: bytes
    lfs: bool = False

    @cached_property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()

    @cached_property
    def git_oid(self) -> str:
        return hashlib.sha1(b"blob %d\0" % len(self.content) + self.content).hexdigest()

    @property
    def etag(self) -> str:
        """What the client compares: the content's SHA-256 for LFS files, git's blob id for the others."""
        return self.sha256 if self.lfs else self.git_oid

    @property
    def lfs_info(self) -> dict[str, Any]:
        return (
            {
                "lfs": {
                    "oid": self.sha256,
                    "sha256": self.sha256,
                    "size": len(self.content),
                    "pointerSize": 134,
                }
            }
            if self.lfs
            else {}
        )


@dataclass(frozen=True)
class Commit:
    """A snapshot of all files."""

    parent: str | None
    title: str
    message: str
    files: Mapping[str, Blob]
    date: str = field(default_factory=lambda: timestamp())

    @cached_property
    def oid(self) -> str:
        """40 hex digits, as the client's caches require."""
        tree = "\n".join(f"{path} {blob.git_oid}" for path, blob in sorted(self.files.items()))
        return hashlib.sha1(f"{self.parent}\n{self.date}\n{self.title}\n{self.message}\n{tree}".encode()).hexdigest()


class Repo:
    """One repository: its commits, and names for some of them."""

    def __init__(self, kind: str, repo_id: str, *, private: bool = False, sdk: str | None = None) -> None:
        self.kind = kind
        self.id = repo_id
        self.private = private
        self.gated: str | bool = False
        self.sdk = sdk
        self.created = timestamp()
        first = Commit(
            None,
            "initial commit",
            "",
            {".gitattributes": Blob(b"*.parquet filter=lfs diff=lfs merge=lfs -text\n")},
        )
        self.commits = {first.oid: first}
        self.branches = {MAIN: first.oid}
        self.tags: dict[str, str] = {}
        self.pull_requests: dict[int, str] = {}
        self.pull_bases: dict[int, str] = {}
        self.merged: set[int] = set()

    def resolve(self, revision: str) -> Commit:
        """The commit that a branch, a tag, `refs/pr/N`, a commit id or its first digits stand for."""
        short = revision.removeprefix("refs/heads/").removeprefix("refs/tags/")
        named = {
            **self.branches,
            **self.tags,
            **{f"refs/pr/{number}": oid for number, oid in self.pull_requests.items()},
        }
        if short in named:
            return self.commits[named[short]]
        matches = [oid for oid in self.commits if len(revision) >= 7 and oid.startswith(revision)]
        if len(matches) != 1:
            raise HubError(404, f"Invalid rev id: {revision}", code="RevisionNotFound")
        return self.commits[matches[0]]

    def history(self, revision: str) -> list[Commit]:
        """The commits that led to `revision`, newest first."""
        commit: Commit | None = self.resolve(revision)
        found = []
        while commit is not None:
            found.append(commit)
            commit = self.commits[commit.parent] if commit.parent else None
        return found

    def commit(
        self,
        revision: str,
        changes: Mapping[str, Blob | None],
        *,
        title: str,
        message: str = "",
        parent: str | None = None,
        create_pr: bool = False,
    ) -> tuple[Commit, int | None]:
        """Apply `changes` (None deletes a file) to `revision`; returns the commit and its pull request.

        Deleting something that is not there is a 404; a `parent` that is no longer the newest commit a 412 (but a pull
        request may begin at any commit).
        """
        head = self.resolve(parent if create_pr and parent else revision)
        if parent and head.oid != parent and not head.oid.startswith(parent):
            raise HubError(412, "A commit has happened since. Please refresh and try again.")
        files = dict(head.files)
        for path, blob in changes.items():
            if blob is not None:
                files[path] = blob
            elif path in files:
                del files[path]
            else:
                raise HubError(404, f"{path} does not exist", code="EntryNotFound")
        new = Commit(head.oid, title, message, files)
        self.commits[new.oid] = new
        if create_pr:
            number = len(self.pull_requests) + 1
            self.pull_requests[number], self.pull_bases[number] = new.oid, head.oid
            return new, number
        self._move(revision, new.oid)
        return new, None

    def _move(self, revision: str, oid: str) -> None:
        if revision.startswith("refs/pr/"):
            self.pull_requests[int(revision.removeprefix("refs/pr/"))] = oid
        elif revision.removeprefix("refs/heads/") in self.branches:
            self.branches[revision.removeprefix("refs/heads/")] = oid
        else:
            raise HubError(400, f"cannot commit to {revision}: not a branch")

    def merge(self, number: int) -> None:
        """Put what a pull request changed on main; a file that changed there as well since is a conflict (409)."""
        if number not in self.pull_requests:
            raise HubError(404, f"no pull request {number}")
        if number in self.merged:
            raise HubError(409, f"pull request {number} is merged already")
        request = self.commits[self.pull_requests[number]]
        base, main = (self.commits[oid].files for oid in (self.pull_bases[number], self.branches[MAIN]))
        paths = {path for path in {*base, *request.files} if base.get(path) != request.files.get(path)}
        if conflicts := sorted(path for path in paths if base.get(path) != main.get(path)):
            raise HubError(409, f"conflicts in {', '.join(conflicts)}")
        files = {path: blob for path, blob in main.items() if path not in paths}
        files |= {path: request.files[path] for path in paths if path in request.files}
        merged = Commit(self.branches[MAIN], request.title, request.message, files)
        self.commits[merged.oid] = merged
        self.branches[MAIN] = merged.oid
        self.merged.add(number)


class HubStore:
    """All repositories, uploaded blobs and what tokens may do. Hold `lock` while using it from a thread.

    Any token may write, except: `read_tokens` may only read, `invalid_tokens` are not accepted at all, and
    `closed_namespaces` take nothing from anybody.
    """

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.user = "tester"
        self.read_tokens: set[str] = {"hf_read_only"}
        self.invalid_tokens: set[str] = {"hf_invalid"}
        self.closed_namespaces: set[str] = {"closed-org"}
        self.repos: dict[tuple[str, str], Repo] = {}
        self.uploads: dict[str, bytes] = {}

    def create(self, kind: str, repo_id: str, *, private: bool = False, sdk: str | None = None) -> Repo:
        repo = self.repos[kind, repo_id] = Repo(kind, repo_id, private=private, sdk=sdk)
        return repo

    def get(self, kind: str, repo_id: str, token: str | None) -> Repo:
        """The repository; a private one does not exist for who brings no token."""
        repo = self.repos.get((kind, repo_id))
        if repo is None or (repo.private and token is None):
            raise HubError(404 if token else 401, "Repository not found", code="RepoNotFound")
        return repo

    def check_read(self, repo: Repo, token: str | None) -> None:
        """A gated repository's files are for those who were let in: here all tokens but those that may only read."""
        if repo.gated and (token is None or token in self.read_tokens):
            raise HubError(403 if token else 401, f"Access to {repo.id} is restricted", code="GatedRepo")

    def check_write(self, namespace: str, token: str | None) -> None:
        if token is None:
            raise HubError(401, "Invalid username or password.")
        if token in self.read_tokens or namespace in self.closed_namespaces:
            raise HubError(403, f"You don't have the rights to write under the namespace {namespace!r}")


def card_data(files: Mapping[str, Blob]) -> dict[str, Any]:
    """The YAML front matter of README.md, or {}."""
    readme = files.get("README.md")
    parts = readme.content.decode("utf-8").split("---\n", 2) if readme else []
    if len(parts) < 3 or parts[0].strip():
        return {}
    data = yaml.safe_load(parts[1])
    return data if isinstance(data, dict) else {}


def timestamp() -> str:
    """Now, as the Hub writes it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"

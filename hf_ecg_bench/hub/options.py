"""How something is pushed, and the repository made ready for it."""

from __future__ import annotations

from dataclasses import dataclass

from hf_ecg_bench.errors import EcgBenchError
from hf_ecg_bench.hub.committing import Committed
from hf_ecg_bench.hub.remote import MAIN, Gated, Remote


@dataclass(frozen=True)
class PushOptions:
    """How to push.

    Attributes:
        private: create the repository as a private one; refused where a public one exists already.
        gated: readers have to ask: answered by itself (`auto`) or by you (`manual`). Set before anything is uploaded.
        create_pr: open a pull request instead of committing (needs no write permission).
        revision: a branch to commit to, made where it is missing; None: `main`.
        tag: name for the new commit; refused where it names another commit.
        message: the commit's title; None: one that says what it holds.
    """

    private: bool = False
    gated: Gated | None = None
    create_pr: bool = False
    revision: str | None = None
    tag: str | None = None
    message: str | None = None

    def __post_init__(self) -> None:
        if self.gated not in (None, "auto", "manual"):
            raise EcgBenchError(f"gated is auto or manual, found {self.gated!r}", fix="--gated auto")
        if self.create_pr and (self.tag or self.revision or self.gated):
            raise EcgBenchError(
                "a pull request goes to main, and cannot tag or gate the repository",
                fix="leave out --create-pr, or --revision, --tag and --gated",
            )
        for flag, name in (("--revision", self.revision), ("--tag", self.tag)):
            if name is not None and (
                not name or name.startswith(("-", "refs/")) or any(c in name for c in " ~^:?*[\\")
            ):
                raise EcgBenchError(f"{flag} {name!r} is no name of a branch or tag", fix=f"for example {flag} v1.0")


def make_ready(remote: Remote, options: PushOptions) -> None:
    """Create what is missing: repository, branch; set who may read it. Nothing is uploaded before that is right.

    Raises:
        EcgBenchError: it is public where a private one was asked for, or the tag is taken.
    """
    if not (options.create_pr and remote.ask("repo_exists")):
        remote.ask("create_repo", private=options.private, exist_ok=True)
    if options.private and not remote.ask("repo_info").private:
        raise EcgBenchError(
            f"{remote.kind} {remote.repo_id} exists and is public; a private upload was asked for",
            fix="choose another --repo, or make it private in its settings",
        )
    if options.gated:
        remote.ask("update_repo_settings", gated=options.gated)
    if options.revision and options.revision != MAIN:
        remote.ask("create_branch", branch=options.revision, exist_ok=True)


def refuse_taken_tag(remote: Remote, tag: str | None) -> str | None:
    """The commit that has the tag already; the caller goes on only where its own commit turns out to be that one."""
    if tag is None:
        return None
    references = remote.ask("list_repo_refs")
    return next((item.target_commit for item in references.tags if item.name == tag), None)


def tag_commit(remote: Remote, tag: str | None, committed: Committed) -> None:
    """Name the new commit.

    Raises:
        EcgBenchError: another commit has that name.
    """
    if tag is None:
        return
    taken = refuse_taken_tag(remote, tag)
    if taken is None:
        remote.ask("create_tag", tag=tag, revision=committed.oid, exist_ok=True)
        taken = refuse_taken_tag(remote, tag)
    if taken != committed.oid:
        raise EcgBenchError(
            f"the tag {tag} of {remote.repo_id} names another commit ({str(taken)[:8]}): tags are not moved",
            fix="choose another --tag; the files themselves are uploaded",
        )


def address(remote: Remote, committed: Committed, options: PushOptions) -> str:
    """Where a person finds what was pushed."""
    if committed.pull_request:
        return committed.pull_request
    named = options.tag or options.revision
    return f"{remote.page}/tree/{named}" if named and named != MAIN else remote.page

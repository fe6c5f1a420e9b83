"""A repository on the Hub, and the means to talk to it. Tokens are kept out of everything that may be shown."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from hf_ecg_bench.downloads.retries import Retry
from hf_ecg_bench.errors import EcgBenchError
from hf_ecg_bench.hub.retrying import retried

if TYPE_CHECKING:
    from huggingface_hub import HfApi

RepoType = Literal["dataset", "model"]
Gated = Literal["auto", "manual"]
T = TypeVar("T")

MAIN = "main"
LOGIN = "hf auth login, or set HF_TOKEN (with write permission: https://huggingface.co/settings/tokens)"
NAMING = "give --repo NAMESPACE/NAME, of letters, digits, and single - _ . between them"


@dataclass(frozen=True)
class Remote:
    """One repository.

    Attributes:
        kind: `dataset` or `model`.
        repo_id: `namespace/name`.
        api: the client, which holds the token.
        token: None reads what is public.
        retry: how often a request that may be repeated is.
    """

    kind: RepoType
    repo_id: str
    api: HfApi = field(repr=False)
    token: str | None = field(repr=False, default=None)
    retry: Retry = field(default_factory=Retry)

    @property
    def page(self) -> str:
        """Its address for people."""
        return f"{self.api.endpoint}/{'datasets/' if self.kind == 'dataset' else ''}{self.repo_id}"

    def ask(self, name: str, **arguments: Any) -> Any:
        """A method of the client for this repository, tried again where that is safe: only for what may be repeated."""
        method: Callable[..., Any] = getattr(self.api, name)
        return retried(lambda: method(repo_id=self.repo_id, repo_type=self.kind, **arguments), self.retry)

    def head(self, revision: str = MAIN) -> str:
        """The commit that a branch, tag or pull request stands for."""
        return str(self.ask("repo_info", revision=revision).sha)

    def files(self, revision: str) -> list[str]:
        """Paths of all files of a revision."""
        return list(self.ask("list_repo_files", revision=revision))

    def read(self, path: str, revision: str) -> bytes | None:
        """A small file's content; None where there is no such file."""
        from huggingface_hub.errors import EntryNotFoundError, LocalEntryNotFoundError

        try:
            file = self.ask("hf_hub_download", filename=path, revision=revision)
        except LocalEntryNotFoundError:
            raise
        except EntryNotFoundError:
            return None
        with open(file, "rb") as handle:
            return handle.read()

    def without_token(self, text: str) -> str:
        """The text, should it hold the token, without it."""
        return text.replace(self.token, "***") if self.token else text


def check_repo_id(repo_id: str) -> str:
    """The id, if it is one.

    Raises:
        EcgBenchError: it is not `namespace/name`.
    """
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", repo_id, re.ASCII):
        raise EcgBenchError(f"{repo_id!r} is no repository id", fix=NAMING)
    return repo_id


def writable(kind: RepoType, repo_id: str) -> Remote:
    """A repository to write to, with the user's token.

    Raises:
        EcgBenchError: there is no token.
    """
    from huggingface_hub import HfApi, get_token

    token = get_token()
    if token is None:
        raise EcgBenchError(f"cannot push to {repo_id}: no Hugging Face token found", fix=LOGIN)
    return Remote(kind, repo_id, HfApi(token=token), token)


def readable(kind: RepoType, repo_id: str) -> Remote:
    """A repository to read from; private ones need a token."""
    from huggingface_hub import HfApi, get_token

    return Remote(kind, repo_id, HfApi(), get_token())

"""Requests, responses and the table of endpoints of the test Hub (filled by the other modules)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from tests.support.hub_store import HubError, HubStore, Repo


@dataclass(frozen=True)
class Request:
    """One HTTP request; `args` are the unquoted parts of the path, `query` and `form` hold all values."""

    method: str
    url: str
    args: dict[str, str]
    query: dict[str, list[str]]
    form: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes
    token: str | None

    @property
    def json(self) -> Any:
        return json.loads(self.body or b"{}")

    def flag(self, name: str) -> bool:
        return self.query.get(name, [""])[0].lower() in ("1", "true")


@dataclass(frozen=True)
class Response:
    """Status, bytes and headers of an answer."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


Endpoint = Callable[[HubStore, Request], Response]
_ROUTES: list[tuple[str, re.Pattern[str], Endpoint]] = []
KIND = r"/api/(?P<kind>models|datasets|spaces)"
REPO = KIND + r"/(?P<id>[^/]+/[^/]+)"
GIT = r"/(?:(?P<kind>datasets|spaces)/)?(?P<id>[^/]+/[^/]+?)"


def route(methods: str, pattern: str) -> Callable[[Endpoint], Endpoint]:
    """Register an endpoint. Earlier registrations win."""

    def register(endpoint: Endpoint) -> Endpoint:
        _ROUTES.extend((method, re.compile(pattern), endpoint) for method in methods.split())
        return endpoint

    return register


def find(method: str, path: str) -> tuple[Endpoint, dict[str, str]]:
    """The endpoint for a still quoted path (refs%2Fpr%2F1 is one part of it) and its arguments."""
    for wanted, pattern, endpoint in _ROUTES:
        match = pattern.fullmatch(path) if wanted == method else None
        if match:
            args = {name: unquote(value) for name, value in match.groupdict().items() if value is not None}
            return endpoint, {"kind": "models", **args}
    raise HubError(404, f"no such endpoint: {method} {path}")


def answer(value: Any) -> Response:
    return Response(body=json.dumps(value).encode(), headers={"Content-Type": "application/json"})


def find_repo(store: HubStore, request: Request, *, write: bool = False) -> Repo:
    """The repository that the path names, if the request's token may see (and write) it."""
    repo = store.get(request.args["kind"], request.args["id"], request.token)
    if write:
        store.check_write(repo.id.split("/")[0], request.token)
    return repo


def address(request: Request, repo: Repo) -> str:
    """The repository's page."""
    prefix = "" if repo.kind == "models" else f"{repo.kind}/"
    return f"{request.url}/{prefix}{repo.id}"

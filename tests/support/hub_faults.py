"""What can go wrong on the way to the test Hub and back, on purpose."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

#: `before`: nothing is done and nobody answers. `after`: it is done, and the answer is lost. `upload`: the connection
#: breaks while the request's body is on its way. `download`: it breaks in the middle of the answer's body.
Drop = Literal["before", "after", "upload", "download"]


@dataclass
class Fault:
    """What happens to the next `times` requests that match.

    Attributes:
        method: `GET`, `POST`, ...; empty for all.
        path: regular expression that is searched in the path with its query.
        status: answer this instead of doing anything; 0 to leave it.
        headers: of that answer.
        message: of that answer.
        drop: where the connection breaks.
        seconds: how long the answer is held back.
        skip: matching requests that go through before.
    """

    method: str
    path: str
    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    message: str = "a fault on purpose"
    drop: Drop | None = None
    seconds: float = 0.0
    times: int = 1
    skip: int = 0
    seen: int = 0

    def meets(self, method: str, path: str) -> bool:
        """Whether it is this request's turn; counts the requests that match."""
        if (self.method and self.method != method) or not re.search(self.path, path):
            return False
        self.seen += 1
        return self.skip < self.seen <= self.skip + self.times

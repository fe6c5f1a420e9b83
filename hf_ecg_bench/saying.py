"""Where lines for the user go. Whoever has something to say is given one of these functions."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

Say = Callable[[str], None]


def to_stderr(message: str) -> None:
    """Tell the user; of the processes of a launch, only one speaks."""
    if int(os.environ.get("RANK", "0")) == 0:
        print(message, file=sys.stderr, flush=True)


def silent(message: str) -> None:
    """Tell nobody."""

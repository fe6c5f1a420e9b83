"""The private texts of this machine, for scrubbing. The one place that asks for them."""

from __future__ import annotations

import os
import socket
from pathlib import Path

_TOO_SHORT = 4  # a host called `a` would take letters out of every text
_ENVIRONMENT = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HUGGINGFACEHUB_API_TOKEN", "GITHUB_TOKEN", "WANDB_API_KEY")


def private_texts() -> dict[str, str]:
    """Private text -> what it is: `token`, `path` (home folder) or `host`."""
    from huggingface_hub import get_token

    found: dict[str, str] = {}
    for token in (get_token(), *(os.environ.get(name) for name in _ENVIRONMENT)):
        if token and len(token) >= _TOO_SHORT:
            found[token] = "token"
    home = str(Path.home())
    if len(home) >= _TOO_SHORT:
        found[home] = "path"
    host = socket.gethostname()
    if len(host) >= _TOO_SHORT and host != "localhost":
        found[host] = "host"
        found.setdefault(host.split(".")[0], "host")
    return {text: what for text, what in found.items() if len(text) >= _TOO_SHORT}

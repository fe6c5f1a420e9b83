"""The YAML at the top of a card (README.md) on the Hub."""

from __future__ import annotations

from typing import Any

import yaml


def split_front_matter(text: str) -> tuple[dict[str, Any], str]:
    """(its values, what follows); no values and the whole text where there is none.

    Raises:
        ValueError: it is not YAML, or no mapping; in one line.
    """
    parts = text.split("---\n", 2)
    if len(parts) != 3 or parts[0].strip():
        return {}, text
    try:
        values = yaml.safe_load(parts[1])
    except yaml.YAMLError as error:
        raise ValueError(f"the YAML at its top cannot be read: {str(error).splitlines()[0]}") from error
    if values is not None and not isinstance(values, dict):
        raise ValueError("the YAML at its top is no mapping")
    return values or {}, parts[2]

"""Older result.json files as today's: one pure function for each step from a version to the next."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Raw = dict[str, Any]


def _from_1(raw: Raw) -> Raw:
    """Version 1 grew while it was in use: its earlier files lack what was added, and did not say which records a
    subset had. The rule for subsets was the one that is called `nested` now."""
    result: Raw = {"features": {}, "slices": {}, "subgroups": {}, "trained_as": None} | raw
    if "subset" not in result:
        result["subset"] = _subset_of_1(result)
    if isinstance(model := result.get("model"), dict) and "checkpoint_digest" not in model:
        result["model"] = _model_of_1(model, trained_from_scratch=result.get("mode") == "scratch")
    return result


def _model_of_1(model: Raw, *, trained_from_scratch: bool) -> Raw:
    """The first files called the public checkpoint's digest `digest`; that of the weights used they did not have."""
    known = {name: value for name, value in model.items() if name != "digest"}
    own = {"digest": None} if trained_from_scratch else {}
    return known | own | {"revision": None, "checkpoint_digest": model.get("digest")}


def _subset_of_1(raw: Raw) -> Raw:
    limit = _inner(raw, "hyperparameters").get("limit") or None
    if raw.get("fraction") == 1 and limit is None:
        return {}
    return {
        "rule": "limit" if limit else "nested",
        "fraction": raw.get("fraction"),
        "seed": raw.get("seed"),
        "limit": limit,
        "records": _inner(_inner(raw, "dataset"), "records").get("train"),
    }


def _inner(raw: Raw, name: str) -> Raw:
    """A field that is an object; none where it is something else, which `run_folder.check_types` complains of."""
    value = raw.get(name)
    return value if isinstance(value, dict) else {}


#: Version -> what makes a file's content one of the next version.
MIGRATIONS: dict[int, Callable[[Raw], Raw]] = {1: _from_1}


def migrate(raw: Raw, to: int) -> Raw:
    """A file's content as version `to`; `raw` is not changed.

    Args:
        raw: content of a result.json with a `schema_version` from 1 to `to`.
    """
    for version in range(raw["schema_version"], to):
        raw = MIGRATIONS[version](raw) | {"schema_version": version + 1}
    return raw

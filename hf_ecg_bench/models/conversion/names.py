"""What becomes of each tensor of a checkpoint, by its name: used under one of our names, or ignored for a reason."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from hf_ecg_bench.errors import CheckpointError
from hf_ecg_bench.models.spec import ModelSpec

SECOND_COPY = "registered a second time under this name; the values are the same"


@dataclass(frozen=True)
class Account:
    """Every tensor's lot.

    Attributes:
        prefix: what wrappers put before the names, taken off.
        public: name in the file -> the authors' name, of what is used.
        ours: name in the file -> our name, of what is used.
        ignored: name in the file -> the reason.
    """

    prefix: str
    public: dict[str, str]
    ours: dict[str, str]
    ignored: dict[str, str]


def account(spec: ModelSpec, tensors: Mapping[str, Tensor], file_name: str) -> Account:
    """Sort a file's tensors.

    Names are taken off their wrapper's prefix where all carry it but those that are ignored (other parts of a
    larger model). Each layer of wrapping is looked at anew, so `module.ecg_encoder.x` beside `module.proj.x` works.

    Raises:
        CheckpointError: a declared second copy differs from the first, or two tensors get one name.
    """
    names = {name: name for name in tensors}  # as it is now -> as it is in the file
    prefix, ignored = "", {}
    while True:
        for name, full in list(names.items()):
            reason = _declared_reason(spec, name) or _second_copy(spec, name, names, tensors, file_name)
            if reason is not None:
                ignored[full] = reason
        names = {name: full for name, full in names.items() if full not in ignored}
        wrapper = next((w for w in spec.wrappers if names and all(name.startswith(w) for name in names)), None)
        if wrapper is None:
            break
        prefix += wrapper
        names = {name.removeprefix(wrapper): full for name, full in names.items()}
    ours = {full: _renamed(spec, name) for name, full in names.items()}
    _check_distinct(ours, file_name)
    return Account(prefix, {full: name for name, full in names.items()}, ours, ignored)


def _declared_reason(spec: ModelSpec, name: str) -> str | None:
    return next((reason for pattern, reason in spec.ignored_tensors if re.search(pattern, name)), None)


def _second_copy(
    spec: ModelSpec, name: str, names: Mapping[str, str], tensors: Mapping[str, Tensor], file_name: str
) -> str | None:
    for pattern, replacement in spec.duplicates:
        first = re.sub(pattern, replacement, name)
        if first == name or first not in names:
            continue  # a file may hold one of the two only, under either name
        if not torch.equal(tensors[names[name]], tensors[names[first]]):
            raise CheckpointError(
                f"{file_name}: {names[name]!r} should be a second copy of {names[first]!r}, but its values differ",
                fix="download it again",
            )
        return SECOND_COPY
    return None


def _renamed(spec: ModelSpec, name: str) -> str:
    for pattern, replacement in spec.renames:
        name = re.sub(pattern, replacement, name)
    return name


def _check_distinct(ours: Mapping[str, str], file_name: str) -> None:
    seen: dict[str, str] = {}
    for full, name in ours.items():
        if name in seen:
            raise CheckpointError(
                f"{file_name}: {seen[name]!r} and {full!r} both stand for {name!r}, expected one of them"
            )
        seen[name] = full

"""Torch files whose training state holds objects of other programs: tensors are read, the objects never come alive.

torch's weights-only reader takes tensors and containers and refuses every other name in a file. Some public files
hold more: Lightning keeps options as OmegaConf objects, fairseq and HuBERT-ECG objects of their own. A name that is
listed here is answered with an inert stub: nothing of that name is imported, whatever is called or restored on it does
nothing and is forgotten. Any other name is refused before anything is read.
"""

from __future__ import annotations

import argparse
import pickle
import re
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.serialization import get_unsafe_globals_in_checkpoint, safe_globals

# Names that become stubs, as regular expressions of the whole name.
STUBBED = (
    r"omegaconf\.(base|basecontainer|dictconfig|listconfig|nodes)\.\w+",
    r"typing\.\w+",
    r"_?operator\.getitem",  # how typing's List[int] is pickled; a stub like all others
    r"builtins\.(bool|bytes|dict|float|frozenset|int|list|object|str|tuple)",  # as the types of options
    r"collections\.defaultdict",
    r"pathlib\.(Pure)?(Posix|Windows)?Path",
    r"(fairseq|fairseq_signals)\.dataclass\.(configs|constants)\.\w+",
    r"(fairseq|fairseq_signals)\.(tasks|models|criterions|optim)(\.\w+)*\.\w+Config",
    r"clinical_ts(\.\w+)+",  # ECG-CPC's own package: classes of options
    r"(__main__|main\w*)\.\w+Config",
    r"(\w+\.)*hubert_ecg\.HuBERTECGConfig",
    r"transformers\.(\w+\.)*\w+Config",
)

# Training state also holds numpy numbers and option lists; rebuilding those runs no code of the file's.
HARMLESS: list[Any] = [
    argparse.Namespace,
    np.dtype,
    np.ndarray,
    np._core.multiarray.scalar,  # type: ignore[attr-defined]
    np._core.multiarray._reconstruct,  # type: ignore[attr-defined]
    *(
        getattr(np.dtypes, name)
        for name in np.dtypes.__all__
        if name not in ("ObjectDType", "StringDType", "VoidDType")
    ),
]


class RefusedName(Exception):
    """A file asks for names that are neither tensors nor listed."""

    def __init__(self, names: list[str]) -> None:
        super().__init__(", ".join(names))
        self.names = names


def _empty_dict(*args: Any) -> dict[Any, Any]:
    return {}


class Stub:
    """Stands for an object that was not restored. It keeps nothing of what it is given."""

    def __new__(cls, *args: Any, **kwargs: Any) -> Stub:
        return super().__new__(cls)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        pass

    def __setstate__(self, state: Any) -> None:
        pass


def load_tensors(file: Path) -> tuple[Any, list[str]]:
    """The content of a torch file on the CPU, and the names that were replaced by stubs, sorted.

    Raises:
        RefusedName: with all names that are not allowed.
        pickle.UnpicklingError: the file uses an allowed name in a way that is not.
        Exception: what torch raises on damaged files.
    """
    with safe_globals(HARMLESS), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns of pickles that torch did not write, and then refuses them
        try:
            return torch.load(file, map_location="cpu", weights_only=True), []
        except pickle.UnpicklingError as error:
            names = _other_names(file)
            if not names and (match := re.search(r"GLOBAL (\S+)", str(error))):
                raise RefusedName([match.group(1)]) from error
            if not names:
                raise
        refused = [name for name in names if not any(re.fullmatch(pattern, name) for pattern in STUBBED)]
        if refused:
            raise RefusedName(refused)
        with safe_globals([_stub(name) for name in names]):
            return torch.load(file, map_location="cpu", weights_only=True), names


def _other_names(file: Path) -> list[str]:
    """Names in the file that the reader does not take; none where it is no zip file (torch before 1.6)."""
    try:
        return sorted(get_unsafe_globals_in_checkpoint(str(file)))
    except (ValueError, RuntimeError, EOFError, pickle.UnpicklingError):
        return []


def _stub(name: str) -> tuple[Any, str]:
    """A class of its own for every name: the reader tells allowed names by their objects."""
    if name == "collections.defaultdict":
        return _empty_dict, name  # the reader fills dictionaries only
    return type(name.rpartition(".")[2], (Stub,), {}), name

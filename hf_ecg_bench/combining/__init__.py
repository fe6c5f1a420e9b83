"""Several models on one task: a head on the features of all, and averages of finished runs' predictions.

`run --model a,b` trains the head (`feed`), `load_combination` gives it back as a function of recordings; `ensemble`
averages predictions. Importing this package is light: names are loaded on first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hf_ecg_bench.combining.combination import Combination, load_combination
    from hf_ecg_bench.combining.ensemble import Ensemble, average

_PUBLIC = {
    "Combination": "combination",
    "load_combination": "combination",
    "Ensemble": "ensemble",
    "average": "ensemble",
}

__all__ = ["Combination", "Ensemble", "average", "load_combination"]


def __getattr__(name: str) -> Any:
    if name in _PUBLIC:
        return getattr(import_module(f"{__name__}.{_PUBLIC[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

"""Which datasets there are: one module in `dataset_scripts` each. Listing them imports none of them."""

from __future__ import annotations

import pkgutil
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING

from hf_ecg_bench.errors import EcgBenchError, unknown_name

if TYPE_CHECKING:
    from hf_ecg_bench.data.builder import EcgBuilder
    from hf_ecg_bench.data.spec import DatasetSpec


def _package() -> ModuleType:
    # By name: a packaging rule maps the top-level folder into the package, which type checkers do not know.
    return import_module("hf_ecg_bench.dataset_scripts")


def list_datasets() -> list[str]:
    """Ids of all datasets, sorted."""
    modules = pkgutil.iter_modules(_package().__path__)
    return sorted(module.name for module in modules if not module.ispkg and not module.name.startswith("_"))


def get_builder(dataset_id: str) -> type[EcgBuilder]:
    """The builder class of a dataset.

    Raises:
        UnknownNameError: no such dataset; names close matches.
    """
    from hf_ecg_bench.data.builder import EcgBuilder

    if dataset_id not in list_datasets():
        raise unknown_name("dataset", dataset_id, list_datasets(), fix="hf-ecg-bench list datasets")
    module = import_module(f"{_package().__name__}.{dataset_id}")
    for value in vars(module).values():
        if isinstance(value, type) and issubclass(value, EcgBuilder) and value.__module__ == module.__name__:
            return value
    raise EcgBenchError(f"{module.__name__} defines no subclass of EcgBuilder")


def get_dataset_spec(dataset_id: str) -> DatasetSpec:
    """What is declared about a dataset."""
    return get_builder(dataset_id).SPEC

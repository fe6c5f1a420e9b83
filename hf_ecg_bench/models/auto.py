"""Registration with transformers' Auto classes, without importing torch for those who never use them.

transformers fills its Auto tables when `transformers.models.auto.*` is imported, which imports torch (two
seconds). Where such a module is already loaded we register at once; otherwise a finder on `sys.meta_path`
registers right after it has been executed.

Model classes are registered by name and imported when they are asked for: `transformers.modeling_layers`, which
our models need, imports the Auto tables itself, so importing our models there and then would go in a circle.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from functools import partial
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

from hf_ecg_bench.models.registry import MODELS, model_class


def _register_configs(module: ModuleType) -> None:
    for model_id in MODELS:
        config = model_class(model_id, "Config")
        module.AutoConfig.register(config.model_type, config, exist_ok=True)


class _LazyClasses(dict[Any, Any]):
    """Classes registered by users as they are, ours as calls that import them."""

    def __getitem__(self, key: Any) -> Any:
        value = super().__getitem__(key)
        return value() if isinstance(value, partial) else value

    def values(self) -> Any:
        return [self[key] for key in self]

    def items(self) -> Any:
        return [(key, self[key]) for key in self]


def _register_models(module: ModuleType) -> None:
    kinds = {"Model": module.AutoModel, "ForSequenceClassification": module.AutoModelForSequenceClassification}
    for kind, auto in kinds.items():
        mapping = auto._model_mapping
        if not isinstance(mapping._extra_content, _LazyClasses):
            mapping._extra_content = _LazyClasses(mapping._extra_content)
        for model_id in MODELS:
            mapping.register(model_class(model_id, "Config"), partial(model_class, model_id, kind), exist_ok=True)


def _register_extractors(module: ModuleType) -> None:
    from hf_ecg_bench.models.feature_extraction import EcgFeatureExtractor

    for model_id in MODELS:
        module.AutoFeatureExtractor.register(model_class(model_id, "Config"), EcgFeatureExtractor, exist_ok=True)


_ACTIONS: dict[str, Callable[[ModuleType], None]] = {
    "transformers.models.auto.configuration_auto": _register_configs,
    "transformers.models.auto.feature_extraction_auto": _register_extractors,
    "transformers.models.auto.modeling_auto": _register_models,
}


class _RegisteringLoader(Loader):
    """Executes a module with its own loader, then registers our classes in it."""

    def __init__(self, loader: Loader, action: Callable[[ModuleType], None]) -> None:
        self.loader, self.action = loader, action

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self.loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        self.loader.exec_module(module)
        self.action(module)

    def __getattr__(self, name: str) -> object:
        return getattr(self.loader, name)  # inspect and importlib.resources ask the loader for sources and paths


class _AutoFinder(MetaPathFinder):
    """Finds nothing but the three Auto modules, and hands everything else on."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        action = _ACTIONS.get(fullname)
        spec = PathFinder.find_spec(fullname, path, target) if action else None
        if action is None or spec is None or spec.loader is None:
            return None
        spec.loader = _RegisteringLoader(spec.loader, action)
        return spec


def install() -> None:
    """Register now where transformers' Auto modules are loaded, else on their import. Idempotent."""
    if not any(isinstance(finder, _AutoFinder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _AutoFinder())
    for name, action in _ACTIONS.items():
        if name in sys.modules:
            action(sys.modules[name])

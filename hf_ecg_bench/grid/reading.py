"""From a grid file to a GridSpec: every key known, every value of its type, every mistake with its line."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path
from typing import Any

from hf_ecg_bench.data.registry import list_datasets
from hf_ecg_bench.errors import UnknownNameError
from hf_ecg_bench.grid.document import Document, Path_, read_document
from hf_ecg_bench.grid.names import expand_names, expand_tasks, is_task_match, matching_names
from hf_ecg_bench.grid.spec import Executor, GridSpec, ModelEntry, Rule, Slurm, Where
from hf_ecg_bench.models.registry import list_models
from hf_ecg_bench.tasks import list_tasks
from hf_ecg_bench.training.modes import MODES

_SETTINGS: dict[str, tuple[type, ...]] = {
    "protocol": (str,),
    "hyperparameters": (dict,),
    "subset": (str,),
    "limit": (int,),
    "n_resamples": (int,),
    "examples": (int,),
    "preprocessing": (str,),
    "accept_unit": (str,),
    "fault": (str,),
    "merge_adapter": (bool,),
    "evaluate_on": (list, str),
    "perturb": (list, str),
}
_TOP = (
    *("models", "tasks", "modes", "fractions", "seeds", "data", "exclude", "rules", "share_training", "executor"),
    *_SETTINGS,
)
_NAME = re.compile(r"[A-Za-z0-9][\w.+-]{0,79}")
_KINDS = ("local", "slurm")


def read_grid(path: Path) -> GridSpec:
    """Read a grid file. Paths in it that exist beside it are taken from there, others as `run` takes them.

    Raises:
        GridFileError: with the line: an unknown key or name, a value of another type, or nothing to run.
    """
    return _Reader(read_document(path), path.parent).grid()


class _Reader:
    """Goes through one document."""

    def __init__(self, document: Document, folder: Path) -> None:
        self.document, self.folder = document, folder

    def grid(self) -> GridSpec:
        top = self.document.mapping(self.document.value, (), _TOP)
        for name in ("models", "tasks", "modes"):
            if not top.get(name):
                raise self.document.error((), f"{name}: nothing is named", f"{name}: [...]")
        return GridSpec(
            models=self._models(top["models"]),
            tasks=self._expanded("tasks", top["tasks"]),
            modes=self._expanded("modes", top["modes"]),
            fractions=self._numbers(top.get("fractions", 1), ("fractions",), self._fraction),
            seeds=self._numbers(top.get("seeds", 0), ("seeds",), self._seed),
            data=self._data(top.get("data", {})),
            settings=self._settings({key: top[key] for key in top if key in _SETTINGS}, ()),
            rules=tuple(self._rule(*item) for item in self.document.items(top.get("rules", []), ("rules",))),
            exclude=tuple(
                self._where(value, path) for value, path in self.document.items(top.get("exclude", []), ("exclude",))
            ),
            share_training=self._typed(top.get("share_training", True), ("share_training",), (bool,)),
            executor=self._executor(top.get("executor", "local")),
        )

    def _models(self, value: Any) -> tuple[ModelEntry, ...]:
        found: dict[str, ModelEntry] = {}
        for item, path in self.document.items(value, ("models",)):
            for entry in self._model(item, path):
                if found.setdefault(entry.name, entry) != entry:
                    fix = "- {name: ANOTHER, weights: ...}"
                    raise self.document.error(path, f"a second, different model is called {entry.name!r}", fix)
        return tuple(found.values())

    def _model(self, value: Any, path: Path_) -> list[ModelEntry]:
        if isinstance(value, str):
            if matching := matching_names(value, list_models()):
                return [ModelEntry(name, name, name) for name in matching]
            value = {"weights": value}
        entry = self.document.mapping(value, path, tuple(field.name for field in fields(ModelEntry)))
        given = {key: self._typed(entry[key], (*path, key), (str,)) for key in entry if key != "model_options"}
        options = self.document.mapping(entry.get("model_options", {}), (*path, "model_options"))
        weights, architecture = given.get("weights"), given.get("architecture")
        if weights is None and architecture is None:
            raise self.document.error(path, "names no model", "- {weights: ID_OR_FOLDER}")
        if architecture is None and weights in list_models():
            architecture = weights
        if architecture is not None:
            with_place = (*path, "architecture")
            (architecture,) = self._names("model", [architecture], list_models(), with_place)
        if options and architecture is None:
            raise self.document.error((*path, "model_options"), "needs `architecture`: they are for mode scratch")
        weights = str(architecture) if weights is None else weights
        located = weights if weights in list_models() else ",".join(map(self._located, weights.split(",")))
        name = given.get("name") or "+".join(part.strip().rstrip("/").rsplit("/", 1)[-1] for part in weights.split(","))
        if not _NAME.fullmatch(name):
            fix = "- {name: SHORT_NAME, weights: ...}"
            raise self.document.error(path, f"the name {name!r} cannot be a folder: letters, digits, . _ + -", fix)
        self._check_weights(located, path)
        return [ModelEntry(name, located, architecture, options)]

    def _check_weights(self, weights: str, path: Path_) -> None:
        from hf_ecg_bench.models.resolve import parse_name

        for part in weights.split(","):
            if not Path(part.strip()).is_dir():
                try:
                    parse_name(part.strip())
                except UnknownNameError as error:
                    raise self.document.error(path, error.message, error.fix) from error

    def _expanded(self, kind: str, value: Any) -> tuple[str, ...]:
        found: list[str] = []
        for item, path in self.document.items(value, (kind,)):
            pattern = self._typed(item, path, (str,))
            try:
                found += expand_tasks([pattern]) if kind == "tasks" else expand_names("mode", [pattern], list(MODES))
            except UnknownNameError as error:
                raise self.document.error(path, error.message, error.fix) from error
        return tuple(dict.fromkeys(found))

    def _names(self, kind: str, patterns: list[str], known: list[str], path: Path_) -> tuple[str, ...]:
        try:
            return expand_names(kind, patterns, known)
        except UnknownNameError as error:
            raise self.document.error(path, error.message, error.fix) from error

    def _numbers(self, value: Any, path: Path_, read: Any) -> tuple[Any, ...]:
        found = tuple(read(item, where) for item, where in self.document.items(value, path))
        if not found or len(set(found)) != len(found):
            what = "no value" if not found else "a value stands there twice"
            raise self.document.error(path, what)
        return found

    def _fraction(self, value: Any, path: Path_) -> float:
        above, slash, below = str(value).partition("/")
        try:
            number = float(above) / float(below) if slash else float(above)
        except (ValueError, ZeroDivisionError):
            number = 0.0
        if isinstance(value, bool) or not 0 < number <= 1:
            raise self.document.error(path, f"{value!r}: expected a number above 0, at most 1, or a quotient as 1/2")
        return number

    def _seed(self, value: Any, path: Path_) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise self.document.error(path, f"{value!r}: expected a whole number of 0 or more")
        return value

    def _data(self, value: Any) -> dict[str, str]:
        found = {}
        for key, item in self.document.mapping(value, ("data",)).items():
            (name,) = self._names("dataset", [key], list_datasets(), ("data", key))
            found[name] = place = self._located(self._typed(item, ("data", key), (str,)))
            if place.startswith(("/", ".", "~")) and not Path(place).expanduser().is_dir():
                fix = f"hf-ecg-bench prepare {name} --output-dir {place}"
                raise self.document.error(("data", key), f"no folder {place}", fix)
        return found

    def _settings(self, values: dict[str, Any], path: Path_) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in values.items():
            here = (*path, key)
            typed = self._typed(value, here, _SETTINGS[key])
            if key == "hyperparameters":
                typed = self.document.mapping(value, here)
                typed = {name: tuple(item) if isinstance(item, list) else item for name, item in typed.items()}
            if key in ("evaluate_on", "perturb"):
                listed = [self._typed(item, where, (str,)) for item, where in self.document.items(value, here)]
                typed = tuple(map(self._located, listed) if key == "evaluate_on" else listed)
                if key == "perturb":
                    self._check_perturbations(typed, here)
            found["overrides" if key == "hyperparameters" else key] = typed
        return found

    def _check_perturbations(self, names: tuple[str, ...], path: Path_) -> None:
        from hf_ecg_bench.robustness.perturbations import chosen_perturbations

        try:
            chosen_perturbations(names)
        except UnknownNameError as error:
            raise self.document.error(path, error.message, error.fix) from error

    def _rule(self, value: Any, path: Path_) -> Rule:
        rule = self.document.mapping(value, path, ("where", *_SETTINGS))
        if "where" not in rule or len(rule) == 1:
            fix = "- {where: {mode: linear}, hyperparameters: {...}}"
            raise self.document.error(path, "a rule needs `where` and settings", fix)
        settings = self._settings({key: rule[key] for key in rule if key != "where"}, path)
        return Rule(self._where(rule["where"], (*path, "where")), settings, self.document.place(path))

    def _where(self, value: Any, path: Path_) -> Where:
        given = self.document.mapping(value, path, tuple(field.name for field in fields(Where)))
        if not given:
            raise self.document.error(path, "is empty: it would mean every cell")
        found: dict[str, Any] = {}
        for key, item in given.items():
            here = (*path, key)
            if key in ("fraction", "seed"):
                found[key] = self._numbers(item, here, self._fraction if key == "fraction" else self._seed)
                continue
            patterns = tuple(self._typed(part, where, (str,)) for part, where in self.document.items(item, here))
            if key == "mode":
                self._names("mode", list(patterns), list(MODES), here)
            if key == "task":
                for pattern in patterns:
                    if not any(is_task_match(pattern, task) for task in list_tasks()):
                        self._expanded("tasks", pattern)
            found[key] = patterns
        return Where(**found)

    def _executor(self, value: Any) -> Executor:
        path: Path_ = ("executor",)
        given = {"kind": value} if isinstance(value, str) else value
        names = tuple(field.name for field in fields(Slurm))
        entry = self.document.mapping(given, path, ("kind", "workers", *names))
        kind = entry.get("kind", "local")
        if kind not in _KINDS:
            self._names("executor", [str(kind)], list(_KINDS), path)
        workers = self._typed(entry.get("workers", 0), (*path, "workers"), (int,))
        options = {key: self._slurm(key, entry[key], (*path, key)) for key in entry if key in names}
        if workers < 0 or (kind == "local" and options):
            what = f"workers: {workers}" if workers < 0 else f"{', '.join(options)}: options of kind: slurm"
            raise self.document.error(path, what, "executor: {kind: slurm, ...}, or {kind: local, workers: 2}")
        return Executor(kind, workers, Slurm(**options))

    def _slurm(self, key: str, value: Any, path: Path_) -> Any:
        if key == "setup":
            return tuple(self._typed(item, where, (str,)) for item, where in self.document.items(value, path))
        if key == "extra":
            return self.document.mapping(value, path)
        if key in ("partition", "account", "qos", "constraint"):
            return self._typed(value, path, (str,))
        number = self._typed(value, path, (int, float) if key == "memory_gb" else (int,))
        if number < (0 if key == "gpus" else 1):
            raise self.document.error(path, f"{number}: expected {'0' if key == 'gpus' else '1'} or more")
        return number

    def _typed(self, value: Any, path: Path_, types: tuple[type, ...]) -> Any:
        if isinstance(value, types) and (bool in types or not isinstance(value, bool)):
            return value
        names = {str: "text", int: "a whole number", float: "a number", bool: "true or false"}
        names |= {dict: "`key: value` entries", list: "a list"}
        raise self.document.error(path, f"expected {' or '.join(names[t] for t in types)}, found {value!r}"[:200])

    def _located(self, text: str) -> str:
        """A folder beside the file as an absolute path; everything else as it stands."""
        beside = self.folder / Path(text.strip()).expanduser()
        return str(beside.resolve()) if beside.is_dir() and text.strip() not in list_models() else text.strip()

"""Ways to make a result.json say what is not so, and the check that has to see it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

GONE = object()
_MACRO = "metrics.metrics.macro_auroc"


@dataclass(frozen=True)
class Tampering:
    """`changes`: dotted path -> new value (GONE deletes; a function gets the old one); `check` fails with `found`."""

    check: str
    found: str
    changes: dict[str, Any]

    def apply(self, result: dict[str, Any]) -> None:
        """Change it in place."""
        for path, value in self.changes.items():
            *parents, last = path.split(".")
            place = result
            for name in parents:
                place = place[name]
            if value is GONE:
                del place[last]
            else:
                place[last] = value(place[last]) if callable(value) else value


def _warning(text: str) -> dict[str, Any]:
    return {"warnings": lambda old: [*old, text]}


RESULTS = {
    "a better value": Tampering("metrics", "macro_auroc.value: 0.99", {f"{_MACRO}.value": 0.99}),
    "a hair better": Tampering("metrics", "macro_auroc.value", {f"{_MACRO}.value": lambda old: old + 1e-8}),
    "a narrow interval": Tampering("metrics", "macro_auroc.low", {f"{_MACRO}.low": lambda old: old + 1e-3}),
    "a better label": Tampering("metrics", "targets.MI.auroc", {"metrics.targets.MI.auroc.value": 0.999}),
    "a metric of its own": Tampering("metrics", "metrics.mine", {"metrics.metrics.mine": {"value": 1.0}}),
    "records as resampled": Tampering("metrics", "resampling.unit", {"metrics.resampling.unit": "record"}),
    "no resamples": Tampering("metrics", "1 resamples", {"metrics.resampling.n_resamples": 1}),
    "too many resamples": Tampering("metrics", "1000000000 resamples", {"metrics.resampling.n_resamples": 10**9}),
    "a text as a number": Tampering("metrics", "targets.MI.n", {"metrics.targets.MI.n": "12"}),
    "a target that is no target": Tampering("metrics", "targets.MI", {"metrics.targets.MI": None}),
    "an AUROC above one": Tampering("plausible values", "1.2", {f"{_MACRO}.value": 1.2, f"{_MACRO}.high": 1.3}),
    "a value outside its interval": Tampering(
        "plausible values", "macro_auroc", {f"{_MACRO}.low": 0.1, f"{_MACRO}.value": 0.9, f"{_MACRO}.high": 0.2}
    ),
    "no metrics": Tampering("plausible values", "no metrics", {"metrics.metrics": {}}),
    "a negative cost": Tampering("plausible values", "train_seconds", {"cost.train_seconds": -1.0}),
    "other records": Tampering("plausible values", "7, scored 120", {"dataset.records.test": 7}),
    "fewer scored": Tampering("predictions", "120 records, 7 scored", {"metrics.n": 7}),
    "another task": Tampering("setting", "dataset ptb", {"task": "ptbxl_sub", "dataset.id": "ptb"}),
    "a task of the same data": Tampering("predictions", "5 targets", {"task": "ptbxl_sub"}),
    "an unknown task": Tampering("setting", "unknown task", {"task": "ptbxl_supper"}),
    "an unknown mode": Tampering("setting", "unknown mode", {"mode": "magic"}),
    "an unknown protocol": Tampering("setting", "protocol mine", {"protocol": "mine"}),
    "a limit": Tampering("setting", "limit 64", {"hyperparameters.limit": 64}),
    "a fault on purpose": Tampering("setting", "fault x", {"hyperparameters.fault": "x"}),
    "unfinished": Tampering("setting", "status failed", {"status": "failed"}),
    "a fraction above one": Tampering("setting", "fraction 2", {"fraction": 2.0}),
    "another task version": Tampering("task version", "version 0000", {"dataset.task_version": "0" * 16}),
    "no digest": Tampering("stated digests", "latest", {"dataset.digest": "latest"}),
    "other options": Tampering("dataset options", "min_count=3", {"dataset.options": {"min_count": 3}}),
    "HTML in a name": Tampering("names", "<img", {"model.id": "<img src=x onerror=alert(1)>"}),
    "a path as a name": Tampering("names", "../x", {"model.id": "../x"}),
    "HTML in a text": Tampering("texts", "markup", _warning("<script>alert(1)</script>")),
    "HTML in a key": Tampering("texts", "markup", {"hyperparameters.<b>": 1}),
    "a link that runs": Tampering("texts", "markup", _warning("[x](javascript:alert(1))")),
    "control characters": Tampering("texts", "control", _warning("\x1b[2J")),
    "reversed text": Tampering("texts", "invisible", _warning("\u202egnp.exe")),
    "a book": Tampering("texts", "5,000 characters", _warning("x" * 5000)),
    "a field of another type": Tampering("schema", "expected dict", {"metrics": []}),
    "slices of another type": Tampering("schema", "slices", {"slices": []}),
    "a missing field": Tampering("schema", "missing seed", {"seed": GONE}),
    "a later schema": Tampering("schema", "schema version 99", {"schema_version": 99}),
    "not a number": Tampering("schema", "NaN is no standard JSON", {"cost.train_seconds": float("nan")}),
}

"""A made-up snapshot of any size, with the files and types of `board/snapshot.py`. Numbers are drawn, not measured."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

MODELS = ("ECG-CPC", "ECGFounder", "ECG-JEPA", "ECG-FM", "MERL", "ST-MEM", "HuBERT-ECG", "ECGFM-KED", "S4", "Net1D")
MODES = ("finetune", "finetune_attention", "frozen", "linear", "lora")
CATEGORIES = {
    "adult_ecg_interpretation": ("Adult ECG", 16),
    "pediatric_ecg_interpretation": ("Pediatric ECG", 1),
    "cardiac_structure_function": ("Structure and function", 1),
    "cardiac_outcomes": ("Cardiac outcomes", 1),
    "noncardiac_outcomes": ("Non-cardiac outcomes", 1),
    "acute_care": ("Acute care", 3),
    "patient_characteristics": ("Patient characteristics", 5),
}
N_TASKS = sum(n for _, n in CATEGORIES.values())
#: Nothing of this may come through as markup, script, formula or LaTeX command.
HOSTILE = (
    "<script>window.pwned=1;alert(1)</script>",
    '"><img src=x onerror="window.pwned=1;alert(2)">',
    "javascript:window.pwned=1",
    "' onmouseover='window.pwned=1' x='",
    "=cmd|'/C calc'!A1",
    "\u202egnitcelfer\u202c zero\u200bwidth\x07bell",
    "\\input{/etc/passwd} $x_1$ & 50% #1 ^~ {}",
    "${window.pwned=1} {{constructor.constructor('window.pwned=1')()}}",
    "N" * 10_000,
    "</title></textarea><svg onload=window.pwned=1>",
)


def fake_snapshot(
    folder: Path,
    *,
    n_entries: int = 50,
    n_tasks: int = N_TASKS,
    n_targets: int = 12,
    seed: int = 0,
    pairs_by_entry: bool = True,
    name: Callable[[str], str] = lambda text: text,
) -> Path:
    """Writes index, views, pages of tasks and curves into `folder`. `name` changes every text of a stranger."""
    rng = random.Random(seed)
    tasks = _tasks(name)[:n_tasks]
    n_models = -(-n_entries // len(MODES))
    models = [_model(rng, i, name) for i in range(n_models)]
    entries = [_entry(rng, models[i // len(MODES)], MODES[i % len(MODES)], i) for i in range(n_entries)]
    strength = [rng.gauss(0, 1) for _ in entries]
    cells: dict[str, list[Any]] = {
        key: []
        for key in (
            "entry", "task", "value", "low", "high", "seed_sd", "n_seeds", "contamination", "reason", "audit",
            "records_train", "rank", "rank_low", "rank_high",
        )
    }  # fmt: skip
    values_of: dict[str, list[float]] = {}
    for t, task in enumerate(tasks):
        values = [_value(rng, s, task["higher_is_better"]) for s in strength]
        values_of[task["id"]] = values
        order = sorted(range(n_entries), key=lambda i: values[i], reverse=task["higher_is_better"])
        rank = {e: r + 1 for r, e in enumerate(order)}
        for e in range(n_entries):
            if entries[e]["origin"] == "ours" and rng.random() < 0.03 and n_entries > 10:
                continue
            state = rng.choice(["none"] * 8 + ["same_corpus", "test_records", "unknown"])
            cells["entry"].append(e)
            cells["task"].append(t)
            cells["value"].append(values[e])
            cells["low"].append(round(values[e] - rng.uniform(0.005, 0.03), 4))
            cells["high"].append(round(values[e] + rng.uniform(0.005, 0.03), 4))
            cells["seed_sd"].append(round(rng.uniform(0, 0.004), 4) if entries[e]["origin"] == "ours" else None)
            cells["n_seeds"].append(rng.choice([1, 2, 3]))
            cells["contamination"].append(state)
            cells["reason"].append(name("pretrained on all of it") if state != "none" else "")
            cells["audit"].append("frozen-finetuning" if rng.random() < 0.05 else "")
            cells["records_train"].append(rng.randint(500, 20_000))
            cells["rank"].append(rank[e])
            cells["rank_low"].append(max(1, rank[e] - 2))
            cells["rank_high"].append(min(n_entries, rank[e] + 3))
    views = [f"{source}-{mode}-{c}" for source in ("ours", "published", "both") for mode in ("all", "best", *MODES)
             for c in ("keep", "hide", "impute")]  # fmt: skip
    index = {
        "snapshot_version": 1,
        "created": "2026-11-23T08:00:00Z",
        "program": "hf-ecg-bench 0.1",
        "n_rows": len(cells["value"]),
        "categories": [{"id": c, "name": title} for c, (title, _) in CATEGORIES.items()],
        "models": models,
        "tasks": tasks,
        "datasets": [_dataset(name, d) for d in ("ptbxl", "mimic", "code15", "other")],
        "entries": entries,
        "cells": cells,
        "views": views,
        "modes": list(MODES),
        "audit": [
            {
                "id": "frozen-finetuning",
                "title": name("Rows of a fine-tuning that left the encoder as it was"),
                "evidence": name("The released optimiser set-up selects none of the encoder's parameters."),
                "rows": 28,
                "source": name("specification, section 9"),
            }
        ],
        "unreadable": [{"name": name("runs/broken"), "reason": name("result.json is no JSON")}],
        "about": {
            "protocol": name("Every model is adapted to every task by the same protocol.\n\nSecond paragraph."),
            "metrics": "Macro AUROC; labels without positives are left out.",
            "intervals": "Percentile intervals of 1,000 shared resamples of patients.",
            "ranking": "The best open entry is the anchor; who is not significantly worse shares its rank.",
            "contamination": "Declared by the models and checked against the datasets.",
        },
    }
    _write(folder / "index.json", index)
    for view in views:
        _write(folder / "views" / f"{view}.json", _view(rng, view, entries, strength, len(tasks), name))
    by_entry: list[dict[str, Any]] = [{} for _ in entries]
    for task in tasks:
        page = _task_page(rng, task, entries, values_of[task["id"]], n_targets, name)
        _write(folder / "tasks" / f"{task['id']}.json", page)
        for i, of_entry in enumerate(by_entry):
            columns = {key: page["pairs"][key][i] for key in ("difference", "low", "high", "p_adjusted")}
            of_entry[task["id"]] = {"others": list(range(n_entries)), **columns}
    for i, of_entry in enumerate(by_entry):
        if pairs_by_entry and entries[i]["origin"] == "ours":
            _write(folder / "pairs" / f"{i}.json", of_entry)
    curves = {t["id"]: [_curve(rng, e) for e in range(min(10, n_entries))] for t in tasks[:8]}
    _write(folder / "scaling.json", curves)
    return folder


def hostile_names() -> Callable[[str], str]:
    """A function for `name` that puts one hostile text after the other."""
    number = iter(range(10**9))
    return lambda text: HOSTILE[next(number) % len(HOSTILE)]


def _tasks(name: Callable[[str], str]) -> list[dict[str, Any]]:
    found = []
    for category, (title, n) in CATEGORIES.items():
        for i in range(n):
            dataset = ("ptbxl" if i < 6 else "code15") if category.startswith("adult") else "mimic"
            found.append(
                {
                    "id": f"{category}_{i}",
                    "name": name(f"{title} {i + 1}"),
                    "category": category,
                    "dataset": dataset,
                    "metric": "macro_auroc" if category != "patient_characteristics" or i == 0 else "mae",
                    "higher_is_better": category != "patient_characteristics" or i == 0,
                    "n_targets": 5 + i,
                    "n_test": 2198,
                    "trained_as": f"{category}_{i}",
                }
            )
    return found


def _model(rng: random.Random, i: int, name: Callable[[str], str]) -> dict[str, Any]:
    title = MODELS[i] if i < len(MODELS) else f"Model {i}"
    known = name(title)
    return {
        "id": title.lower().replace("-", "_").replace(" ", "_") if known == title else f"{i}{known}",
        "title": known,
        "paper": name("https://arxiv.org/abs/2509.25095"),
        "citation": name("@article{someone2026, title={An ECG model}}"),
        "license_code": name("MIT"),
        "license_weights": name("CC BY-NC 4.0"),
        "parameters": round(rng.choice([3.8e6, 11e6, 46e6, 90e6, 311e6]) * rng.uniform(0.9, 1.1)),
        "sampling_rate": rng.choice([240, 250, 500]),
        "window_seconds": rng.choice([2.5, 5.0, 10.0]),
        "pretraining": [name("MIMIC-IV-ECG"), name("CODE-15%")],
        "overlaps": [
            {"dataset": "ptbxl", "state": "none", "reason": name("not in its list of datasets")},
            {"dataset": "mimic", "state": "test_records", "reason": name("pretrained on all records")},
            {"dataset": "code15", "state": "unknown", "reason": name("")},
        ],
        "hub_id": name(f"ecg-bench/{title.lower()}"),
    }


def _entry(rng: random.Random, model: dict[str, Any], mode: str, i: int) -> dict[str, Any]:
    published = i % 5 == 2
    return {
        "key": f"{'published:' if published else ''}{model['id']}/{mode}",
        "model": model["id"],
        "mode": mode,
        "preprocessing": "paper",
        "protocol": "paper",
        "origin": "published" if published else "ours",
        "parameters": model["parameters"],
        "trainable_parameters": model["parameters"] if mode == "finetune" else 1e5,
        "train_seconds": None if published else rng.uniform(60, 20_000),
        "records_per_second": None if published else rng.uniform(50, 900),
        "latency_ms": None if published else rng.uniform(2, 60),
        "peak_memory_bytes": None if published else rng.uniform(1e9, 2e10),
        "training_flops": None if published else rng.uniform(1e14, 1e17),
        "energy_joules": None,
    }


def _dataset(name: Callable[[str], str], dataset: str) -> dict[str, Any]:
    title = {"ptbxl": "PTB-XL", "mimic": "MIMIC-IV-ECG", "code15": "CODE-15%"}.get(dataset, dataset)
    return {
        "id": dataset,
        "title": name(title),
        "homepage": name("https://physionet.org/content/ptb-xl/"),
        "license": name("CC BY 4.0"),
        "access": "open",
        "records": 21_799,
        "patients": 18_869,
        "sampling_rate": 500,
        "seconds": 10,
        "description": name("Clinical 12-lead ECGs of ten seconds with statements of cardiologists."),
        "citation": name("Wagner et al. 2020"),
    }


def _value(rng: random.Random, strength: float, higher: bool) -> float:
    score = 0.85 + 0.03 * strength + rng.gauss(0, 0.012)
    return round(min(score, 0.995) if higher else max(1.4 - score, 0.05), 4)


def _view(
    rng: random.Random, view: str, entries: list[dict[str, Any]], strength: list[float], n_tasks: int,
    name: Callable[[str], str],
) -> dict[str, Any]:  # fmt: skip
    source, mode, policy = view.split("-")
    chosen = [
        i for i, e in enumerate(entries) if (source == "both" or e["origin"] == source) and mode in ("all", e["mode"])
    ]
    if mode == "best":
        best: dict[tuple[str, str], int] = {}
        for i, e in enumerate(entries):
            kept = best.get((e["model"], e["origin"]))
            if (source == "both" or e["origin"] == source) and (kept is None or strength[i] > strength[kept]):
                best[e["model"], e["origin"]] = i
        chosen = list(best.values())
    chosen.sort(key=lambda i: -strength[i])
    n = len(chosen)
    standings = []
    for place, i in enumerate(chosen):
        rank = 1 + place * 0.8 + rng.uniform(0, 0.2)
        standings.append(
            {
                "entry": i,
                "group": 1 + place // 4,
                "mean_rank": round(rank, 2),
                "rank_low": round(max(1, rank - rng.uniform(0.3, 1.5)), 2),
                "rank_high": round(min(n, rank + rng.uniform(0.3, 1.5)), 2),
                "dataset_low": round(max(1, rank - 2), 2),
                "dataset_high": round(min(n, rank + 2), 2),
                "median_rank": round(rank),
                "win_rate": round(1 - place / max(n, 1), 3),
                "skill": round(0.8 - 0.5 * place / max(n, 1), 3),
                "skill_low": round(0.75 - 0.5 * place / max(n, 1), 3),
                "skill_high": round(0.85 - 0.5 * place / max(n, 1), 3),
                "n_tasks": n_tasks - i % 3,
                "missing": i % 3,
                "hidden": 2 if policy == "hide" and i % 4 == 0 else 0,
                "category_rank": {c: round(max(1, rank + rng.gauss(0, 1)), 2) for c in CATEGORIES},
                "category_value": {c: round(0.9 - 0.002 * place + rng.gauss(0, 0.01), 4) for c in CATEGORIES},
            }
        )
    return {
        "view": view,
        "standings": standings,
        "friedman": {"chi2": 146.6, "p": 4e-27, "n_tasks": n_tasks, "n_entries": n, "blocks": "tasks"} if n > 2 else {},
        "critical_difference": 2.56 if n > 2 else None,
        "notes": [name("Best mode of each model by mean rank over modes.")] if mode == "best" else [],
    }


def _task_page(
    rng: random.Random, task: dict[str, Any], entries: list[dict[str, Any]], score: list[float], n_targets: int,
    name: Callable[[str], str],
) -> dict[str, Any]:  # fmt: skip
    k = len(entries)
    ours = [e["origin"] == "ours" for e in entries]
    pairs: dict[str, Any] = {"entries": list(range(k)), "difference": [], "low": [], "high": [], "p_adjusted": []}
    for i in range(k):
        d = [round(score[i] - score[j], 4) for j in range(k)]
        both = [ours[i] and ours[j] and i != j for j in range(k)]
        pairs["difference"].append(d)
        pairs["low"].append([round(x - 0.015, 4) if b else None for x, b in zip(d, both, strict=True)])
        pairs["high"].append([round(x + 0.015, 4) if b else None for x, b in zip(d, both, strict=True)])
        pairs["p_adjusted"].append(
            [(0.0008 if abs(x) > 0.03 else 0.21) if b else None for x, b in zip(d, both, strict=True)]
        )
    return {
        "task": task["id"],
        "resampling": name("1,000 resamples of patients"),
        "pairs": pairs,
        "targets": [
            {
                "name": name(f"Label {i + 1}"),
                "kind": "classification",
                "metric": "auroc",
                "n_positive": 400 // (i + 1),
                "n": 2198,
                "value": [round(min(s + rng.gauss(0, 0.02), 0.999), 4) for s in score],
                "low": [round(s - 0.05, 4) for s in score],
                "high": [round(min(s + 0.05, 1.0), 4) for s in score],
            }
            for i in range(n_targets)
        ],
        "targets_left_out": 3,
    }


def _curve(rng: random.Random, entry: int) -> dict[str, Any]:
    fractions = [0.01, 0.03, 0.1, 0.3, 1.0]
    top = rng.uniform(0.86, 0.95)
    values = [round(top - 0.12 * (1 - f**0.3) + rng.gauss(0, 0.004), 4) for f in fractions]
    return {
        "entry": entry,
        "fraction": fractions,
        "records": [round(17_000 * f) for f in fractions],
        "value": values,
        "low": [round(v - 0.015, 4) for v in values],
        "high": [round(v + 0.015, 4) for v in values],
    }


def _write(path: Path, value: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value), encoding="utf-8")


def change_file(folder: Path, path: str, change: object) -> None:
    """Rewrite a file of a snapshot: with what `change` makes of its content in place."""
    value = json.loads((folder / path).read_text())
    change(value)  # type: ignore[operator]
    (folder / path).write_text(json.dumps(value))

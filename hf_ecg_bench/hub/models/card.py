"""README.md of a pushed model: the folder's own card with what is missing put in, or a whole one from its run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from hf_ecg_bench.errors import CheckpointError, some
from hf_ecg_bench.front_matter import split_front_matter
from hf_ecg_bench.hub.models.evaluations import HUB_METRICS, TASK_TYPE, model_index, task_results
from hf_ecg_bench.hub.models.facts import ModelFacts
from hf_ecg_bench.hub.results.card import cell
from hf_ecg_bench.models.card import render_model_card
from hf_ecg_bench.names import NAMESPACE
from hf_ecg_bench.results.contamination import contamination
from hf_ecg_bench.results.metrics import metric_estimates, metric_name
from hf_ecg_bench.tasks.catalogue import CATALOGUE

_JOINED = ("tags", "datasets", "metrics")
_SHOWN_TARGETS = 60


def complete_card(file: Path, facts: ModelFacts, source: str) -> str:
    """The text. What the folder's own card states stays as it is, but for the results of the run.

    Args:
        source: address of the run's result.json, for `model-index`.

    Raises:
        CheckpointError: the front matter of the folder's card cannot be read.
    """
    own, body = _read(file)
    if not file.is_file() and facts.spec is not None and not facts.classifier:
        own, body = _split(render_model_card(facts.spec), file)
    front = {**_front_matter(facts), **own}
    for name in _JOINED:
        values = [*_listed(own.get(name)), *_listed(_front_matter(facts).get(name))]
        if values:
            front[name] = list(dict.fromkeys(values))
    if index := model_index(facts, source):
        front["model-index"] = index
    text = body.strip() or _body(facts)
    if facts.result is not None:
        text += "\n\n" + _results(facts)
    yaml_text = yaml.safe_dump(front, sort_keys=False, allow_unicode=True, width=120).strip()
    return f"---\n{yaml_text}\n---\n\n{text.strip()}\n"


def _front_matter(facts: ModelFacts) -> dict[str, Any]:
    front: dict[str, Any] = {
        "library_name": "peft" if facts.adapter else "transformers",
        "pipeline_tag": TASK_TYPE if facts.classifier else "feature-extraction",
        "tags": ["ecg", "electrocardiogram", "12-lead", "biosignal", "time-series", "hf-ecg-bench"],
    }
    if facts.license is not None:
        front = {"license": facts.license, **front}
        if facts.license == "other":
            front |= {"license_name": "not-stated-by-the-authors"}
    if facts.spec is not None:
        front["tags"] = [*front["tags"], facts.spec.id]
    if facts.base is not None:
        front |= {"base_model": facts.base, "base_model_relation": "adapter" if facts.adapter else "finetune"}
    if facts.result is not None:
        names = [name for result in task_results(facts) for name in metric_estimates(result)]
        front["datasets"] = [f"{NAMESPACE}/{facts.result.dataset.get('id')}"]
        front["metrics"] = list(dict.fromkeys(HUB_METRICS[name] for name in names if name in HUB_METRICS))
    return front


def _body(facts: ModelFacts) -> str:
    title = facts.spec.title if facts.spec else facts.repo_id
    result = facts.result
    task = CATALOGUE.get(result.task) if result else None
    heading = f"# {title}: {result.mode} on {task.name if task else cell(result.task)}" if result else f"# {title}"
    usage = f"""## Use

```python
from hf_ecg_bench import load_model
from transformers import AutoFeatureExtractor

model = load_model("{facts.repo_id}")
extractor = AutoFeatureExtractor.from_pretrained("{facts.repo_id}")
outputs = model(**extractor(record, sampling_rate=rate, return_tensors="pt"))  # record: (time, 12) in mV
```

The package `hf_ecg_bench` has to be installed. Not a medical device."""
    parts = [heading, usage]
    if facts.targets:
        parts.append(f"Targets ({len(facts.targets)}): {some(map(cell, facts.targets), _SHOWN_TARGETS)}.")
    if facts.spec is not None:
        parts.append(f"## Citation\n\n{facts.spec.paper}\n\n```bibtex\n{facts.spec.citation.strip()}\n```")
    return "\n\n".join(parts)


def _results(facts: ModelFacts) -> str:
    """How it was trained and tested, pinned to revisions and digests."""
    result = facts.result
    assert result is not None
    dataset = str(result.dataset.get("id"))
    records = result.dataset.get("records", {})
    seen = contamination(result.model, dataset, result.mode)
    pinned = f", commit `{facts.dataset_revision}`" if facts.dataset_revision else ""
    rows = [
        ("task", cell(result.task)),
        ("data", f"`{NAMESPACE}/{cell(dataset)}`, digest `{cell(str(result.dataset.get('digest')))}`{pinned}"),
        ("records", cell(", ".join(f"{value} {name}" for name, value in records.items()))),
        ("base", _base(facts)),
        ("weights", f"SHA-256 `{facts.digest}`"),
        ("mode, protocol, preprocessing", cell(f"{result.mode}, {result.protocol}, {result.preprocessing}")),
        ("share of the training records, seed", f"{result.fraction:g}, {result.seed}"),
        ("pretraining has seen the test data", cell(f"{seen.state}: {seen.reason}".replace("_", " "))),
        ("program", cell(f"hf-ecg-bench {result.environment.get('packages', {}).get('hf-ecg-bench', 'unknown')}")),
    ]
    scores = [
        f"| {cell(item.task)} | {cell(metric_name(name))} | {estimate.format(4)} |"
        for item in task_results(facts)
        for name, estimate in metric_estimates(item).items()
    ]
    notes = [f"- {_line(note)}" for note in (*facts.warnings, *result.warnings)]
    lines = ["## Training and results", "", "| | |", "| --- | --- |", *(f"| {a} | {b} |" for a, b in rows)]
    lines += ["", "| task | metric | value [95 %] |", "| --- | --- | --- |", *scores]
    lines += ["", "`result.json` holds every hyperparameter, the metrics of each target and the cost."]
    return "\n".join([*lines, *(["", "### Know before use", "", *notes] if notes else [])])


def _base(facts: ModelFacts) -> str:
    if facts.base is None and not facts.base_digest:
        return "none: trained from scratch"
    revision = f", commit `{cell(facts.base_revision)}`" if facts.base_revision else ""
    name = f"`{cell(facts.base)}`" if facts.base else "weights that are not on the Hub"
    return f"{name}{revision}, SHA-256 `{cell(facts.base_digest)}`"


def _line(text: str) -> str:
    """A whole sentence as plain text."""
    return "".join(cell(text[start : start + 80]) for start in range(0, len(text), 80))


def _read(file: Path) -> tuple[dict[str, Any], str]:
    return _split(file.read_text(encoding="utf-8"), file) if file.is_file() else ({}, "")


def _split(text: str, file: Path) -> tuple[dict[str, Any], str]:
    """Front matter and the rest."""
    try:
        return split_front_matter(text)
    except ValueError as error:
        raise CheckpointError(f"{file}: {error}", fix="mend README.md, then push again") from None


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]

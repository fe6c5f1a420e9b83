"""Model cards: prose from model_cards/<id>.md, facts from the declaration."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

import yaml

from hf_ecg_bench.models.overlaps import STATES, OverlapState
from hf_ecg_bench.models.spec import ModelSpec
from hf_ecg_bench.signals.leads import LEADS


def render_model_card(
    spec: ModelSpec, config: Any = None, provenance: str | None = None, parameters: int | None = None
) -> str:
    """README.md of a model's folder: YAML front matter, prose, facts, use, citation.

    Args:
        config: the model's configuration; None leaves out what depends on it.
        provenance: how the weights were made, as text.
        parameters: of its backbone; None for the usual size.
    """
    prose = (files("hf_ecg_bench.model_cards") / f"{spec.id}.md").read_text(encoding="utf-8").strip()
    front: dict[str, Any] = {
        "library_name": "transformers",
        "tags": ["ecg", "electrocardiogram", "12-lead", "biosignal", "hf-ecg-bench", spec.id],
    }
    if (license_id := _LICENSES.get(spec.license_weights)) is not None:
        front = {"license": license_id, **front}
    variant = spec.variant(parameters or spec.parameters)
    hub_id = f"{spec.hub_id}-{variant}" if variant else spec.hub_id
    parts = [
        f"---\n{yaml.safe_dump(front, sort_keys=False).strip()}\n---",
        f"# {spec.title}",
        prose,
        _facts(spec, config, parameters or spec.parameters),
        *_overlaps(spec),
        _preprocessing(spec, config, hub_id),
    ]
    if provenance:
        parts.append(f"## Where these weights come from\n\n```\n{provenance}\n```")
    parts += [
        _usage(config, hub_id),
        f"## Citation\n\n{spec.paper}\n\n```bibtex\n{spec.citation.strip()}\n```",
    ]
    return "\n\n".join(parts) + "\n"


_LICENSES = {"Apache-2.0": "apache-2.0", "MIT": "mit", "CC BY-NC 4.0": "cc-by-nc-4.0"}  # what the Hub knows


def _facts(spec: ModelSpec, config: Any, parameters: int) -> str:
    rate = config.sampling_rate if config is not None else spec.sampling_rate
    seconds = config.window_seconds if config is not None else spec.window_seconds
    own = config is not None and config.preprocessing == "original"
    scale = "after the original preprocessing" if own else "in mV"
    order = ", ".join(spec.original.leads if own and spec.original else LEADS)
    rows = [
        ("input", f"12 leads ({order}) {scale} at {rate} Hz, windows of {seconds:g} s"),
        ("backbone parameters", f"{parameters:,}"),
        ("width of tokens and pooled features", str(config.hidden_size if config is not None else spec.hidden_size)),
        ("pretrained on", ", ".join(spec.pretraining) or "nothing: trained from scratch"),
        ("licence of the code", spec.license_code),
        ("licence of the weights", spec.license_weights),
    ]
    if spec.source:
        usual = f"{spec.source.file} at {spec.source.page}"
        file = config.source_file if config is not None else None
        rows.append(
            (
                "original checkpoint",
                f"{file or 'another'}; the usual one: {usual}" if spec.variant(parameters) else usual,
            )
        )
    table = "\n".join(f"| {name} | {value} |" for name, value in rows)
    return f"## Facts\n\n| | |\n| --- | --- |\n{table}"


def _overlaps(spec: ModelSpec) -> list[str]:
    """Which test sets its pretraining has seen; those with one state and reason stand in one row."""
    together: dict[tuple[OverlapState, str, str], list[str]] = {}
    for overlap in spec.overlaps:
        together.setdefault((overlap.state, overlap.reason, overlap.source), []).append(overlap.dataset)
    rows = sorted(together.items(), key=lambda item: STATES.index(item[0][0]))
    table = "\n".join(
        f"| {', '.join(names)} | {state.replace('_', ' ')} | {reason} | {source} |"
        for (state, reason, source), names in rows
    )
    title = "## Overlap of pretraining data with test sets"
    header = f"{title}\n\n| test sets | seen in pretraining | why | source |\n| --- | --- | --- | --- |\n"
    return [header + table] if rows else []


def _preprocessing(spec: ModelSpec, config: Any, hub_id: str) -> str:
    """Both ways to feed the model, and which of them this folder does."""
    paper_fed = config is not None and config.preprocessing == "paper"
    seconds = config.window_seconds if paper_fed else spec.window_seconds
    if config is not None and config.fixed_length is not None:
        seconds = config.fixed_length / spec.sampling_rate
    paper = (
        f"- `paper`, the benchmark's, all models alike: windows of {seconds:g} s, missing samples 0, "
        f"resampled to {spec.sampling_rate} Hz (resampy's kaiser_best), {spec.paper_input}."
    )
    if spec.original is None:
        return f"## Preprocessing\n\n{paper}\n- `original`: there is none, the model is trained from scratch."
    steps = "; ".join(spec.original.describe())
    lines = [paper, f"- `original`, what the authors did before pretraining: {steps}. {spec.original.note}".rstrip()]
    used = config.preprocessing if config is not None else "paper"
    other = "original" if used == "paper" else "paper"
    lines += [
        "",
        f"This folder does `{used}`. For the other:",
        "",
        "```python",
        "from hf_ecg_bench import load_model",
        "from hf_ecg_bench.models.feature_extraction import EcgFeatureExtractor",
        "",
        f'model = load_model("{hub_id}", preprocessing="{other}")',
        "extractor = EcgFeatureExtractor.from_config(model.config)",
        "```",
    ]
    return "## Preprocessing\n\n" + "\n".join(lines)


def _usage(config: Any, hub_id: str) -> str:
    classifier = any("Classification" in name for name in getattr(config, "architectures", None) or ())
    auto = "AutoModelForSequenceClassification" if classifier else "AutoModel"
    result = "logits" if classifier else "pooler_output"
    return f"""## Use

```python
import hf_ecg_bench.models  # makes the model known to transformers
from transformers import AutoFeatureExtractor, {auto}

folder = "{hub_id}"
extractor = AutoFeatureExtractor.from_pretrained(folder)
model = {auto}.from_pretrained(folder)

record, rate = hf_ecg_bench.read_record("records/00001_hr")  # a WFDB record; or your own array (time, 12) in mV
windows = extractor(record, sampling_rate=rate, return_tensors="pt")
outputs = model(**windows).{result}  # one row per window
```

The package `hf_ecg_bench` has to be installed. The extractor refuses records without a sampling rate, in other units or
shapes. Not a medical device."""

"""Model cards: prose from model_cards/<id>.md, facts from the declaration."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

import yaml

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
    parts = [
        f"---\n{yaml.safe_dump(front, sort_keys=False).strip()}\n---",
        f"# {spec.title}",
        prose,
        _facts(spec, config, parameters or spec.parameters),
        _preprocessing(spec, config),
    ]
    if provenance:
        parts.append(f"## Where these weights come from\n\n```\n{provenance}\n```")
    parts += [
        _usage(spec, config, spec.variant(parameters or spec.parameters)),
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
    rows += [(f"overlap with {overlap.dataset}", f"{overlap.state}: {overlap.reason}") for overlap in spec.overlaps]
    if spec.source:
        rows.append(("original checkpoint", f"{spec.source.file} at {spec.source.page}"))
    table = "\n".join(f"| {name} | {value} |" for name, value in rows)
    return f"## Facts\n\n| | |\n| --- | --- |\n{table}"


def _preprocessing(spec: ModelSpec, config: Any) -> str:
    """Both ways to feed the model, and which of them this folder does."""
    paper_fed = config is not None and config.preprocessing == "paper"
    seconds = config.window_seconds if paper_fed else spec.window_seconds
    paper = (
        f"- `paper`, the benchmark's, all models alike: windows of {seconds:g} s, missing samples 0, "
        f"resampled to {spec.sampling_rate} Hz (resampy's kaiser_best), in mV, no filter, no normalisation."
    )
    if spec.original is None:
        return f"## Preprocessing\n\n{paper}\n- `original`: there is none, the model is trained from scratch."
    steps = "; ".join(spec.original.describe())
    lines = [paper, f"- `original`, what the authors did before pretraining: {steps}. {spec.original.note}".rstrip()]
    used = config.preprocessing if config is not None else "paper"
    other = "original" if used == "paper" else "paper"
    lines += [
        "",
        f'This folder does `{used}`. For the other: `model = load_model(folder, preprocessing="{other}")`, with '
        "`EcgFeatureExtractor.from_config(model.config)`.",
    ]
    return "## Preprocessing\n\n" + "\n".join(lines)


def _usage(spec: ModelSpec, config: Any, variant: str | None) -> str:
    classifier = any("Classification" in name for name in getattr(config, "architectures", None) or ())
    auto = "AutoModelForSequenceClassification" if classifier else "AutoModel"
    result = "logits" if classifier else "pooler_output"
    return f"""## Use

```python
import hf_ecg_bench.models  # makes the model known to transformers
from transformers import AutoFeatureExtractor, {auto}

folder = "{spec.hub_id}{f"-{variant}" if variant else ""}"
extractor = AutoFeatureExtractor.from_pretrained(folder)
model = {auto}.from_pretrained(folder)
windows = extractor(record, sampling_rate=500, return_tensors="pt")  # record: (time, 12) in mV
outputs = model(**windows).{result}  # one row per window
```

The extractor refuses records without a sampling rate, in other units or shapes. Not a medical device."""

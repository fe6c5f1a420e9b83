"""README.md of a folder of adapters: what they are, what they belong to, how to use them."""

from __future__ import annotations

from typing import Any

import yaml

from hf_ecg_bench.errors import some
from hf_ecg_bench.front_matter import split_front_matter
from hf_ecg_bench.models.adapters.folders import ADAPTER_WEIGHTS, AdapterFolder
from hf_ecg_bench.models.registry import get_model_spec, model_id_of

_NAMES = {"lora": "LoRA", "dora": "DoRA", "ia3": "IA3"}
_SHOWN_TARGETS = 30


def render_adapter_card(adapter: AdapterFolder, trained: dict[str, float]) -> str:
    """The text; `trained` is what `adapters.trained_parameters` counts."""
    spec = get_model_spec(model_id_of(adapter.model_type))
    front: dict[str, Any] = {
        "library_name": "peft",
        "tags": ["ecg", "electrocardiogram", "12-lead", "biosignal", "hf-ecg-bench", spec.id, adapter.kind],
    }
    if not adapter.base.is_local:
        front = {"base_model": adapter.base.name, **front}
    size = (adapter.folder / ADAPTER_WEIGHTS).stat().st_size / 2**20
    rows = [
        ("base", f"`{adapter.base.name}`, SHA-256 of its weights `{adapter.base.digest}`"),
        ("adapters", _describe(adapter)),
        ("adapted layers", f"`{adapter.pattern}`"),
        (
            "trained numbers",
            f"{trained['trained']:,} of {trained['total']:,} ({trained['share']:.2%}), {trained['head']:,} of them in "
            "the head",
        ),
        ("size of the weights", f"{size:.3g} MiB"),
        ("targets", f"{len(adapter.targets)}: {some(adapter.targets, _SHOWN_TARGETS)}"),
        ("licence of the base's weights", spec.license_weights),
    ]
    table = "\n".join(f"| {name} | {_in_table(value)} |" for name, value in rows)
    return f"""---
{yaml.safe_dump(front, sort_keys=False).strip()}
---

# {_NAMES[adapter.kind]} adapters for {spec.title}

Adapters and a head, trained with hf-ecg-bench on frozen weights. The weights themselves are not in this folder.

| | |
| --- | --- |
{table}

## Use

```python
from hf_ecg_bench import load_model
from transformers import AutoFeatureExtractor

folder = "THIS_FOLDER_OR_REPOSITORY"
extractor = AutoFeatureExtractor.from_pretrained(folder)
model = load_model(folder)  # fetches the base; other weights than those above are refused
plain = load_model(folder, merge_adapter=True)  # one model without adapters, the same outputs but for rounding
```

To write the merged model: `hf-ecg-bench merge THIS_FOLDER_OR_REPOSITORY --output-dir MERGED`. The package
`hf_ecg_bench` has to be installed. Not a medical device.

## Citation

{spec.paper}

```bibtex
{spec.citation.strip()}
```
"""


def rename_base(card: str, old: str, new: str) -> str:
    """The card of adapters whose base has another name now; a card that somebody else wrote stays as it is."""
    try:
        front, rest = split_front_matter(card)
    except ValueError:
        return card
    if not front:
        return card
    front = {**front, "base_model": new}
    return f"---\n{yaml.safe_dump(front, sort_keys=False)}---\n{rest.replace(f'`{old}`', f'`{new}`')}"


def _describe(adapter: AdapterFolder) -> str:
    if adapter.kind == "ia3":
        return "IA3: a factor on each output of the adapted layers"
    return f"{_NAMES[adapter.kind]}, rank {adapter.rank}, alpha {adapter.alpha:g}, dropout {adapter.dropout:g}"


def _in_table(text: str) -> str:
    """Without the character that would end a cell."""
    return text.replace("|", "\\|")

"""All that is known of a model, as JSON values and as text."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from hf_ecg_bench.cli.printing import field
from hf_ecg_bench.errors import CheckpointError
from hf_ecg_bench.models import cache
from hf_ecg_bench.models.overlaps import STATES, TEST_SETS
from hf_ecg_bench.models.registry import model_class
from hf_ecg_bench.models.resolve import find_local
from hf_ecg_bench.models.sources import NAMES
from hf_ecg_bench.models.spec import ModelSpec
from hf_ecg_bench.signals.leads import LEADS


def model_info(spec: ModelSpec) -> dict[str, Any]:
    """Everything that is declared about a model, what follows from it, and where its weights are here."""
    tokens, samples, fixed = _shape(spec)
    overlaps = {
        overlap.dataset: {"state": overlap.state, "reason": overlap.reason, "source": overlap.source}
        for overlap in spec.overlaps
    }
    if spec.pretrained:
        overlaps |= {
            name: {"state": "unknown", "reason": "nobody has looked", "source": ""}
            for name in TEST_SETS
            if name not in overlaps
        }
    return {
        "id": spec.id,
        "title": spec.title,
        "paper": spec.paper,
        "citation": spec.citation,
        "license_code": spec.license_code,
        "license_weights": spec.license_weights,
        "license_warning": spec.license_warning,
        "parameters": spec.parameters,
        "other_sizes": dict(spec.other_sizes),
        "input": {
            "sampling_rate": spec.sampling_rate,
            "window_seconds": spec.window_seconds,
            "samples": samples,
            "fixed_length": fixed,
            "leads": list(LEADS),
            "unit": "mV",
        },
        "output": {"tokens": tokens, "width": spec.hidden_size},
        "preprocessing": _preprocessing(spec),
        "pretraining": list(spec.pretraining),
        "overlaps": overlaps,
        "layer_groups": {"late": list(spec.late), "early": list(spec.early)},
        "lora_targets": list(spec.lora_targets),
        "full_precision": spec.full_precision,
        "faults": [asdict(fault) for fault in spec.faults],
        "source": {**asdict(spec.source), "link": spec.source.link} if spec.source else None,
        "weights": _weights(spec),
    }


def describe(info: dict[str, Any]) -> str:
    """The same for people."""
    return "\n".join(_lines(info))


def _lines(info: dict[str, Any]) -> Iterator[str]:
    yield f"{info['title']} ({info['id']})"
    yield from field("paper", info["paper"])
    yield from field("licence", f"code {info['license_code']}, weights {info['license_weights']}")
    if info["license_warning"]:
        yield from field("", f"WARNING: {info['license_warning']}")
    sizes = "".join(f"; {name} {size:,}" for name, size in info["other_sizes"].items())
    yield from field("parameters", f"{info['parameters']:,} in the backbone{sizes}")
    shape, output = info["input"], info["output"]
    only = ", no other length" if shape["fixed_length"] else ""
    yield from field(
        "input",
        f"windows of {shape['window_seconds']:g} s = {shape['samples']} samples at {shape['sampling_rate']} Hz{only}; "
        f"12 leads ({' '.join(shape['leads'])}) in {shape['unit']}",
    )
    yield from field("output", f"{output['tokens']} tokens x {output['width']}, pooled {output['width']}")
    for way, steps in info["preprocessing"].items():
        if way != "note":
            yield from field(
                f"{way} input" if way == "paper" else way, "; ".join(steps) or "none: trained from scratch"
            )
    if info["preprocessing"]["note"]:
        yield from field("", info["preprocessing"]["note"])
    yield from field("pretrained on", ", ".join(info["pretraining"]) or "nothing: trained from scratch")
    yield from _overlaps(info["overlaps"])
    groups = info["layer_groups"]
    if groups["late"] or groups["early"]:
        yield from field("late layers", ", ".join(groups["late"]))
        yield from field("early layers", ", ".join(groups["early"]))
    else:
        yield from field("layer groups", "one")
    yield from field("LoRA targets", ", ".join(info["lora_targets"]) or "none")
    if info["full_precision"]:
        yield from field("precision", "float32, on a GPU too")
    for fault in info["faults"]:
        yield from field("fault", f"--fault {fault['id']}: {fault['what']}")
    if source := info["source"]:
        parts = [source["file"], f"on {NAMES[source['host']]}", source["link"]]
        parts += [f"member {source['member']}"] if source["member"] else []
        parts += [f"revision {source['revision'] or 'main'}"] if source["host"] == "huggingface" else []
        parts += [f"sha256 {source['sha256']}"] if source["sha256"] else []
        yield from field("checkpoint", ", ".join(parts))
    yield from field("weights here", f"{info['weights']['state']}")
    yield from field("", info["weights"]["how"])


def _overlaps(overlaps: dict[str, dict[str, str]]) -> Iterator[str]:
    """Test sets with one state and reason stand in one line."""
    together: dict[tuple[Any, str, str], list[str]] = {}
    for name, overlap in overlaps.items():
        together.setdefault((overlap["state"], overlap["reason"], overlap["source"]), []).append(name)
    label = "test overlap"
    for (state, reason, source), names in sorted(together.items(), key=lambda item: STATES.index(item[0][0])):
        said = f"{reason}; {source}" if source else reason
        yield from field(label, f"{state}: {' '.join(names)} ({said})")
        label = ""


def _preprocessing(spec: ModelSpec) -> dict[str, Any]:
    paper = [
        f"windows of {spec.window_seconds:g} s",
        "missing samples become 0",
        f"resampled to {spec.sampling_rate} Hz",
        spec.paper_input,
    ]
    original = spec.original
    return {
        "paper": paper,
        "original": list(original.describe()) if original else [],
        "note": original.note if original else "",
    }


def _weights(spec: ModelSpec) -> dict[str, Any]:
    """Where the weights are on this machine, or how they get here. Asks nobody."""
    if spec.source is None:
        return {"state": "none: trained from scratch", "folder": None, "how": "hf-ecg-bench run --mode scratch"}
    use = f'load_model("{spec.id}"), or --model {spec.id}'
    variants = [f"{name} ({cache.entries(name)[0].folder})" for name in cache.variants(spec.id)]
    also = f"; also {', '.join(variants)}" if variants else ""
    try:
        found = find_local(spec.id)
    except CheckpointError as error:
        return {"state": error.message, "folder": None, "how": str(error.fix)}
    if found is not None:
        where = "converted, in the cache" if found.origin == "cache" else "a folder"
        return {"state": f"{where}: {found.folder}{also}", "folder": str(found.folder), "how": use}
    command = f"hf-ecg-bench convert {spec.id} --checkpoint {shlex.quote(spec.source.file)}"
    how = f"{use}: fetched from {spec.hub_id} or from {NAMES[spec.source.host]} and converted on first use"
    if spec.source.host == "google_drive":
        how = f"get {spec.source.file} from {spec.source.link}, then: {command}"
    return {"state": f"not on this machine (cache: {cache.cache_root()}){also}", "folder": None, "how": how}


def _shape(spec: ModelSpec) -> tuple[int, int, int | None]:
    """Tokens, samples, and the only length where there is one: from the architecture, on tensors that hold nothing."""
    import torch

    config = model_class(spec.id, "Config")()
    samples = round(config.window_seconds * config.sampling_rate)
    try:
        with torch.device("meta"):
            model = model_class(spec.id, "Model")(config).eval()
        with torch.no_grad():
            tokens = model(torch.zeros(1, 12, samples, device="meta")).last_hidden_state.shape[1]
    except RuntimeError:  # complex FFTs have no shapes without numbers (S4, ECG-CPC: small); a real fault shows below
        model = model_class(spec.id, "Model")(config).eval()
        with torch.no_grad():
            tokens = model(torch.zeros(1, 12, samples)).last_hidden_state.shape[1]
    return int(tokens), samples, config.fixed_length

"""What a card says about a model, from its folder and its run. Reads the folder; pure otherwise."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hf_ecg_bench.errors import UnknownNameError
from hf_ecg_bench.models.adapters.folders import is_adapter_folder, read_adapter_folder
from hf_ecg_bench.models.registry import MODELS, get_model_spec, model_id_of
from hf_ecg_bench.models.resolve import weights_digest
from hf_ecg_bench.models.spec import ModelSpec
from hf_ecg_bench.names import NAMESPACE
from hf_ecg_bench.results.schema import Result
from hf_ecg_bench.training.modes import MODES

_LICENSES = {"Apache-2.0": "apache-2.0", "MIT": "mit", "CC BY-NC 4.0": "cc-by-nc-4.0", "unknown": "other"}
_HUB_ID = re.compile(r"[\w-][\w.-]*/[\w.-]+", re.ASCII)


@dataclass(frozen=True)
class ModelFacts:
    """A model as its card describes it.

    Attributes:
        repo_id: where it goes; spec: of its architecture, None for one that this project does not know.
        classifier: whether it has a head; adapter: whether its weights are adapters alone.
        targets: what the head predicts.
        digest: SHA-256 of its weights.
        base: Hub id of the weights that it was trained from, None where there are none (or only on one machine).
        base_digest, base_revision: of those weights; empty where not known.
        license: of its weights, in the Hub's words; None where nobody has said.
        warnings: what has to be said aloud about licences and data.
        result: of its run, without private texts; None where it was not trained by one.
        dataset_revision: commit of the dataset's repository with the run's data; None where there is none.
    """

    repo_id: str
    spec: ModelSpec | None
    classifier: bool
    adapter: bool
    targets: tuple[str, ...]
    digest: str
    base: str | None
    base_digest: str
    base_revision: str
    license: str | None
    warnings: tuple[str, ...]
    result: Result | None = None
    dataset_revision: str | None = None


def model_facts(
    repo_id: str, folder: Path, config: dict[str, Any], result: Result | None, dataset_revision: str | None
) -> ModelFacts:
    """Everything that the card needs.

    Args:
        config: the content of config.json.
        result: of the run that trained it, scrubbed.
    """
    model_id = model_id_of(str(config.get("model_type")))
    spec = get_model_spec(model_id) if model_id in MODELS else None
    classifier = any("Classification" in name for name in config.get("architectures") or ())
    base, digest, revision = _base(folder, spec, result)
    scratch = result is not None and result.mode in MODES and not MODES[result.mode].pretrained
    license_id = _LICENSES.get(spec.license_weights) if spec and not scratch else None
    warnings = [spec.license_warning] if spec and spec.license_warning and not scratch else []
    labels = config.get("id2label")
    return ModelFacts(
        repo_id=repo_id,
        spec=spec,
        classifier=classifier,
        adapter=is_adapter_folder(folder),
        targets=tuple(str(name) for name in labels.values()) if classifier and isinstance(labels, dict) else (),
        digest=weights_digest(folder) or "",
        base=base,
        base_digest=digest,
        base_revision=revision,
        license=license_id,
        warnings=(*warnings, *_data_warning(result)),
        result=result,
        dataset_revision=dataset_revision,
    )


def _base(folder: Path, spec: ModelSpec | None, result: Result | None) -> tuple[str | None, str, str]:
    """Hub id, digest and revision of the weights below."""
    if is_adapter_folder(folder):
        base = read_adapter_folder(folder).base
        # A bare id means this project's conversion of the public weights.
        name = get_model_spec(base.name).hub_id if base.name in MODELS else base.name
        return name, base.digest, base.revision or ""
    if result is None or (result.mode in MODES and not MODES[result.mode].pretrained):
        return None, "", ""
    source, revision = str(result.model.get("source") or ""), str(result.model.get("revision") or "")
    found: str | None = None
    if source in MODELS:
        found = get_model_spec(source).hub_id if get_model_spec(source).pretrained else None
    elif _HUB_ID.fullmatch(source) and (revision or source.startswith(f"{NAMESPACE}/")):
        found = source  # without a commit it may as well be a folder called runs/s4
    elif spec is not None and spec.pretrained and result.model.get("checkpoint_digest"):
        found = spec.hub_id  # a folder of this machine, converted from the authors' checkpoint
    return found, str(result.model.get("digest") or ""), revision


def _data_warning(result: Result | None) -> list[str]:
    from hf_ecg_bench.data.registry import get_dataset_spec

    if result is None:
        return []
    dataset = str(result.dataset.get("id"))
    try:
        access = get_dataset_spec(dataset).access
    except UnknownNameError:
        return []
    if access == "open":
        return []
    return [
        f"trained on {dataset}, which is {access} data: check that its terms let you publish what was trained on it"
    ]

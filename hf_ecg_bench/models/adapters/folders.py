"""A folder that holds adapters and a head, but not the weights they were trained on. No torch here."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hf_ecg_bench.errors import CheckpointError, DownloadError
from hf_ecg_bench.files import sha256_file, write_json, write_text

ADAPTER_CONFIG = "adapter_config.json"
ADAPTER_WEIGHTS = "adapter_model.safetensors"
_ANOTHER_BASE = (
    "load_model(FOLDER, adapter_base=DIR), or: hf-ecg-bench merge FOLDER --base DIR --output-dir MERGED, "
    "with the weights that it was trained on"
)


@dataclass(frozen=True)
class Base:
    """The weights that adapters belong to.

    Attributes:
        name: a Hub id or a folder, as `load_model` takes it.
        digest: SHA-256 of its weights (`resolve.weights_digest`).
        revision: the Hub's commit, where it came from there.
    """

    name: str
    digest: str
    revision: str | None = None

    @property
    def is_local(self) -> bool:
        """Whether it is a folder of this machine, which nobody else can resolve."""
        return Path(self.name).is_absolute()


@dataclass(frozen=True)
class AdapterFolder:
    """What a folder of adapters says about itself.

    Attributes:
        kind: `lora`, `dora` or `ia3`.
        rank, alpha, dropout: of LoRA and DoRA; 0 for IA3.
        pattern: regular expression of the adapted modules.
        model_type: of the classifier.
        targets: what its head predicts.
        values: all of adapter_config.json.
    """

    folder: Path
    kind: str
    rank: int
    alpha: float
    dropout: float
    pattern: str
    base: Base
    model_type: str
    targets: tuple[str, ...]
    values: dict[str, Any]


def is_adapter_folder(folder: str | os.PathLike[str]) -> bool:
    """Whether it holds adapters in place of a model's weights."""
    return (Path(folder) / ADAPTER_CONFIG).is_file()


def read_adapter_folder(folder: str | os.PathLike[str]) -> AdapterFolder:
    """Read what the folder says.

    Raises:
        CheckpointError: it is not a folder that `run --mode lora` or `save_adapter` wrote.
    """
    folder = Path(folder)
    values, config = _read(folder, ADAPTER_CONFIG), _read(folder, "config.json")
    kind = {"LORA": "dora" if values.get("use_dora") else "lora", "IA3": "ia3"}.get(str(values.get("peft_type")))
    base, digest = values.get("base_model_name_or_path"), config.get("base_digest")
    pattern, labels = values.get("target_modules"), config.get("id2label")
    if kind is None or not isinstance(base, str) or not isinstance(pattern, str):
        raise CheckpointError(
            f"{folder / ADAPTER_CONFIG}: expected LoRA, DoRA or IA3 on a named base, with a pattern of its targets; "
            f"found {values.get('peft_type')!r} on {base!r}",
            fix="peft.PeftModel.from_pretrained(model, FOLDER) loads what PEFT alone wrote",
        )
    if not isinstance(digest, str) or not isinstance(labels, dict):
        raise CheckpointError(
            f"{folder / 'config.json'}: no base_digest or no targets: not written by this package",
            fix="peft.PeftModel.from_pretrained(model, FOLDER) loads what PEFT alone wrote",
        )
    numbers = [values.get(name) or 0 for name in ("r", "lora_alpha", "lora_dropout")]
    if not all(isinstance(value, int | float) for value in numbers):
        raise CheckpointError(
            f"{folder / ADAPTER_CONFIG}: r, lora_alpha and lora_dropout have to be numbers, found {numbers}",
            fix="save or download it again",
        )
    return AdapterFolder(
        folder=folder,
        kind=kind,
        rank=int(numbers[0]),
        alpha=float(numbers[1]),
        dropout=float(numbers[2]),
        pattern=pattern,
        base=Base(base, digest, values.get("revision")),
        model_type=str(config.get("model_type")),
        targets=tuple(str(name) for name in labels.values()),
        values=values,
    )


def find_base(adapter: AdapterFolder, name: str | os.PathLike[str] | None = None) -> Path:
    """The folder of the weights that the adapters were trained on, fetched and converted first where need be.

    Args:
        name: where to look instead of where the adapters say.

    Raises:
        CheckpointError: they are not there, or are other weights.
    """
    from hf_ecg_bench.models.hub_snapshots import hub_snapshot
    from hf_ecg_bench.models.resolve import HUB_FILES, resolve_model, weights_digest

    base = adapter.base
    wanted = os.fspath(name) if name is not None else base.name
    try:
        found = resolve_model(wanted)
    except CheckpointError as error:
        message = f"the adapters of {adapter.folder} belong to {wanted}: {error.message}"
        raise CheckpointError(message, fix=_ANOTHER_BASE) from error
    digest = weights_digest(found.folder)
    if digest == base.digest:
        return found.folder
    if found.origin == "hub" and base.revision and base.revision != found.revision:
        try:  # the repository has moved on since
            folder = hub_snapshot(base.name, HUB_FILES, base.revision)
        except DownloadError:
            folder = None
        if folder is not None and weights_digest(folder) == base.digest:
            return folder
    raise CheckpointError(
        f"the adapters of {adapter.folder} were trained on weights with SHA-256 {base.digest[:12]}, "
        f"{wanted} ({found.folder}) has {str(digest)[:12]}",
        fix=_ANOTHER_BASE,
    )


def set_base(folder: str | os.PathLike[str], name: str) -> None:
    """Let the adapters name their base otherwise: a Hub id in place of a folder of this machine.

    Raises:
        CheckpointError: there are other weights there.
    """
    from hf_ecg_bench.models.adapters.card import rename_base

    adapter = read_adapter_folder(folder)
    find_base(adapter, name)
    card = adapter.folder / "README.md"
    if card.is_file():
        write_text(card, rename_base(card.read_text(encoding="utf-8"), adapter.base.name, name))
    write_json(adapter.folder / ADAPTER_CONFIG, {**adapter.values, "base_model_name_or_path": name, "revision": None})


def adapter_digest(folder: Path) -> str:
    """SHA-256 that stands for what the adapted model computes: of the adapters and of the weights below them."""
    import hashlib

    own = sha256_file(folder / ADAPTER_WEIGHTS)
    return hashlib.sha256(f"{own} {read_adapter_folder(folder).base.digest}\n".encode()).hexdigest()


def _read(folder: Path, name: str) -> dict[str, Any]:
    try:
        values = json.loads((folder / name).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise CheckpointError(
            f"{folder} holds adapters but no {name}",
            fix="peft.PeftModel.from_pretrained(model, FOLDER) loads what PEFT alone wrote",
        ) from error
    except ValueError as error:
        raise CheckpointError(f"{folder / name} is not JSON: {error}", fix="save or download it again") from error
    if not isinstance(values, dict):
        raise CheckpointError(f"{folder / name}: expected a JSON object", fix="save or download it again")
    return values

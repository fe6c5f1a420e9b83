"""The saved folder of a combination: its heads, and which models they belong to."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hf_ecg_bench.combining.names import COMBINATION_FILE, HEADS_FILE
from hf_ecg_bench.errors import CheckpointError
from hf_ecg_bench.files import dumps_json
from hf_ecg_bench.models.saving import whole_folder
from hf_ecg_bench.signals.windows import Tail

if TYPE_CHECKING:
    from hf_ecg_bench.combining.head import CombinedHead

_VERSION = 1


@dataclass(frozen=True)
class Member:
    """One of the models.

    Attributes:
        id: of its architecture.
        source: as the user named it: an id, a folder or a Hub id.
        digest: SHA-256 of the weights that the heads were trained on.
        revision: on the Hub, or None.
        preprocessing: that it was fed with.
        hidden_size: width of its features.
    """

    id: str
    source: str
    digest: str
    revision: str | None
    preprocessing: str
    hidden_size: int

    @classmethod
    def of(cls, source: dict[str, Any], config: Any) -> Member:
        """From what `training.build.model_source` says and the model's configuration."""
        return cls(
            str(source["id"]), str(source["source"]), str(source["digest"]), source["revision"],
            str(config.preprocessing), int(config.hidden_size),
        )  # fmt: skip


@dataclass(frozen=True)
class CombinationFacts:
    """combination.json.

    Attributes:
        head: `linear` or `attention`.
        members: in the order of the heads' features.
        target_names, target_kinds: `binary` or `regression`, in the order of the outputs.
        target_mean, target_std: by which regression targets were z-scored; 0 and 1 for the others.
        tail: what is done with the end of a recording that fills no window.
    """

    head: str
    members: tuple[Member, ...]
    target_names: tuple[str, ...]
    target_kinds: tuple[str, ...]
    target_mean: tuple[float, ...]
    target_std: tuple[float, ...]
    tail: Tail
    version: int = _VERSION


def save_combination(
    folder: Path,
    combined: CombinedHead,
    members: Sequence[Member],
    *,
    target_names: Sequence[str],
    target_kinds: Sequence[str],
    target_mean: Sequence[float],
    target_std: Sequence[float],
    tail: Tail,
) -> Path:
    """Write heads.safetensors and combination.json; the folder appears complete or not at all."""
    from safetensors.torch import save_file

    facts = CombinationFacts(
        combined.kind, tuple(members), tuple(target_names), tuple(target_kinds), tuple(target_mean),
        tuple(target_std), tail,
    )  # fmt: skip
    tensors = {name: value.detach().cpu().contiguous() for name, value in combined.state_dict().items()}
    with whole_folder(folder) as temporary:
        save_file(tensors, temporary / HEADS_FILE, metadata={"format": "pt"})
        (temporary / COMBINATION_FILE).write_text(dumps_json(asdict(facts)) + "\n", encoding="utf-8")
    return folder


def read_combination(folder: Path) -> CombinationFacts:
    """What `save_combination` wrote down.

    Raises:
        CheckpointError: no combination there, one of a newer version, or a damaged file.
    """
    file = folder / COMBINATION_FILE
    try:
        raw = json.loads(file.read_text(encoding="utf-8"))
        version = raw["version"]
        if version > _VERSION:
            raise CheckpointError(
                f"{file}: version {version}, this program reads up to {_VERSION}",
                fix="pip install --upgrade hf-ecg-bench",
            )
        own = {item.name for item in fields(Member)}
        members = tuple(Member(**{name: member[name] for name in own}) for member in raw["members"])
        values = {item.name: raw[item.name] for item in fields(CombinationFacts) if item.name != "members"}
        lists = {name: tuple(value) for name, value in values.items() if isinstance(value, list)}
        found = CombinationFacts(members=members, **{**values, **lists})
    except FileNotFoundError as error:
        raise CheckpointError(
            f"{folder} holds no combination of models: no {COMBINATION_FILE}",
            fix="the model folder of a run of --model a,b; one model: hf_ecg_bench.load_model",
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise CheckpointError(f"{file} is damaged: {error!r}", fix="copy the folder again, or run again") from error
    numbers = {len(found.target_names), len(found.target_kinds), len(found.target_mean), len(found.target_std)}
    if len(numbers) != 1 or len(members) < 2 or found.head not in ("linear", "attention"):
        raise CheckpointError(f"{file} is damaged: its parts do not fit together", fix="copy the folder again")
    return found

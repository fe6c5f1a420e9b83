"""Writing a model's folder, as a whole or not at all."""

from __future__ import annotations

import copy
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from transformers import PreTrainedModel

from hf_ecg_bench.errors import EcgBenchError
from hf_ecg_bench.files import explain_os_errors
from hf_ecg_bench.models.adapters.adding import trained_parameters
from hf_ecg_bench.models.adapters.card import render_adapter_card
from hf_ecg_bench.models.adapters.folders import ADAPTER_WEIGHTS, Base, read_adapter_folder
from hf_ecg_bench.models.configuration import EcgConfig
from hf_ecg_bench.models.feature_extraction import EcgFeatureExtractor
from hf_ecg_bench.signals.windows import Tail

if TYPE_CHECKING:
    from peft import PeftModel


def save_model(
    model: PreTrainedModel, folder: str | Path, card: str | None = None, *, replace: bool = True, tail: Tail = "drop"
) -> Path:
    """Write weights, config.json, preprocessor_config.json and the card, loadable by the Auto classes.

    The folder appears complete or not at all; an older one is replaced.

    Args:
        card: text of README.md.
        tail: what the extractor does with the end of a record that fills no window.
        replace: whether an existing folder that holds files may be replaced.

    Raises:
        EcgBenchError: the folder cannot be written, or holds files and may not be replaced.
    """
    with whole_folder(folder, replace=replace) as temporary:
        model.save_pretrained(temporary)
        _extractor(model, tail).save_pretrained(temporary)
        if card is not None:
            (temporary / "README.md").write_text(card, encoding="utf-8")
    return Path(folder)


def save_adapter(
    wrapped: PeftModel, folder: str | Path, base: Base, *, replace: bool = True, tail: Tail = "drop"
) -> Path:
    """Write adapters and head alone, with the configuration, the extractor and a card, loadable by the Auto classes.

    The folder appears complete or not at all; an older one is replaced.

    Args:
        wrapped: what `add_adapter` returned.
        base: the weights that the adapters belong to.
        replace, tail: as in `save_model`.

    Raises:
        EcgBenchError: the folder cannot be written, or holds files and may not be replaced.
    """
    from peft import get_peft_model_state_dict
    from safetensors.torch import save_file

    model: Any = wrapped.get_base_model()
    config, options = copy.deepcopy(model.config), copy.deepcopy(wrapped.peft_config["default"])
    config.base_digest = base.digest
    config.architectures, config.dtype = [type(model).__name__], str(model.dtype).removeprefix("torch.")
    options.base_model_name_or_path, options.revision, options.inference_mode = base.name, base.revision, True
    classes = {"base_model_class": type(model).__name__, "parent_library": type(model).__module__}
    tensors = get_peft_model_state_dict(wrapped, save_embedding_layers=False)
    with whole_folder(folder, replace=replace) as temporary:
        save_file(
            {name: value.detach().cpu().contiguous() for name, value in tensors.items()},
            temporary / ADAPTER_WEIGHTS,
            metadata={"format": "pt"},
        )
        options.save_pretrained(str(temporary), auto_mapping_dict=classes)
        config.save_pretrained(temporary)
        _extractor(model, tail).save_pretrained(temporary)
        card = render_adapter_card(read_adapter_folder(temporary), trained_parameters(wrapped))
        (temporary / "README.md").write_text(card, encoding="utf-8")
    return Path(folder)


@contextmanager
def whole_folder(folder: str | Path, *, replace: bool = True) -> Iterator[Path]:
    """A temporary folder that takes the place of `folder` when the block ends without an error.

    Raises:
        EcgBenchError: it cannot be written, or holds files and may not be replaced.
    """
    target = Path(folder)
    if target.exists() and (not target.is_dir() or (not replace and any(target.iterdir()))):
        raise EcgBenchError(
            f"{target} exists and is not an empty folder", fix="choose another --output-dir, or delete it"
        )
    with explain_os_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{target.name}.", suffix=".part", dir=target.parent))
        try:
            temporary.chmod(0o755)
            yield temporary
            if target.exists():
                shutil.rmtree(target)
            temporary.rename(target)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


def _extractor(model: PreTrainedModel, tail: Tail) -> EcgFeatureExtractor:
    config = model.config
    if not isinstance(config, EcgConfig):
        raise EcgBenchError(f"{type(model).__name__} is not one of this package's models")
    return EcgFeatureExtractor.from_config(config, tail=tail)

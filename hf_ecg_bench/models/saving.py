"""Writing a model's folder, as a whole or not at all."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from transformers import PreTrainedModel

from hf_ecg_bench.errors import EcgBenchError
from hf_ecg_bench.files import explain_os_errors
from hf_ecg_bench.models.configuration import EcgConfig
from hf_ecg_bench.models.feature_extraction import EcgFeatureExtractor
from hf_ecg_bench.signals.windows import Tail


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
            model.save_pretrained(temporary)
            _extractor(model, tail).save_pretrained(temporary)
            if card is not None:
                (temporary / "README.md").write_text(card, encoding="utf-8")
            if target.exists():
                shutil.rmtree(target)
            temporary.rename(target)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    return target


def _extractor(model: PreTrainedModel, tail: Tail) -> EcgFeatureExtractor:
    config = model.config
    if not isinstance(config, EcgConfig):
        raise EcgBenchError(f"{type(model).__name__} is not one of this package's models")
    return EcgFeatureExtractor.from_config(config, tail=tail)

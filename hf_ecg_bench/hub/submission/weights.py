"""The weights of a submission: by digest, and by letting the model predict some stored records once more."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from hf_ecg_bench.combining.members import is_combination
from hf_ecg_bench.hub.submission.checks import Check, shown, verdict
from hf_ecg_bench.models.registry import MODELS
from hf_ecg_bench.models.resolve import find_local, weights_digest
from hf_ecg_bench.results.predictions import Predictions
from hf_ecg_bench.results.run_folder import read_examples
from hf_ecg_bench.results.schema import EXAMPLES_FILE, MODEL_FOLDER, Result

#: A frozen backbone's features are stored in half precision: its run saw other last digits than the model gives.
SAME = 0.02
_MOST = 4  # records
_AGAIN = "submit the folder as `run` left it"


def check_weights(folder: Path, result: Result, declared: str) -> Iterator[Check]:
    """Digests: of the trained weights, and of those that the run started from, where they are on this machine.

    Args:
        declared: of the trained weights, from submission.json; empty where it names none.
    """
    model = folder / MODEL_FOLDER
    if not model.is_dir():
        yield Check("model weights", None, found=f"no {MODEL_FOLDER} folder here: weights are not submitted")
    elif declared:
        digest = str(weights_digest(model))
        problems = [] if digest == declared else [f"SHA-256 {digest[:16]}"]
        yield verdict("model weights", problems, expected=f"SHA-256 {declared[:16]}", fix=_AGAIN)
    stated, source = result.model.get("digest"), str(result.model.get("source") or "")
    known = source in MODELS and not is_combination(source)
    found = find_local(source) if known and stated is not None else None
    if found is not None:
        digest = str(weights_digest(found.folder))
        problems = [] if digest == stated else [f"SHA-256 {str(stated)[:16]}"]
        yield verdict(
            "pretrained weights", problems, expected=f"SHA-256 {digest[:16]}, those of {source} here",
            fix=f"hf-ecg-bench verify {source}, then run again, or name the model as what it is",
        )  # fmt: skip


def check_smoke(folder: Path, result: Result, predictions: Predictions | None) -> Iterator[Check]:
    """Load the model as a user would, predict the run's own examples: finite, of the right shape, the stored values."""
    name, model_folder = "model", folder / MODEL_FOLDER
    if not model_folder.is_dir():
        return
    if is_combination(str(result.model.get("source") or "")):
        yield Check(name, None, found="a combination of several models is not loaded here")
        return
    if not (folder / EXAMPLES_FILE).is_file():
        yield Check(name, None, found=f"no {EXAMPLES_FILE}, so nothing to predict", fix="run without --examples 0")
        return
    examples = read_examples(folder / EXAMPLES_FILE)
    source = result.signal.get("source")
    unit = source.get("unit", "mV") if isinstance(source, dict) else "mV"
    if unit != "mV":
        yield Check(name, None, found=f"the signals are in {unit!r:.20}, which the extractor does not take")
        return
    if not isinstance(result.metrics.get("targets"), dict):
        return  # said elsewhere
    regression = np.array([item.get("kind") == "regression" for item in result.metrics["targets"].values()])
    chosen = slice(0, _MOST)
    outputs = predict(model_folder, examples.signals[chosen], examples.sampling_rate, regression)
    expected = f"finite values for {len(regression)} targets, and those that are stored"
    problems = []
    if outputs.shape[1] != len(regression):
        problems.append(f"{outputs.shape[1]} targets")
    elif not np.isfinite(outputs).all():
        problems.append("values that are not finite")
    elif predictions is not None:
        rows = {record: row for row, record in enumerate(predictions.record_id)}
        for record, values in zip(examples.record_id[chosen], outputs, strict=True):
            if record not in rows:
                problems.append(f"example {shown(record)} is no test record")
            elif (gap := float(np.abs(values - predictions.predictions[rows[record]]).max())) > SAME:
                problems.append(f"{shown(record)}: off by {gap:.3g} from the stored prediction")
    yield verdict(name, problems, expected=expected, fix=_AGAIN, found=f"{len(outputs)} records predicted again")


def predict(model_folder: Path, signals: np.ndarray, rate: float, regression: np.ndarray) -> np.ndarray:
    """(records, targets): what the model gives for records (n, time, 12) in mV, windows averaged.

    Raises:
        CheckpointError: the folder is no model of this project. ContractError: the records do not fit it.
    """
    import torch
    from transformers import AutoFeatureExtractor

    from hf_ecg_bench.models.loading import load_model
    from hf_ecg_bench.progress import quiet_libraries
    from hf_ecg_bench.training.loop.predicting import window_predictions

    quiet_libraries()
    model = load_model(model_folder).eval()
    extractor = AutoFeatureExtractor.from_pretrained(model_folder)
    rows = []
    with torch.inference_mode():
        for signal in signals:
            windows = extractor(signal, sampling_rate=rate, return_tensors="pt")
            logits = model(**windows).logits.float().numpy()
            kinds = regression if len(regression) == logits.shape[1] else np.zeros(logits.shape[1], bool)
            rows.append(window_predictions(logits, kinds).mean(axis=0))
    return np.stack(rows)

"""The options of `run`, in groups, and what they mean for a RunSpec."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hf_ecg_bench.cli.arguments import key_values, typed

if TYPE_CHECKING:
    from hf_ecg_bench.training.spec import RunSpec

# group -> flag -> (hyperparameter, type, help)
_HYPERPARAMETERS: dict[str, dict[str, tuple[str, type, str]]] = {
    "training": {
        "--epochs": ("epochs", int, "passes over the training records (paper: 100), with --patience at most"),
        "--batch-size": ("batch_size", int, "records per optimizer step (paper: 64)"),
        "--learning-rate": ("learning_rate", float, "of the head (paper: 1e-3)"),
        "--weight-decay": ("weight_decay", float, "on every trained parameter (paper: 1e-3)"),
        "--max-grad-norm": ("max_grad_norm", float, "gradient clipping (paper: 0, none)"),
        "--schedule": ("schedule", str, "learning-rate schedule, as transformers names it (paper: constant)"),
        "--warmup-steps": ("warmup_steps", int, "of the schedule (paper: 0)"),
        "--patience": ("patience", int, "stop after N epochs without a better validation score (paper: 0, never)"),
        "--class-weights": ("class_weights", str, "of positives in the loss: none (paper), balanced or sqrt"),
        "--focal-gamma": ("focal_gamma", float, "of the focal loss (0: plain cross-entropy)"),
    },
    "frozen backbones (modes frozen and linear)": {
        "--features": ("features", str, "stored (read once, kept), or reencoded each epoch as published"),
        "--crops": ("crops", int, "random windows per training record in the feature store (2)"),
        "--feature-precision": ("feature_precision", str, "of stored features: fp16, bf16 or fp32"),
        "--solver": ("solver", str, "of a linear head on stored features: trainer (record), or lbfgs to the optimum"),
    },
    "adapters (mode lora)": {
        "--adapter": ("adapter", str, "lora, dora or ia3"),
        "--adapter-rank": ("adapter_rank", int, "of LoRA and DoRA (8)"),
        "--adapter-alpha": ("adapter_alpha", float, "scale of LoRA and DoRA, times rank (16)"),
        "--adapter-dropout": ("adapter_dropout", float, "of what enters an adapter (0)"),
    },
    "speed and memory": {
        "--accumulation": ("accumulation", int, "micro-batches per optimizer step (1); the step stays the same"),
        "--precision": ("precision", str, "auto, fp32, fp16 or bf16"),
        "--evaluation-batch-size": ("evaluation_batch_size", int, "windows per forward pass in evaluation (256)"),
    },
    "test": {
        "--tail": ("tail", str, "end of a record that fills no window in evaluation: drop (paper) or shift"),
    },
}
_METAVARS = {int: "N", float: "X", str: "NAME"}


def add_run_options(run: argparse.ArgumentParser) -> None:
    """Everything that `run` takes."""
    what = run.add_argument_group("what to run")
    what.add_argument(
        "--model",
        required=True,
        metavar="ID_OR_DIR",
        help="a model id, a converted folder, or a Hub id; A,B: a head on the features of several (frozen, linear)",
    )
    what.add_argument("--task", required=True, help="see: hf-ecg-bench list tasks")
    what.add_argument("--data", metavar="ID_OR_DIR", help="a prepared folder or dataset id (default: the task's own)")
    what.add_argument("--mode", required=True, help="finetune, finetune_attention, frozen, linear, lora or scratch")
    what.add_argument("--output-dir", type=Path, required=True, metavar="DIR")
    what.add_argument("--seed", default="0", metavar="N,...", help="of everything random (0), or several, a run each")
    what.add_argument(
        "--protocol",
        default="paper",
        help="paper (default); published: also the slips of its code; auto: learning rate and epochs by a small search",
    )

    records = run.add_argument_group("training records")
    records.add_argument(
        "--fraction",
        default="1",
        metavar="F,...",
        help="share of them, by whole patients (1): 0.5, 1/2, or several, a run each: 1,1/2,1/4",
    )
    records.add_argument(
        "--subset",
        default="nested",
        metavar="RULE",
        help="how --fraction chooses: nested (default), or published: one record per patient, validation too",
    )
    records.add_argument("--limit", type=int, default=0, metavar="N", help="so many of them, for a quick look")

    groups = {title: run.add_argument_group(title) for title in _HYPERPARAMETERS}
    for title, flags in _HYPERPARAMETERS.items():
        for flag, (name, kind, text) in flags.items():
            groups[title].add_argument(flag, dest=f"override_{name}", type=kind, metavar=_METAVARS[kind], help=text)
    training, speed, test = groups["training"], groups["speed and memory"], groups["test"]
    training.add_argument(
        "--learning-rates", metavar="X,...", help="train at each and keep the best on validation (auto: four)"
    )
    training.add_argument(
        "--layer-factors", metavar="HEAD,LATE,EARLY", help="learning-rate factors per depth (paper: 1,0.1,0.01)"
    )
    groups["adapters (mode lora)"].add_argument(
        "--merge-adapter", action="store_true", help="save the merged model, not the adapter alone"
    )
    speed.add_argument("--gradient-checkpointing", action="store_true", help="less memory for a third more time")
    speed.add_argument("--compile", action="store_true", help="torch.compile the model")
    test.add_argument("--n-resamples", type=int, default=1000, metavar="N", help="of the bootstrap (1000)")
    test.add_argument("--evaluate-on", metavar="DATA,...", help="also test the finished model on these datasets")
    test.add_argument("--perturb", metavar="NAME,...", help="also test it on perturbed signals (all, or names)")
    test.add_argument("--json", action="store_true", help="print the scores as JSON (result.json has everything)")

    unusual = run.add_argument_group("unusual")
    unusual.add_argument(
        "--preprocessing",
        default="paper",
        metavar="WAY",
        help="paper: all models fed alike (default); original: as the model's authors fed it",
    )
    unusual.add_argument(
        "--accept-unit",
        metavar="UNIT",
        help="feed signals in a unit that has no conversion to mV as they are (z: EchoNext's z-scores)",
    )
    unusual.add_argument("--fault", metavar="ID", help="repeat a published slip on purpose (hf-ecg-bench info MODEL)")
    unusual.add_argument(
        "--model-option",
        action="append",
        metavar="KEY=VALUE",
        help="a field of the model's configuration (scratch only)",
    )


def run_spec(arguments: argparse.Namespace, fraction: float, seed: int) -> RunSpec:
    """The run that the options ask for.

    Raises:
        TrainingError: text where numbers are expected.
    """
    from hf_ecg_bench.training.spec import RunSpec

    options = key_values(arguments.model_option, "--model-option")
    return RunSpec(
        model=arguments.model,
        task=arguments.task,
        mode=arguments.mode,
        output_dir=arguments.output_dir,
        data=arguments.data,
        protocol=arguments.protocol,
        overrides=_overrides(arguments),
        fraction=fraction,
        seed=seed,
        limit=arguments.limit,
        model_options={key: typed(value) for key, value in options.items()},
        n_resamples=arguments.n_resamples,
        fault=arguments.fault,
        preprocessing=arguments.preprocessing,
        accept_unit=arguments.accept_unit,
        subset=arguments.subset,
        evaluate_on=_names(arguments.evaluate_on),
        perturb=_names(arguments.perturb),
        merge_adapter=arguments.merge_adapter,
    )


def _overrides(arguments: argparse.Namespace) -> dict[str, Any]:
    names = [name for flags in _HYPERPARAMETERS.values() for name, _, _ in flags.values()]
    found = {name: getattr(arguments, f"override_{name}") for name in names}
    found = {name: value for name, value in found.items() if value is not None}
    found |= {name: True for name in ("gradient_checkpointing", "compile") if getattr(arguments, name)}
    for name, example in (("layer_factors", "1,0.1,0.01"), ("learning_rates", "1e-4,1e-3")):
        if getattr(arguments, name) is not None:
            found[name] = _numbers(getattr(arguments, name), f"--{name.replace('_', '-')}", example)
    return found


def _numbers(text: str, flag: str, example: str) -> tuple[float, ...]:
    from hf_ecg_bench.errors import TrainingError

    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError as error:
        raise TrainingError(f"{flag} {text!r}: expected numbers, as {example}") from error


def _names(text: str | None) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip()) if text else ()

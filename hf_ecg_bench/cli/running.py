"""`run` and `demo`: the main job."""

from __future__ import annotations

import argparse
import shlex
import sys
from pathlib import Path
from typing import Any

from hf_ecg_bench.cli.arguments import example, key_values, typed

_OVERRIDES = {
    # flag: (hyperparameter, type, help)
    "--epochs": ("epochs", int, "passes over the training records (paper: 100)"),
    "--batch-size": ("batch_size", int, "records per optimizer step (paper: 64)"),
    "--learning-rate": ("learning_rate", float, "of the head (paper: 1e-3)"),
    "--weight-decay": ("weight_decay", float, "on every trained parameter (paper: 1e-3)"),
    "--max-grad-norm": ("max_grad_norm", float, "gradient clipping (paper: 0, none)"),
    "--schedule": ("schedule", str, "learning-rate schedule, as transformers names it (paper: constant)"),
    "--warmup-steps": ("warmup_steps", int, "of the schedule (paper: 0)"),
    "--accumulation": ("accumulation", int, "micro-batches per optimizer step (1); the step stays the same"),
    "--evaluation-batch-size": ("evaluation_batch_size", int, "windows per forward pass in evaluation (256)"),
    "--precision": ("precision", str, "auto, fp32, fp16 or bf16"),
    "--features": ("features", str, "of a frozen backbone: stored (read once), or reencoded each epoch as published"),
    "--crops": ("crops", int, "random windows per training record in the feature store (2)"),
    "--feature-precision": ("feature_precision", str, "of stored features: fp16, bf16 or fp32"),
    "--solver": ("solver", str, "of a linear head on stored features: trainer or lbfgs"),
    "--class-weights": ("class_weights", str, "of positives in the loss: none (paper), balanced or sqrt"),
    "--focal-gamma": ("focal_gamma", float, "of the focal loss (0: plain cross-entropy)"),
    "--patience": ("patience", int, "stop after N epochs without a better validation score (paper: 0, never)"),
    "--adapter": ("adapter", str, "in mode lora: lora, dora or ia3"),
    "--adapter-rank": ("adapter_rank", int, "of LoRA and DoRA (8)"),
    "--adapter-alpha": ("adapter_alpha", float, "scale of LoRA and DoRA, times rank (16)"),
    "--adapter-dropout": ("adapter_dropout", float, "of what enters an adapter (0)"),
    "--tail": ("tail", str, "end of a record that fills no window in evaluation: drop (paper) or shift"),
}
_METAVARS = {int: "N", float: "X", str: "NAME"}


def register(verbs: Any) -> None:
    """Add the verbs to the parser."""
    run = verbs.add_parser(
        "run",
        help="train, select, test and score one model on one task",
        **example(
            "hf-ecg-bench run --model s4 --task ptbxl_super --mode scratch --output-dir runs/s4",
            "hf-ecg-bench run --model ecg-bench/ecg-founder --task ptbxl_super --data ecg-bench/ptbxl "
            "--mode linear --output-dir runs/founder",
            "accelerate launch -m hf_ecg_bench run ...   (several processes)",
        ),
    )
    run.add_argument(
        "--model",
        required=True,
        metavar="ID_OR_DIR",
        help="a model id, a converted folder, or a Hub id; A,B: a head on the features of several (frozen, linear)",
    )
    run.add_argument("--task", required=True, help="see: hf-ecg-bench list tasks")
    run.add_argument("--data", metavar="ID_OR_DIR", help="a prepared folder or dataset id (default: the task's own)")
    run.add_argument("--mode", required=True, help="finetune, finetune_attention, frozen, linear, lora or scratch")
    run.add_argument("--output-dir", type=Path, required=True)
    run.add_argument(
        "--preprocessing",
        default="paper",
        metavar="WAY",
        help="paper: all models fed alike (default); original: as the model's authors fed it",
    )
    run.add_argument(
        "--accept-unit",
        metavar="UNIT",
        help="feed signals in a unit that has no conversion to mV as they are (z: EchoNext's z-scores)",
    )
    run.add_argument(
        "--protocol",
        default="paper",
        help="paper (default); published: also the slips of its code; auto: learning rate and epochs by a small search",
    )
    for flag, (name, kind, text) in _OVERRIDES.items():
        run.add_argument(flag, dest=f"override_{name}", type=kind, metavar=_METAVARS[kind], help=text)
    run.add_argument(
        "--layer-factors", metavar="HEAD,LATE,EARLY", help="learning-rate factors per depth (paper: 1,0.1,0.01)"
    )
    run.add_argument(
        "--learning-rates", metavar="X,X,...", help="try each and keep the best on validation (auto: four)"
    )
    run.add_argument("--gradient-checkpointing", action="store_true", help="less memory for a third more time")
    run.add_argument("--compile", action="store_true", help="torch.compile the model")
    run.add_argument("--merge-adapter", action="store_true", help="mode lora: save the merged model, not the adapter")
    run.add_argument(
        "--subset",
        default="nested",
        metavar="RULE",
        help="how --fraction chooses: nested (default), or published: one record per patient, validation too",
    )
    run.add_argument("--evaluate-on", metavar="DATA,...", help="also test the finished model on these datasets")
    run.add_argument("--perturb", metavar="NAME,...", help="also test it on perturbed signals (all, or names)")
    run.add_argument(
        "--fraction",
        default="1",
        metavar="F,...",
        help="share of the training records, by whole patients (1): 0.5, 1/2, or several, a run each: 1,1/2,1/4",
    )
    run.add_argument("--seed", default="0", metavar="N,...", help="of everything random (0), or several, a run each")
    run.add_argument("--limit", type=int, default=0, metavar="N", help="training records, for a quick look")
    run.add_argument("--fault", metavar="ID", help="repeat a published slip on purpose (hf-ecg-bench info MODEL)")
    run.add_argument("--n-resamples", type=int, default=1000, metavar="N", help="of the bootstrap (1000)")
    run.add_argument(
        "--model-option",
        action="append",
        metavar="KEY=VALUE",
        help="a field of the model's configuration (scratch only)",
    )
    run.add_argument("--json", action="store_true", help="print the scores as JSON (result.json has everything)")
    run.set_defaults(handler=_run)

    demo = verbs.add_parser(
        "demo",
        help="the main job on the embedded data, then the report",
        **example("hf-ecg-bench demo", "hf-ecg-bench demo --output-dir first-look"),
    )
    demo.add_argument("--output-dir", type=Path, default=Path("demo"), help="default: ./demo")
    demo.set_defaults(handler=_demo)


def _run(arguments: argparse.Namespace) -> int:
    from hf_ecg_bench.cli import sweeping
    from hf_ecg_bench.cli.results import print_score
    from hf_ecg_bench.errors import TrainingError
    from hf_ecg_bench.training.processes import is_main, leave
    from hf_ecg_bench.training.run import run
    from hf_ecg_bench.training.spec import RunSpec

    overrides = {name: getattr(arguments, f"override_{name}") for name, _, _ in _OVERRIDES.values()}
    overrides = {name: value for name, value in overrides.items() if value is not None}
    if arguments.layer_factors is not None:
        try:
            head, late, early = (float(part) for part in arguments.layer_factors.split(","))
        except ValueError as error:
            raise TrainingError(
                f"--layer-factors {arguments.layer_factors!r}: expected three numbers, as 1,0.1,0.01"
            ) from error
        overrides["layer_factors"] = (head, late, early)
    if arguments.learning_rates is not None:
        try:
            overrides["learning_rates"] = tuple(float(part) for part in arguments.learning_rates.split(","))
        except ValueError as error:
            raise TrainingError(
                f"--learning-rates {arguments.learning_rates!r}: expected numbers, as 1e-4,1e-3"
            ) from error
    overrides |= {name: True for name in ("gradient_checkpointing", "compile") if getattr(arguments, name)}
    options = key_values(arguments.model_option, "--model-option")
    fractions, seeds = sweeping.fractions(arguments.fraction), sweeping.seeds(arguments.seed)
    command = shlex.join(["hf-ecg-bench", *sys.argv[1:]])
    spec = RunSpec(
        model=arguments.model,
        task=arguments.task,
        mode=arguments.mode,
        output_dir=arguments.output_dir,
        data=arguments.data,
        protocol=arguments.protocol,
        overrides=overrides,
        fraction=fractions[0],
        seed=seeds[0],
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
    if len(fractions) * len(seeds) > 1:
        return sweeping.run_sweep(spec, fractions, seeds, command=command, as_json=arguments.json)
    result = run(spec, command=command)
    leave()
    if not is_main():  # one process of a launch speaks for all
        return 0
    print_score(result.metrics, as_json=arguments.json)
    fitted = ", ".join(
        f"{name} {value:.4f}" for name, value in result.selection["training"].items() if name != "records"
    )
    print(f"best epoch: {result.selection['best_epoch']}; on its own training records: {fitted}", file=sys.stderr)
    for warning in result.warnings:
        print(f"note: {warning}", file=sys.stderr)
    print(f"result: {arguments.output_dir}\nreport: hf-ecg-bench report {arguments.output_dir}", file=sys.stderr)
    return 0


def _names(text: str | None) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip()) if text else ()


def _demo(arguments: argparse.Namespace) -> None:
    from hf_ecg_bench.cli.demo import demo

    print(f"report: {demo(arguments.output_dir)}")

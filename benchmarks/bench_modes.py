"""The mode x model grid, every cell a real run; and what adapters cost in trained numbers and file size.

    python benchmarks/bench_modes.py [--tiny] [--data FOLDER --task ID] [--models ...] [--modes ...] [--json]
    python benchmarks/bench_modes.py --adapters [--json]

Without --data the embedded synthetic records. A cell is macro AUROC [95 % interval] over the test records, and seconds
of wall time. The "pretrained" weights of the grid are RANDOM (seed 0, saved as a folder, then adapted as public weights
would be): it shows that every mode runs on every model and what it costs, not which model is better. `--pretrained`
takes the public weights instead, where they are here or can be fetched. `-`: the baselines have no weights to adapt.
A cell that fails says why and does not stop the others.

Real records: hf-ecg-bench prepare ptbxl --raw-dir RAW --output-dir ecg-bench/ptbxl, then
    python benchmarks/bench_modes.py --data ecg-bench/ptbxl --task ptbxl_super
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
import traceback
from pathlib import Path
from typing import Any

from hf_ecg_bench.data.prepare import prepare
from hf_ecg_bench.errors import ContractError
from hf_ecg_bench.models.registry import get_model_spec, list_models, model_class
from hf_ecg_bench.training.modes import MODES
from hf_ecg_bench.training.run import run
from hf_ecg_bench.training.spec import RunSpec

_TITLES = {"finetune": "finetune", "finetune_attention": "ft_attention"}


def grid(arguments: argparse.Namespace, folder: Path) -> list[dict[str, Any]]:
    """One entry per cell."""
    data = arguments.data or _synthetic(folder)
    cells = []
    for model in arguments.models:
        for mode in arguments.modes:
            if MODES[mode].pretrained and not get_model_spec(model).pretrained:
                cells.append({"model": model, "mode": mode, "status": "-"})
                continue
            cells.append(cell(model, mode, data, folder, arguments))
            print(f"{model:12} {mode:19} {shown(cells[-1])}", file=sys.stderr, flush=True)
    return cells


def cell(model: str, mode: str, data: str, folder: Path, arguments: argparse.Namespace) -> dict[str, Any]:
    """Run it; an error becomes part of the answer."""
    started = time.perf_counter()
    entry: dict[str, Any] = {"model": model, "mode": mode}
    try:
        tiny = tiny_options(model) if arguments.tiny else {}
        scratch = not MODES[mode].pretrained
        spec = RunSpec(
            model=model if scratch or arguments.pretrained else str(backbone(model, tiny, folder)),
            task=arguments.task,
            mode=mode,
            output_dir=folder / "runs" / f"{model}-{mode}",
            data=str(data),
            overrides={"epochs": arguments.epochs, "batch_size": arguments.batch_size},
            model_options=tiny if scratch else {},
            limit=arguments.limit,
            n_resamples=arguments.n_resamples,
        )
        score = run(spec, lambda line: None).metrics["metrics"]["macro_auroc"]
    except Exception as error:  # whatever it is, the other cells are still wanted
        traceback.print_exc()
        return {**entry, "status": "failed", "error": f"{type(error).__name__}: {error}"}
    seconds = time.perf_counter() - started
    return {**entry, "status": "ok", **{k: score[k] for k in ("value", "low", "high")}, "seconds": seconds}


def tiny_options(model: str) -> dict[str, Any]:
    """The model's tiny configuration, with a shorter window where it does not take the protocol's."""
    spec = get_model_spec(model)
    config = model_class(model, "Config")(**spec.tiny)
    try:
        config.check_length(round(config.window_seconds * config.sampling_rate))
    except ContractError:
        return {**spec.tiny, "window_seconds": (config.fixed_length or spec.tiny_samples) / config.sampling_rate}
    return dict(spec.tiny)


def backbone(model: str, options: dict[str, Any], folder: Path) -> Path:
    """A folder with random weights, as `convert` would write one, made once per model."""
    from hf_ecg_bench.models.loading import load_model
    from hf_ecg_bench.models.saving import save_model

    target = folder / "backbones" / model
    if not target.exists():
        save_model(load_model(model, pretrained=False, seed=0, **options), target)
    return target


def _synthetic(folder: Path) -> str:
    target = folder / "ecg-bench" / "synthetic"
    prepare("synthetic", raw_dir=None, output_dir=target, options={"n_records": "320"})
    return str(target)


def shown(entry: dict[str, Any]) -> str:
    """A cell as text."""
    if entry["status"] == "ok":
        return f"{entry['value']:.3f} [{entry['low']:.3f}, {entry['high']:.3f}] {entry['seconds']:.1f} s"
    return entry["status"]


def print_grid(cells: list[dict[str, Any]], arguments: argparse.Namespace) -> None:
    """Models down, modes across."""
    from hf_ecg_bench.cli.printing import print_table

    found = {(entry["model"], entry["mode"]): shown(entry) for entry in cells}
    print_table(
        ["model", *(_TITLES.get(mode, mode) for mode in arguments.modes)],
        [[model, *(found[model, mode] for mode in arguments.modes)] for model in arguments.models],
    )
    ok = sum(entry["status"] == "ok" for entry in cells)
    failed = [entry for entry in cells if entry["status"] == "failed"]
    weights = "public" if arguments.pretrained else "RANDOM (there is nothing to learn about the models here)"
    size = "tiny" if arguments.tiny else "full-size"
    print(
        f"{ok} cells ran, {len(failed)} failed; {arguments.task}, {arguments.epochs} epochs of batches of "
        f"{arguments.batch_size}, {size} models; weights that are adapted: {weights}"
    )
    for entry in failed:
        print(f"failed: {entry['model']} {entry['mode']}: {entry['error']}")


def adapters(arguments: argparse.Namespace, folder: Path) -> list[dict[str, Any]]:
    """Trained numbers, their share and the folder's weights in MiB, per model and kind; nothing is trained."""
    from hf_ecg_bench.errors import EcgBenchError
    from hf_ecg_bench.models.adapters.adding import KINDS, add_adapter, trained_parameters
    from hf_ecg_bench.models.adapters.folders import ADAPTER_WEIGHTS, Base
    from hf_ecg_bench.models.loading import load_model
    from hf_ecg_bench.models.saving import save_adapter

    rows = []
    for model in arguments.models:
        tiny = dict(get_model_spec(model).tiny) if arguments.tiny else {}
        for kind in KINDS:
            classifier = load_model(
                model, pretrained=False, seed=0, target_names=[f"t{i}" for i in range(arguments.targets)], **tiny
            )
            try:
                wrapped = add_adapter(classifier, kind, rank=arguments.rank)
            except EcgBenchError as error:
                rows.append({"model": model, "kind": kind, "status": error.message})
                continue
            written = save_adapter(wrapped, folder / "adapters" / f"{model}-{kind}", Base("none", "0" * 64))
            size = (written / ADAPTER_WEIGHTS).stat().st_size
            rows.append({"model": model, "kind": kind, "status": "ok", "bytes": size, **trained_parameters(wrapped)})
    return rows


def print_adapters(rows: list[dict[str, Any]], arguments: argparse.Namespace) -> None:
    """One line per model and kind."""
    from hf_ecg_bench.cli.printing import print_table

    print_table(
        ["model", "kind", "trained", "of", "share", "MiB", "whole MiB"],
        [[row["model"], row["kind"], *_numbers(row)] for row in rows],
    )
    print(f"rank {arguments.rank}, a linear head of {arguments.targets} targets included in what is trained")


def _numbers(row: dict[str, Any]) -> list[str]:
    if row["status"] != "ok":
        return [row["status"], "", "", "", ""]
    sizes = [f"{row['bytes'] / 2**20:.3f}", f"{4 * row['total'] / 2**20:.1f}"]
    return [f"{row['trained']:,}", f"{row['total']:,}", f"{row['share']:.3%}", *sizes]


def main() -> int:
    """Print the table; 1 where a cell failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", nargs="+", default=list_models(), choices=list_models())
    parser.add_argument("--modes", nargs="+", default=list(MODES), choices=list(MODES))
    parser.add_argument("--data", help="a prepared folder (default: embedded synthetic records)")
    parser.add_argument("--task", default="synthetic")
    parser.add_argument("--tiny", action="store_true", help="the models' tiny configurations")
    parser.add_argument("--pretrained", action="store_true", help="public weights, not random ones")
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--limit", type=int, default=0, help="training records (0: all)")
    parser.add_argument("--n-resamples", type=int, default=200)
    parser.add_argument("--adapters", action="store_true", help="size of adapters instead of the grid")
    parser.add_argument("--rank", type=int, default=8)
    parser.add_argument("--targets", type=int, default=5)
    parser.add_argument("--output-dir", type=Path, help="keep the runs there; finished cells are not run again")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.output_dir or Path(temporary)
        entries = adapters(arguments, folder) if arguments.adapters else grid(arguments, folder)
    if arguments.json:
        print(json.dumps(entries, indent=2))
    else:
        (print_adapters if arguments.adapters else print_grid)(entries, arguments)
    return int(any(entry["status"] == "failed" for entry in entries))


if __name__ == "__main__":
    sys.exit(main())

"""Head training on stored features against re-encoding every epoch: time and AUROC.

    python benchmarks/bench_features.py [--model ecg_founder] [--mode linear] [--crops 0 1 2] [--records 640]
        [--raw-dir PTBXL] [--epochs 100] [--encoded-epochs 2] [--full] [--json]

The model has random weights, as public ones may not be here: that changes the AUROC, not the time. On stored features
everything is measured: computing and writing them, all epochs, selection and test. Re-encoding is measured for
`--encoded-epochs` and multiplied (`--full`: for all epochs); the AUROCs compared are of runs of the same number of
epochs. `ideal` is the ratio if a head cost nothing: windows encoded by the one over windows encoded by the other.
The aim is 20 times for 100 epochs and up to 2 crops, on records of four windows. On few records a step's and a
checkpoint's own cost weighs more than on whole datasets: the ratio rises towards the ideal with their number.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path
from typing import Any

import torch

from hf_ecg_bench.cli.printing import interval, print_json
from hf_ecg_bench.data.prepare import prepare
from hf_ecg_bench.features.size import human
from hf_ecg_bench.models.loading import load_model
from hf_ecg_bench.models.registry import get_model_spec, list_models
from hf_ecg_bench.models.saving import save_model
from hf_ecg_bench.progress import quiet_libraries
from hf_ecg_bench.results.schema import Result
from hf_ecg_bench.training.run import run
from hf_ecg_bench.training.spec import RunSpec


def timed(spec: RunSpec, label: str) -> tuple[Result, dict[str, float]]:
    """A finished run and the wall seconds of its phases."""
    print(f"# {label}", flush=True)
    result = run(spec, lambda line: None)
    return result, {name: phase["wall"] for name, phase in result.cost["phases"].items()}


def measure(model: Path, data: Path, task: str, arguments: argparse.Namespace, folder: Path) -> list[dict[str, Any]]:
    """One row for each number of crops on one dataset."""

    def spec(name: str, epochs: int, **overrides: Any) -> RunSpec:
        return RunSpec(
            model=str(model), task=task, mode=arguments.mode, output_dir=folder / name, data=str(data), examples=0,
            overrides={"epochs": epochs, "batch_size": arguments.batch_size, **overrides},
        )  # fmt: skip

    some = arguments.epochs if arguments.full else min(arguments.encoded_epochs, arguments.epochs)
    encoded, phases = timed(spec("encoded", some, features="reencoded"), f"{data.name}: re-encoding, {some} epochs")
    per_epoch = (phases["train"] + phases["validation"]) / some
    # The phase `features` builds the model, too; both sides count it.
    encoding = phases["features"] + per_epoch * arguments.epochs + phases["test"] + phases["fitted"]
    rows = []
    for crops in arguments.crops:
        os.environ["HF_ECG_BENCH_CACHE"] = str(folder / f"cache-{crops}")  # an empty store for each
        name = f"{data.name}: {crops} crops, {{}} epochs"
        stored, spent = timed(spec(f"stored-{crops}", arguments.epochs, crops=crops), name.format(arguments.epochs))
        short = stored
        if some != arguments.epochs:
            short, _ = timed(spec(f"short-{crops}", some, crops=crops), name.format(some) + ", for the AUROC")
        storing = spent["features"]
        head = sum(spent[phase] for phase in ("train", "validation", "test", "fitted"))
        windows = windows_of(stored, get_model_spec(arguments.model).window_seconds)
        ideal = (windows["epoch"] * arguments.epochs + windows["once"]) / stored.features["extracted"]
        rows.append(
            {
                "data": data.name, "model": arguments.model, "mode": arguments.mode, "crops": crops,
                "records": stored.dataset["records"], "epochs": arguments.epochs,
                "windows_stored": stored.features["extracted"], "bytes": stored.features["bytes"],
                "seconds_storing": storing, "seconds_head": head, "seconds_stored": storing + head,
                "seconds_encoding": encoding, "encoded_epochs_measured": some,
                "ratio": encoding / (storing + head), "ideal": ideal,
                "auroc_epochs": some, "auroc_encoded": encoded.metrics["metrics"]["macro_auroc"],
                "auroc_stored": short.metrics["metrics"]["macro_auroc"],
                "auroc_stored_all_epochs": stored.metrics["metrics"]["macro_auroc"],
            }
        )  # fmt: skip
    return rows


def windows_of(result: Result, seconds: float) -> dict[str, float]:
    """Windows that re-encoding encodes: in each epoch, and once in the end (records of 10 s)."""
    records, per_record = result.dataset["records"], max(1, int(10 / seconds + 1e-6))
    return {
        "epoch": records["train"] + records["validation"] * per_record,
        "once": (records["test"] + min(2000, records["train"])) * per_record,
    }


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="ecg_founder", choices=list_models())
    parser.add_argument("--mode", default="linear", choices=["linear", "frozen"])
    parser.add_argument("--crops", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--records", type=int, default=640, help="of the embedded data; 0: leave it out")
    parser.add_argument("--raw-dir", type=Path, help="also on PTB-XL as published")
    parser.add_argument("--epochs", type=int, default=100)
    parser.add_argument("--encoded-epochs", type=int, default=2, help="of re-encoding that are measured")
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--full", action="store_true", help="measure re-encoding for all epochs")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    quiet_libraries()
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="bench-features-") as name:
        folder = Path(name)
        model = save_model(load_model(arguments.model, pretrained=False, seed=0), folder / "model")
        sources: list[tuple[str, str, Path | None, dict[str, str]]] = []
        if arguments.records:
            sources.append(("synthetic", "synthetic", None, {"n_records": str(arguments.records)}))
        if arguments.raw_dir:
            sources.append(("ptbxl", "ptbxl_super", arguments.raw_dir, {}))
        for dataset, task, raw, options in sources:
            data = folder / "ecg-bench" / dataset
            prepare(dataset, raw_dir=raw, output_dir=data, options=options)
            rows += measure(model, data, task, arguments, folder / dataset)
    if arguments.json:
        print_json(rows)
        return
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else f"CPU, {torch.get_num_threads()} threads"
    print(f"{arguments.model}, {arguments.mode}, {arguments.epochs} epochs, {device}, torch {torch.__version__}")
    print(
        "data       crops  windows      size   storing      head   re-encoding  ratio  ideal  AUROC stored; re-encoded"
    )
    for row in rows:
        print(
            f"{row['data']:10} {row['crops']:5} {row['windows_stored']:8} {human(row['bytes']):>9} "
            f"{row['seconds_storing']:7.1f} s {row['seconds_head']:7.1f} s {row['seconds_encoding']:11.0f} s "
            f"{row['ratio']:6.1f} {row['ideal']:6.1f}  {interval(row['auroc_stored'], 3)}; "
            f"{interval(row['auroc_encoded'], 3)}"
        )
    some = rows[0]["encoded_epochs_measured"]
    print(f"re-encoding: {some} epochs measured, multiplied; AUROCs after {some} epochs each")


if __name__ == "__main__":
    main()

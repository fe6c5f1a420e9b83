"""`embed`: recordings in, a Parquet file of embeddings out."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from hf_ecg_bench.cli.arguments import example

_SHOWN_FAILURES = 20
SOME_FAILED = 2


def register(verbs: Any) -> None:
    """Add the verb to the parser."""
    embed = verbs.add_parser(
        "embed",
        help="turn recordings into vectors with a pretrained model, as a Parquet file",
        **example(
            "hf-ecg-bench embed --model ecg_founder --input records/ --output embeddings.parquet",
            "hf-ecg-bench embed --model ecg_cpc --input ecg-bench/ptbxl --output ptbxl.parquet --per-window",
        ),
    )
    embed.add_argument("--model", required=True, metavar="ID_OR_DIR", help="model id, folder or Hub id")
    embed.add_argument(
        "--input",
        required=True,
        nargs="+",
        metavar="WHAT",
        help="WFDB records, folders of them, or prepared datasets",
    )
    embed.add_argument("--output", type=Path, required=True, metavar="FILE", help="the Parquet file")
    embed.add_argument(
        "--pooling",
        choices=["model", "mean", "max"],
        default="model",
        help="of a window's tokens (default: the model's own)",
    )
    embed.add_argument(
        "--preprocessing", choices=["paper", "original"], help="how the signal is prepared (default: the folder's way)"
    )
    embed.add_argument("--per-window", action="store_true", help="a row for each window, not for each record")
    embed.add_argument(
        "--any-leads", action="store_true", help="take records whose limb leads contradict each other, too"
    )
    embed.add_argument("--batch-size", type=int, default=32, metavar="N", help="windows at a time (default 32)")
    embed.add_argument("--device", help="cpu, cuda, ... (default: a GPU where there is one)")
    embed.add_argument("--json", action="store_true", help="print what was done as JSON")
    embed.set_defaults(handler=_embed)


def _embed(arguments: argparse.Namespace) -> int:
    from dataclasses import asdict

    from hf_ecg_bench.cli.printing import print_json
    from hf_ecg_bench.embedding.embedder import Embedder
    from hf_ecg_bench.embedding.inputs import recordings
    from hf_ecg_bench.embedding.run import embed_records
    from hf_ecg_bench.progress import quiet_libraries

    quiet_libraries()
    inputs = recordings(arguments.input, check_leads=not arguments.any_leads)
    embedder = Embedder(
        arguments.model,
        preprocessing=arguments.preprocessing,
        pooling=arguments.pooling,
        batch_size=arguments.batch_size,
        device=arguments.device,
    )
    report = embed_records(embedder, inputs, arguments.output, per_window=arguments.per_window)
    if arguments.json:
        print_json(asdict(report))
    else:
        facts = report.facts
        print(
            f"{report.records} records, {report.windows} windows of {facts['window_seconds']:g} s at "
            f"{facts['sampling_rate']:g} Hz, vectors of {facts['width']}: {report.output}"
        )
    for _, why in report.failures[:_SHOWN_FAILURES]:
        print(f"left out: {why}", file=sys.stderr)
    if len(report.failures) > _SHOWN_FAILURES:
        print(f"... and {len(report.failures) - _SHOWN_FAILURES} more", file=sys.stderr)
    if report.failures:
        print(f"{len(report.failures)} records were left out, {report.records} embedded", file=sys.stderr)
    return SOME_FAILED if report.failures else 0

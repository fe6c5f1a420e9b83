"""`convert`: a model's public checkpoint into a folder that the Auto classes load."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from hf_ecg_bench.cli.arguments import example


def register(verbs: Any) -> None:
    """Add the verb to the parser."""
    convert = verbs.add_parser(
        "convert",
        help="turn a model's public checkpoint into a folder that the Auto classes load",
        **example(
            "hf-ecg-bench convert ecg_jepa --checkpoint multiblock_epoch100.pth",
            "hf-ecg-bench convert ecg_founder --checkpoint 12_lead_ECGFounder.pth --output-dir ecg-bench/ecg-founder",
        ),
    )
    convert.add_argument("model", metavar="MODEL", help="see: hf-ecg-bench list models")
    convert.add_argument("--checkpoint", type=Path, required=True, metavar="FILE")
    convert.add_argument(
        "--output-dir", type=Path, help="default: the cache of converted models, where the model's name finds it"
    )
    convert.add_argument(
        "--preprocessing",
        default="paper",
        metavar="WAY",
        help="what the folder's feature extractor does: paper (default), or original, the authors' own",
    )
    convert.add_argument("--push-to-hub", nargs="?", const="", metavar="REPO", help="push afterwards")
    convert.add_argument("--json", action="store_true", help="print the report as JSON")
    convert.set_defaults(handler=_convert)


def _convert(arguments: argparse.Namespace) -> None:
    from hf_ecg_bench.cli.printing import print_json
    from hf_ecg_bench.errors import EcgBenchError
    from hf_ecg_bench.models.convert import convert
    from hf_ecg_bench.models.resolve import convert_into_cache
    from hf_ecg_bench.progress import quiet_libraries

    quiet_libraries()
    if arguments.output_dir is None:
        if arguments.preprocessing != "paper":
            raise EcgBenchError(
                "the cache holds each model once; its preprocessing is chosen where it is loaded",
                fix=f"--output-dir DIR, or later: run --preprocessing {arguments.preprocessing}",
            )
        entry = convert_into_cache(arguments.model, arguments.checkpoint, f"the local file {arguments.checkpoint.name}")
        folder, values, text = entry.folder, entry.report, f"{entry.description}\nwritten to {entry.folder}"
    else:
        report = convert(
            arguments.model, arguments.checkpoint, arguments.output_dir, preprocessing=arguments.preprocessing
        )
        folder, values, text = arguments.output_dir, report.to_dict(), report.describe()
    if arguments.json:
        print_json(values)
    else:
        print(text)
    if arguments.push_to_hub is not None:
        from hf_ecg_bench.hub import push_folder

        print("pushed:", push_folder("model", folder, arguments.push_to_hub or None), file=sys.stderr)

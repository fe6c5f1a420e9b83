"""`merge`: adapters and the weights below them into a plain model."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from hf_ecg_bench.cli.arguments import example


def register(verbs: Any) -> None:
    """Add the verb to the parser."""
    merge = verbs.add_parser(
        "merge",
        help="put a run's adapters into the weights: a plain model folder",
        **example(
            "hf-ecg-bench merge runs/founder-lora --output-dir founder-ptbxl",
            "hf-ecg-bench merge me/founder-lora --base ecg-bench/ecg-founder --output-dir founder-ptbxl",
        ),
    )
    merge.add_argument("source", metavar="RUN_OR_ADAPTER", help="a run of mode lora, its model folder, or a Hub id")
    merge.add_argument("--output-dir", type=Path, required=True, metavar="DIR")
    merge.add_argument(
        "--base", metavar="ID_OR_DIR", help="the weights that they were trained on (default: where they say)"
    )
    merge.add_argument("--json", action="store_true", help="print what was done as JSON")
    merge.set_defaults(handler=_merge)


def _merge(arguments: argparse.Namespace) -> None:
    from hf_ecg_bench.cli.printing import print_json
    from hf_ecg_bench.models.adapters.merging import merge_folder
    from hf_ecg_bench.progress import quiet_libraries

    quiet_libraries()
    done = merge_folder(arguments.source, arguments.output_dir, arguments.base)
    adapter = done.adapter
    if arguments.json:
        print_json(
            {
                "kind": adapter.kind,
                "base": adapter.base.name,
                "base_digest": adapter.base.digest,
                "targets": adapter.targets,
                "parameters": done.parameters,
                "output_dir": done.folder,
            }
        )
    else:
        print(
            f"{adapter.kind} adapters of {adapter.folder} merged into {adapter.base.name}: "
            f"{done.parameters:,} parameters, {len(adapter.targets)} targets: {done.folder}"
        )

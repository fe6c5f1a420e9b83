"""`prepare`: a dataset's original files into Parquet with a card."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from hf_ecg_bench.cli.arguments import example, key_values


def register(verbs: Any) -> None:
    """Add the verb to the parser."""
    prepare = verbs.add_parser(
        "prepare",
        help="turn a dataset's original files into a folder that load_dataset reads",
        **example(
            "hf-ecg-bench prepare ptbxl --raw-dir ptb-xl-1.0.3 --output-dir ecg-bench/ptbxl",
            "hf-ecg-bench prepare synthetic --output-dir ecg-bench/synthetic --option n_records=500",
        ),
    )
    prepare.add_argument("dataset", metavar="DATASET", help="see: hf-ecg-bench list datasets")
    prepare.add_argument("--raw-dir", type=Path, help="folder with the original files")
    prepare.add_argument("--output-dir", type=Path, required=True, help="the dataset folder itself")
    prepare.add_argument(
        "--option", action="append", metavar="KEY=VALUE", help="a field of the builder's configuration"
    )
    prepare.add_argument("--num-proc", type=int, default=1, metavar="N", help="processes (default 1)")
    prepare.add_argument("--limit", type=int, metavar="N", help="at most N records, for a quick look")
    prepare.add_argument(
        "--metadata-only",
        action="store_true",
        help="labels and folds from tables and headers alone, without signals; prints the counts",
    )
    prepare.add_argument("--strict", action="store_true", help="stop at the first record that would be left out")
    prepare.add_argument(
        "--push-to-hub",
        nargs="?",
        const="",
        metavar="REPO",
        help="push afterwards; a complete build with default options has a default repo: ecg-bench/DATASET",
    )
    prepare.add_argument("--json", action="store_true", help="print the ledger as JSON")
    prepare.set_defaults(handler=_prepare)


def _prepare(arguments: argparse.Namespace) -> None:
    from hf_ecg_bench.cli.printing import print_json
    from hf_ecg_bench.data.prepare import prepare
    from hf_ecg_bench.progress import quiet_libraries

    quiet_libraries()
    ledger = prepare(
        arguments.dataset,
        raw_dir=arguments.raw_dir,
        output_dir=arguments.output_dir,
        options=key_values(arguments.option, "--option"),
        num_proc=arguments.num_proc,
        limit=arguments.limit,
        metadata_only=arguments.metadata_only,
        strict=arguments.strict,
    )
    if arguments.json:
        print_json(ledger.to_json())
    else:
        print(ledger.describe())
        if arguments.metadata_only:
            print(ledger.describe_labels())
        print(f'load it: datasets.load_dataset("{arguments.output_dir}")')
    if arguments.push_to_hub is not None:
        from hf_ecg_bench.hub import push_folder

        print("pushed:", push_folder("dataset", arguments.output_dir, arguments.push_to_hub or None), file=sys.stderr)

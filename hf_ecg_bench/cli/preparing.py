"""`prepare`: a dataset's original files into Parquet with a card."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hf_ecg_bench.cli.arguments import example, key_values
from hf_ecg_bench.errors import EcgBenchError

if TYPE_CHECKING:
    from hf_ecg_bench.data.spec import DatasetSpec


def register(verbs: Any) -> None:
    """Add the verb to the parser."""
    prepare = verbs.add_parser(
        "prepare",
        help="turn a dataset's original files into a folder that load_dataset reads",
        **example(
            "hf-ecg-bench prepare ptbxl --raw-dir ptb-xl-1.0.3 --output-dir ecg-bench/ptbxl",
            "hf-ecg-bench prepare ptbxl --download --output-dir ecg-bench/ptbxl",
            "hf-ecg-bench prepare synthetic --output-dir ecg-bench/synthetic --option n_records=500",
        ),
    )
    prepare.add_argument("dataset", metavar="DATASET", help="see: hf-ecg-bench list datasets")
    prepare.add_argument("--raw-dir", type=Path, help="folder with the original files")
    prepare.add_argument("--output-dir", type=Path, required=True, help="the dataset folder itself")
    _add_download(prepare)
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


def _add_download(prepare: argparse.ArgumentParser) -> None:
    group = prepare.add_argument_group("original files of open datasets")
    group.add_argument(
        "--download",
        action="store_true",
        help="fetch those that are missing from where they are published, into --raw-dir (default: OUTPUT_DIR-raw); "
        "stopped, the same command goes on",
    )
    group.add_argument("--connections", type=int, metavar="N", help="files fetched at a time (default 4)")
    group.add_argument(
        "--keep-archives", action="store_true", help="do not remove fetched archives after unpacking them"
    )
    group.add_argument(
        "--verify-download",
        action="store_true",
        help="ask the hosts and compute all checksums again (removed archives are fetched for it); what differs from "
        "what is published is replaced",
    )


def _prepare(arguments: argparse.Namespace) -> None:
    from hf_ecg_bench.cli.printing import print_json
    from hf_ecg_bench.data.access import refuse_sharing
    from hf_ecg_bench.data.options import parse_options
    from hf_ecg_bench.data.prepare import prepare
    from hf_ecg_bench.data.registry import get_builder
    from hf_ecg_bench.progress import quiet_libraries

    quiet_libraries()
    builder = get_builder(arguments.dataset)
    # What is known to be wrong is said before anything is fetched or built.
    if arguments.push_to_hub is not None:
        refuse_sharing(builder.SPEC.id, builder.SPEC.access)
    options = key_values(arguments.option, "--option")
    parse_options(builder.BUILDER_CONFIG_CLASS, options)
    ledger = prepare(
        arguments.dataset,
        raw_dir=_raw_dir(arguments),
        output_dir=arguments.output_dir,
        options=options,
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
            print(ledger.describe_labels(_meanings(builder.SPEC)))
        without = " (no signals)" if arguments.metadata_only else ""
        print(f'load it: datasets.load_dataset("{arguments.output_dir}"){without}')
    if arguments.push_to_hub is not None:
        from hf_ecg_bench.hub import push_folder

        print("pushed:", push_folder("dataset", arguments.output_dir, arguments.push_to_hub or None), file=sys.stderr)


def _meanings(spec: DatasetSpec) -> dict[str, dict[str, str]]:
    """Label column -> class -> what it stands for; of columns where every class has a meaning, as in the card."""
    from hf_ecg_bench.data.label_notes import label_notes

    meanings = {
        column: {name: note["meaning"] for name, note in notes.items()} for column, notes in label_notes(spec).items()
    }
    return {
        column: {name: meaning for name, meaning in known.items() if meaning.lower() != name.lower()}
        for column, known in meanings.items()
        if all(known.get(name) for name in spec.label_columns[column])
    }


def _raw_dir(arguments: argparse.Namespace) -> Path | None:
    """The folder of original files, after fetching what is missing where that was asked for."""
    folder: Path | None = arguments.raw_dir
    if not arguments.download:
        for name in ("connections", "keep_archives", "verify_download"):
            if getattr(arguments, name):
                raise EcgBenchError(f"--{name.replace('_', '-')} is about downloads", fix="add --download")
        return folder
    from hf_ecg_bench.downloads.originals import CONNECTIONS, download

    folder = folder or arguments.output_dir.with_name(f"{arguments.output_dir.name}-raw")
    command = f"hf-ecg-bench prepare {arguments.dataset} --download --raw-dir {folder}"
    done = download(
        arguments.dataset,
        folder,
        connections=CONNECTIONS if arguments.connections is None else arguments.connections,
        metadata_only=arguments.metadata_only,
        keep_archives=arguments.keep_archives,
        verify=arguments.verify_download,
        command=f"{command} --output-dir {arguments.output_dir}",
    )
    print(done.describe(), file=sys.stderr)
    return folder

"""`verify` and `overlap`: whether prepared datasets are sound, equal, or share recordings."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from hf_ecg_bench.cli.arguments import example

# Differences are found, not made by the user; but a script must be able to stop at them, and 1 means a fault of the
# program.
DIFFERENT = 2


def register(verbs: Any) -> None:
    """Add the verbs to the parser."""
    verify = verbs.add_parser(
        "verify",
        help="check a prepared dataset against its digests, or compare two builds",
        description="Compute all digests, counts and fingerprints of a prepared dataset again from its rows. With two "
        "folders, also compare them and name the first record that differs. Exit code 0: sound and equal; 2: not.",
        **example(
            "hf-ecg-bench verify ecg-bench/ptbxl",
            "hf-ecg-bench verify ecg-bench/ptbxl colleague/ptbxl",
        ),
    )
    verify.add_argument("folder", type=Path, metavar="DIR", help="output folder of prepare")
    verify.add_argument("other", type=Path, metavar="OTHER", nargs="?", help="another build to compare with")
    verify.add_argument(
        "--quick", action="store_true", help="with OTHER: trust the fingerprints that were kept, do not read all rows"
    )
    verify.add_argument("--json", action="store_true", help="print the findings as JSON")
    verify.set_defaults(handler=_verify)

    overlap = verbs.add_parser(
        "overlap",
        help="find recordings that several prepared datasets share",
        **example("hf-ecg-bench overlap ecg-bench/ptbxl ecg-bench/georgia ecg-bench/ptb --output overlaps.json"),
    )
    overlap.add_argument("folders", type=Path, metavar="DIR", nargs="+", help="output folders of prepare")
    overlap.add_argument(
        "--output", type=Path, metavar="FILE", help="write the record of all shared recordings as JSON"
    )
    overlap.add_argument("--json", action="store_true", help="print that record")
    overlap.set_defaults(handler=_overlap)


def _verify(arguments: argparse.Namespace) -> int:
    from hf_ecg_bench.cli.printing import print_json
    from hf_ecg_bench.data.compare import compare_folders
    from hf_ecg_bench.data.folder_rows import PreparedFolder
    from hf_ecg_bench.data.verify import verify_folder
    from hf_ecg_bench.errors import EcgBenchError

    folders = [PreparedFolder.open(path) for path in (arguments.folder, arguments.other) if path is not None]
    two = len(folders) == 2
    if arguments.quick and not two:
        raise EcgBenchError("--quick is about comparing two folders", fix="give a second folder, or leave it out")
    checks = [] if arguments.quick else [verify_folder(folder, keep_fingerprints=two) for folder in folders]
    comparison = None
    if two:
        # Of a folder with an unreadable shard not all fingerprints can be made again.
        whole = checks and all(len(check.fingerprints) == len(check.folder.shards) for check in checks)
        tables = (checks[0].fingerprints, checks[1].fingerprints) if whole else None
        comparison = compare_folders(folders[0], folders[1], tables)
        comparison.from_rows = tables is not None
    good = all(not check.n_problems for check in checks) and (comparison is None or comparison.equal)
    if arguments.json:
        found = {"folders": [check.to_dict() for check in checks]}
        print_json(
            {"sound_and_equal": good, **found, "comparison": None if comparison is None else comparison.to_dict()}
        )
    else:
        texts = [check.describe() for check in checks]
        print("\n".join([*texts, *([] if comparison is None else [comparison.describe()])]))
    return 0 if good else DIFFERENT


def _overlap(arguments: argparse.Namespace) -> None:
    from hf_ecg_bench.cli.printing import print_json, print_table
    from hf_ecg_bench.data.folder_rows import PreparedFolder
    from hf_ecg_bench.data.overlap import find_overlaps
    from hf_ecg_bench.files import write_json

    record = find_overlaps([PreparedFolder.open(path) for path in arguments.folders])
    if arguments.output is not None:
        write_json(arguments.output, record)
    if arguments.json:
        print_json(record)
        return
    rows = []
    for pair in record["pairs"]:
        names = [str(arguments.folders[pair[side]]) for side in ("first", "second")]
        splits = ", ".join(f"{n} {a}/{b}" for a, counts in pair["splits"].items() for b, n in counts.items())
        rows.append([*names, pair["recordings"], pair["by_rounding"], splits or "-"])
    print_table(["first", "second", "shared recordings", "but for rounding", "splits first/second"], rows)

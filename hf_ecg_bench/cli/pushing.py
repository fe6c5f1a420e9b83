"""`push`: a prepared dataset, a converted or trained model, or results to the Hub."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from hf_ecg_bench.cli.arguments import example


def register(verbs: Any) -> None:
    """Add the verb to the parser."""
    push = verbs.add_parser(
        "push",
        help="send a prepared dataset, a model or results to the Hub, after checking what they hold",
        **example(
            "hf-ecg-bench push dataset ecg-bench/ptbxl --repo me/ptbxl",
            "hf-ecg-bench push model runs/s4/model --repo me/s4-ptbxl --create-pr",
            "hf-ecg-bench push model runs/founder-lora/model --repo me/founder-lora --base ecg-bench/ecg-founder",
            "hf-ecg-bench push results runs --repo me/ecg-results --private",
        ),
    )
    push.add_argument("kind", choices=["dataset", "model", "results"])
    push.add_argument(
        "folder", type=Path, metavar="DIR", help="a prepared dataset, a model or its run, or a folder of runs"
    )
    push.add_argument(
        "--repo",
        metavar="ID",
        help="default for complete builds and backbones: ecg-bench/NAME; for results: ecg-bench/results",
    )
    push.add_argument(
        "--base", metavar="ID", help="adapters: where others find the weights below them, if those are a folder here"
    )
    push.add_argument("--private", action="store_true", help="make the repository private")
    push.add_argument("--gated", choices=["auto", "manual"], help="readers have to ask; answered by itself or by you")
    push.add_argument("--revision", metavar="BRANCH", help="commit to this branch, made where it is missing")
    push.add_argument("--tag", metavar="TAG", help="name for the new commit, for instance v1.0")
    push.add_argument("--create-pr", action="store_true", help="offer a pull request instead of committing")
    push.set_defaults(handler=_push)


def _push(arguments: argparse.Namespace) -> None:
    from hf_ecg_bench.errors import CheckpointError
    from hf_ecg_bench.hub import push_folder
    from hf_ecg_bench.models.adapters.folders import is_adapter_folder, set_base
    from hf_ecg_bench.progress import quiet_libraries

    quiet_libraries()
    if arguments.base is not None:
        if arguments.kind != "model" or not is_adapter_folder(arguments.folder):
            raise CheckpointError(f"{arguments.folder} holds no adapters, so it has no base", fix="leave out --base")
        set_base(arguments.folder, arguments.base)
    print(
        push_folder(
            arguments.kind,
            arguments.folder,
            arguments.repo,
            private=arguments.private,
            create_pr=arguments.create_pr,
            gated=arguments.gated,
            revision=arguments.revision,
            tag=arguments.tag,
        )
    )

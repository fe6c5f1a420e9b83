"""`push`: a prepared dataset or a converted or trained model to the Hub."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from hf_ecg_bench.cli.arguments import example


def register(verbs: Any) -> None:
    """Add the verb to the parser."""
    push = verbs.add_parser(
        "push",
        help="send a prepared dataset or a model folder to the Hub, after checking what it holds",
        **example(
            "hf-ecg-bench push dataset ecg-bench/ptbxl --repo me/ptbxl",
            "hf-ecg-bench push model runs/s4/model --repo me/s4-ptbxl --create-pr",
            "hf-ecg-bench push model runs/founder-lora/model --repo me/founder-lora --base ecg-bench/ecg-founder",
        ),
    )
    push.add_argument("kind", choices=["dataset", "model"])
    push.add_argument("folder", type=Path, metavar="DIR")
    push.add_argument("--repo", metavar="ID", help="default for complete builds and backbones: ecg-bench/NAME")
    push.add_argument(
        "--base", metavar="ID", help="adapters: where others find the weights below them, if those are a folder here"
    )
    push.add_argument("--private", action="store_true", help="make the repository private")
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
            arguments.kind, arguments.folder, arguments.repo, private=arguments.private, create_pr=arguments.create_pr
        )
    )

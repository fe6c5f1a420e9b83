"""`cache`: what the tool keeps on this machine for the next run, and deleting it."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from typing import Any

from hf_ecg_bench.cli.arguments import example


def register(verbs: Any) -> None:
    """Add the verb to the parser."""
    cache = verbs.add_parser(
        "cache",
        help="list or prune the converted models, stored features and scores on this machine",
        **example("hf-ecg-bench cache list", "hf-ecg-bench cache prune --features --older-than 30"),
    )
    actions = cache.add_subparsers(title="actions", dest="action", metavar="ACTION", required=True)
    listing = actions.add_parser("list", help="what is there: size, model, dataset, last use")
    listing.add_argument("--json", action="store_true", help="print JSON")
    listing.set_defaults(handler=_list)
    prune = actions.add_parser(
        "prune",
        help="delete entries; never one that is in use",
        **example("hf-ecg-bench cache prune ecg_founder", "hf-ecg-bench cache prune --all"),
    )
    prune.add_argument("name", nargs="?", metavar="NAME", help="one entry, or a model of which all is meant")
    prune.add_argument("--features", action="store_true", help="only stored features")
    prune.add_argument("--older-than", type=float, metavar="DAYS", help="only what was last used longer ago")
    prune.add_argument("--all", action="store_true", help="everything")
    prune.add_argument("--json", action="store_true", help="print JSON")
    prune.set_defaults(handler=_prune)


def _list(arguments: argparse.Namespace) -> None:
    from dataclasses import asdict

    from hf_ecg_bench.cli.printing import print_json, print_table
    from hf_ecg_bench.features.cache_listing import list_cache
    from hf_ecg_bench.features.size import human
    from hf_ecg_bench.models.cache import cache_root

    entries = list_cache()
    if arguments.json:
        print_json([{**asdict(entry), "last_used": _moment(entry.last_used)} for entry in entries])
        return
    if entries:
        print_table(
            ["name", "kind", "model", "size", "last used", "what"],
            [
                [
                    entry.name,
                    entry.kind,
                    entry.model or "-",
                    human(entry.bytes),
                    _moment(entry.last_used)[:16],
                    entry.about,
                ]
                for entry in entries
            ],
        )
    print(f"{len(entries)} entries, {human(sum(entry.bytes for entry in entries))} in {cache_root()}", file=sys.stderr)


def _prune(arguments: argparse.Namespace) -> None:
    from hf_ecg_bench.cli.printing import print_json
    from hf_ecg_bench.errors import EcgBenchError
    from hf_ecg_bench.features.cache_listing import list_cache, remove, select, sweep_leftovers
    from hf_ecg_bench.features.size import human

    days = arguments.older_than
    if days is not None and not 0 <= days < float("inf"):
        raise EcgBenchError(f"--older-than {days:g}: expected a number of days, 0 or more")
    if not (arguments.name or arguments.features or arguments.all or days is not None):
        raise EcgBenchError(
            "nothing was said to be deleted",
            fix="hf-ecg-bench cache prune NAME, --features, --older-than DAYS or --all",
        )
    sweep_leftovers()
    entries = list_cache()
    if arguments.features:
        entries = [entry for entry in entries if entry.kind == "features"]
    chosen = select(entries, name=arguments.name, older_than_days=days or 0)
    removed = [entry for entry in chosen if remove(entry)]
    in_use = [entry for entry in chosen if entry not in removed]
    freed = sum(entry.bytes for entry in removed)
    if arguments.json:
        print_json({"removed": [e.name for e in removed], "in_use": [e.name for e in in_use], "freed_bytes": freed})
        return
    for entry in removed:
        print(f"deleted {entry.kind} {entry.name}: {human(entry.bytes)} ({entry.about})")
    for entry in in_use:
        print(f"kept {entry.kind} {entry.name}: in use just now", file=sys.stderr)
    if not chosen:
        print(f"nothing deleted: none of the {len(entries)} entries is meant (hf-ecg-bench cache list)")
        return
    print(f"{len(removed)} of {len(chosen)} entries deleted, {human(freed)} freed")


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")

"""`hf-ecg-bench`: parse, run, and turn errors into one or two lines and an exit code."""

from __future__ import annotations

import argparse
import difflib
import os
import sys
import time
import traceback
from collections.abc import Sequence
from typing import NoReturn

from hf_ecg_bench import __version__
from hf_ecg_bench.cli import (
    auditing,
    boarding,
    caching,
    combining,
    embedding,
    gridding,
    listing,
    merging,
    models,
    preparing,
    pushing,
    results,
    running,
    scaling,
    selecting,
    submitting,
    verifying,
)
from hf_ecg_bench.errors import EcgBenchError
from hf_ecg_bench.stopping import Stopped, stops_cleanly
from hf_ecg_bench.training.surviving.processes import LostProcessError, is_main, rank, world_size

OK, FAULT, MISTAKE = 0, 1, 2
_PATIENCE = 3.0  # seconds

_DESCRIPTION = """\
Evaluate ECG foundation models: exact data, exact models, honest intervals.

  hf-ecg-bench demo                                       everything once, on embedded data
  hf-ecg-bench prepare ptbxl --raw-dir RAW --output-dir ecg-bench/ptbxl
  hf-ecg-bench run --model s4 --task ptbxl_super --mode scratch --output-dir runs/s4
  hf-ecg-bench report runs/s4
  hf-ecg-bench embed --model ecg_founder --input records/ --output embeddings.parquet
"""


class _Parser(argparse.ArgumentParser):
    """Argument errors name close matches and exit with 2, like every other mistake."""

    def error(self, message: str) -> NoReturn:
        if "invalid choice: '" in message and "(choose from" in message:
            wrong = message.split("invalid choice: '", 1)[1].split("'", 1)[0]
            choices = message.split("(choose from", 1)[1].rstrip(")").replace("'", "").split(",")
            close = difflib.get_close_matches(wrong, [choice.strip() for choice in choices], n=2)
            if close:
                message = f"{message.split(' (choose from')[0]}; did you mean {' or '.join(map(repr, close))}?"
        print(f"error: {message}\n  fix: {self.prog} --help", file=sys.stderr)
        raise SystemExit(MISTAKE)


def build_parser() -> argparse.ArgumentParser:
    """The whole command's parser; imports nothing heavy."""
    parser = _Parser(
        prog="hf-ecg-bench", description=_DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--version", action="version", version=f"hf-ecg-bench {__version__}")
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    verbs = parser.add_subparsers(title="commands", dest="command", metavar="COMMAND", required=True)
    for group in (
        listing,
        preparing,
        verifying,
        models,
        merging,
        embedding,
        running,
        gridding,
        results,
        scaling,
        selecting,
        combining,
        auditing,
        boarding,
        pushing,
        submitting,
        caching,
    ):
        group.register(verbs)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Returns:
        0, or 2 for a user's mistake, 1 for a fault, 130 after Ctrl-C, 143 after SIGTERM.
    """
    parsed = build_parser().parse_args(arguments)
    if world_size() > 1:
        os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")  # before torch is imported: each process would warn
    try:
        with stops_cleanly():
            return int(parsed.handler(parsed) or OK)
    except EcgBenchError as error:
        if parsed.debug:
            traceback.print_exc()
        # A process that only lost another one lets that one say what was wrong.
        _complain(f"error: {error}", wait=3 * _PATIENCE if isinstance(error, LostProcessError) else 0)
        return MISTAKE
    except (KeyboardInterrupt, Stopped) as end:
        how = "ended by SIGTERM" if isinstance(end, Stopped) else "interrupted"
        if is_main():
            print(f"{how}; the same command goes on from what is finished", file=sys.stderr)
        return 143 if isinstance(end, Stopped) else 130
    except BrokenPipeError:
        # The reader of our output went away (`| head`): nothing to report, and nothing left to flush.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK
    except Exception as error:
        if parsed.debug:
            traceback.print_exc()
        _complain(
            f"fault: {type(error).__name__}: {error}\n  this is a defect of hf-ecg-bench; "
            "please report it with the output of: hf-ecg-bench --debug ..."
        )
        return FAULT


def _complain(message: str, wait: float = 0) -> None:
    """Print why it ended. Of a launch's processes one does: its launcher ends the others while they wait."""
    if world_size() > 1:
        time.sleep(wait if is_main() else max(wait, _PATIENCE))
        message = message if is_main() else f"process {rank()}: {message}"
    print(message, file=sys.stderr)

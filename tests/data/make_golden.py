"""Write tests/golden/datasets.json: digests of every dataset's built example tree. Look at why before you do:

python -m tests.data.make_golden [ID ...]
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

from hf_ecg_bench.data.registry import list_datasets
from tests.data.examples import build_example

FILE = Path(__file__).resolve().parents[1] / "golden" / "datasets.json"


def read_golden() -> dict[str, dict[str, str]]:
    """Dataset -> part -> digest."""
    return json.loads(FILE.read_text(encoding="utf-8")) if FILE.exists() else {}


def main() -> None:
    golden = read_golden()
    for dataset in sys.argv[1:] or list_datasets():
        with tempfile.TemporaryDirectory() as folder:
            golden[dataset] = build_example(dataset, Path(folder)).prepared.info["digests"]
    FILE.write_text(json.dumps(golden, indent=1, sort_keys=True) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

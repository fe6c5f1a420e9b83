"""README.md of the repository of results. Every name in it comes from somebody's file and is escaped."""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Iterable, Sequence

import yaml

from hf_ecg_bench.hub.fetching import ROWS_FILE
from hf_ecg_bench.results.row import Row
from hf_ecg_bench.texts import printable

_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
_STATES = {
    "none": "pretraining has not seen this corpus",
    "same_corpus": "other records of the same corpus",
    "test_records": "the test records themselves",
    "unknown": "not known",
}
_SHOWN = 40


def render_results_card(repo_id: str, rows: Sequence[Row]) -> str:
    """The text: front matter that `load_dataset` reads, counts, protocol, contamination, how to submit."""
    front = {
        "license": "cc-by-4.0",
        "pretty_name": "Results of ECG foundation models",
        "size_categories": [next((name for bound, name in _SIZES if len(rows) < bound), "1M<n<10M")],
        "tags": ["ecg", "electrocardiogram", "12-lead", "benchmark", "leaderboard", "hf-ecg-bench"],
        "configs": [{"config_name": "rows", "default": True, "data_files": [{"split": "train", "path": ROWS_FILE}]}],
    }
    runs = len({row.folder for row in rows})
    counts = [
        ("rows (a run and a task)", f"{len(rows):,}"),
        ("runs", f"{runs:,}"),
        ("models", _named(row.model for row in rows)),
        ("tasks", _named(row.task for row in rows)),
        ("datasets", _named(row.dataset for row in rows)),
        ("modes", _named(row.mode for row in rows)),
        ("protocols", _named(row.protocol for row in rows)),
    ]
    states = Counter(str(row.contamination) for row in rows)
    return f"""---
{yaml.safe_dump(front, sort_keys=False).strip()}
---

# Results of ECG foundation models

Runs of [hf-ecg-bench](https://pypi.org/project/hf-ecg-bench/): what was run, on which data and weights (by digest),
with which outcome, interval and cost, and the prediction for every test record of open datasets. No weights.

```python
from datasets import load_dataset

rows = load_dataset("{repo_id}", split="train").to_pandas()  # one row per run and task
```

`runs/<model>/<task>/<mode>/fraction-<f>/seed-<s>/<identity>/` holds `result.json`, `predictions.parquet` (record id,
patient id, targets, predictions), the tests on other data in `evaluations/`, and `submission.json` with the digest of
each file. `hf-ecg-bench leaderboard --results {repo_id}` ranks them; `hf_ecg_bench.hub.fetch_results("{repo_id}")`
fetches them as a folder, with the commit that brings the same ones back.

## What is here

{_table(("", ""), counts)}

## Protocol

A model is adapted to a task's training records, its best epoch chosen on the validation records, and scored once on
the test records; windows of a record are averaged as probabilities. Intervals are 95 %, from 1,000 resamples of
patients (of records where no patient is known). `fraction` is the share of the training records, `protocol` and
`preprocessing` say what was done otherwise; `result.json` has every hyperparameter. Predictions on credentialed or
restricted datasets are not here: their licences forbid passing records on, so those rows cannot be rescored by others.

## What pretraining has seen

{_table(("test data", "meaning", "rows"), [(s, m, f"{states.get(s, 0):,}") for s, m in _STATES.items()])}

## Submit

```bash
hf-ecg-bench submit RUN_FOLDER --check-only      # the same checks that the maintainers run
hf-ecg-bench submit RUN_FOLDER --repo {repo_id}  # opens a pull request
```

Metrics have to follow from the predictions to 1e-9, targets have to be the task's own, weights and data are compared
by digest. Paths, host names and tokens are taken out before anything leaves your machine.
"""


def _named(names: Iterable[str]) -> str:
    found = sorted({name for name in names if name})
    more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    return f"{len(found)}: {', '.join(map(cell, found[:_SHOWN]))}{more}" if found else "0"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(head)} |", "|" + " --- |" * len(head)]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)])


def cell(text: str) -> str:
    """A stranger's text as plain text inside a Markdown table: no HTML, no links, no line breaks, 80 characters."""
    escaped = html.escape(printable(text)[:80], quote=True)
    return "".join(f"\\{character}" if character in "\\`*[]|~" else character for character in escaped)

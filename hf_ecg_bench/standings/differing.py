"""What is different about the trainings of an entry, read from their results."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from hf_ecg_bench.errors import EcgBenchError
from hf_ecg_bench.files import inside
from hf_ecg_bench.results.row import Row
from hf_ecg_bench.results.run_folder import check_types
from hf_ecg_bench.results.schema import Result
from hf_ecg_bench.results.settings import differences, training_settings
from hf_ecg_bench.standings.settling import Training, digests_as_words, training_of

_MOST = 120  # characters of a stranger's settings


def settings_in_words(rows: Sequence[Row], results_dir: Path) -> dict[Training, str]:
    """{training: `epochs 9, batch_size 32`}, of one row each; digests where a result cannot be read."""
    try:
        settings = []
        for row in rows:
            result = Result.load(inside(results_dir, row.folder))
            check_types(result)
            settings.append(training_settings(result))
    except EcgBenchError:
        return digests_as_words(rows)
    words = [text if len(text) <= _MOST else f"{text[:_MOST]}..." for text in differences(settings)]
    return {training_of(row): text for row, text in zip(rows, words, strict=True)}

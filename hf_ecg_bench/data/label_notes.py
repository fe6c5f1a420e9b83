"""What the package's label tables say about classes beyond their names."""

from __future__ import annotations

from importlib.resources import files

from hf_ecg_bench.data.spec import DatasetSpec
from hf_ecg_bench.data.vocabulary import read_label_table

_KEYS = ("label", "code")


def label_notes(spec: DatasetSpec) -> dict[str, dict[str, dict[str, str]]]:
    """Label column -> class -> `meaning` and `records` of the complete release, as far as the tables have them.

    The table of `labels_<set>` is `labels/<id>_<set>.csv`, or the dataset's own `labels/<id>.csv`: classes in the
    column `label` (or `code`), meanings in `description`, counts in `records`.
    """
    tables = files("hf_ecg_bench.dataset_scripts") / "labels"
    notes = {}
    for column in spec.label_columns:
        names = [f"{spec.id}{column.removeprefix('labels')}", spec.id]
        found = next((name for name in names if (tables / f"{name}.csv").is_file()), None)
        rows = read_label_table(found) if found is not None else []
        key = next((key for key in _KEYS if rows and key in rows[0]), None)
        if key is not None:
            notes[column] = {
                row[key]: {"meaning": row.get("description", ""), "records": row.get("records", "")} for row in rows
            }
    return notes

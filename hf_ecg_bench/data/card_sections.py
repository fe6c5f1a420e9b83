"""The generated sections of a dataset's card: pure functions of its declaration and of what a build holds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import datasets

from hf_ecg_bench.data.option_docs import option_docs, option_text
from hf_ecg_bench.data.spec import DatasetSpec

# What the Hub's licence ids stand for.
LICENSES = {
    "cc-by-4.0": ("CC BY 4.0", "https://creativecommons.org/licenses/by/4.0/"),
    "cc0-1.0": ("CC0 1.0", "https://creativecommons.org/publicdomain/zero/1.0/"),
    "odc-by": ("ODC-By 1.0", "https://opendatacommons.org/licenses/by/1-0/"),
    "odbl": ("ODbL 1.0", "https://opendatacommons.org/licenses/odbl/1-0/"),
}
_COLUMNS = {
    "record_id": "the source's own id; unique",
    "patient_id": "the source's own patient id; null where it has none",
    "signal": "(time, leads), {unit}; leads {leads}; missing samples are NaN",
    "sampling_rate": "Hz",
    "age": "years; null where missing or a placeholder",
    "sex": "`female`, `male` or null",
    "strat_fold": "stratification fold; -1 where the record has none",
    "targets": "0 or 1, a number, or NaN where missing; names and units below",
}
_LONG = 100


def build_section(spec: DatasetSpec, info: dict[str, Any]) -> list[str]:
    """Splits, signals, digest, and options that differ from the defaults' (all values)."""
    splits = info["splits"]
    lines = ["## What this build holds", ""]
    lines += table(["split", "records", "patients"], [[s, f["records"], _patients(f)] for s, f in splits.items()])
    empty = [split for split, facts in splits.items() if not facts["records"]]
    if empty:
        lines += ["", f"Without records, and so not offered by `load_dataset`: {', '.join(empty)}."]
    seconds = f"{info['seconds']:g} s each" if info["seconds"] else "length as recorded"
    filters = [f"records shorter than {spec.min_seconds:g} s"] if spec.min_seconds is not None else []
    filters += ["records without a fold"] if spec.needs_fold else []
    lines += [
        "",
        "- Signals: none; this build holds labels and folds alone (`--metadata-only`)."
        if info["metadata_only"]
        else f"- Signals: {info['sampling_rate']} Hz, {info['unit']}, {seconds}.",
        f"- Splits: {spec.folds}.",
    ]
    if filters:
        lines.append(f"- The benchmark's tasks leave out {' and '.join(filters)} when they run; the rows keep them.")
    values = {name: value for name, value in info["options"].items() if value is not None}
    lines.append("- Options: " + ", ".join(f"`{name}={option_text(value)}`" for name, value in values.items()) + ".")
    lines.append(f"- Digest: `{info['digest']}`; builds with the same one hold the same records, labels and signals.")
    return lines


def _patients(facts: dict[str, Any]) -> int | str:
    return "not known" if facts["records"] and facts["without_patient"] == facts["records"] else facts["patients"]


def columns_section(spec: DatasetSpec, features: datasets.Features, info: dict[str, Any]) -> list[str]:
    """Name, type and meaning of every column."""
    extra = {item.name: item.description for item in spec.extra_columns}
    rows = []
    for name, feature in features.items():
        if name in info["label_columns"]:
            meaning = f"class indices, {len(info['label_columns'][name])} classes"
        else:
            meaning = extra.get(name) or _COLUMNS[name].format(unit=info["unit"], leads=" ".join(info["leads"]))
        rows.append([f"`{name}`", _type_name(feature), meaning])
    return ["## Columns", "", *table(["column", "type", "meaning"], rows)]


def labels_section(info: dict[str, Any], notes: dict[str, dict[str, dict[str, str]]]) -> list[str]:
    """Records of every class in every split.

    Args:
        notes: label column -> class -> `meaning` and `records` (of the complete release); shown where every class has
            one.
    """
    lines: list[str] = []
    for column, names in info["label_columns"].items():
        known = notes.get(column, {})
        columns = [key for key in ("meaning", "records") if all(known.get(name, {}).get(key) for name in names)]
        titles = {"meaning": "meaning", "records": "complete release"}
        counts = [facts["labels"][column] for facts in info["splits"].values()]
        rows = [
            [name or '(empty text)', *(_number(known.get(name, {}).get(key, "")) for key in columns),
             *(count[name] for count in counts)]
            for name in names
        ]  # fmt: skip
        header = ["class", *(titles[key] for key in columns), *info["splits"]]
        lines += ["", f"### `{column}`: {len(names)} classes", "", *_folded(table(header, rows), len(names), "classes")]
    return ["## Label counts", *lines] if lines else []


def targets_section(info: dict[str, Any]) -> list[str]:
    """The entries of the `targets` column in order, with the records of every split that have a value."""
    targets, splits = info["targets"], info["splits"].values()
    if not targets:
        return []
    rows = [
        [
            number,
            f"`{t['name']}`",
            t["kind"],
            t["unit"],
            *(s["records"] - s["missing_targets"][t["name"]] for s in splits),
        ]
        for number, t in enumerate(targets)
    ]
    header = ["index", "target", "kind", "unit", *info["splits"]]
    lines = ["## Target counts", "", "Known values per split; a missing one is NaN.", ""]
    return [*lines, *_folded(table(header, rows), len(targets), "targets")]


def ledger_section(info: dict[str, Any]) -> list[str]:
    """What was left out or only partly understood, by reason; records without labels, repeated recordings."""
    ledger = info["ledger"]
    lines = ["## Ledger", "", f"{ledger['found']:,} records found in the source, {ledger['kept']:,} kept.", ""]
    for title, groups in (("left out", ledger["excluded_counts"]), ("kept, but", ledger["defect_counts"])):
        lines += [f"- {title}: {reason}: {number:,}" for reason, number in groups.items()]
    splits = info["splits"]
    for column in info["label_columns"]:
        lines += _per_split(f"without any label in `{column}` (negative for every class)", splits, "unlabelled", column)
    lines += _per_split("without a fold", splits, "without_fold")
    if missing := [share for facts in splits.values() for share in _missing_shares(facts)]:
        lines.append(f"- missing targets: {min(missing):.0%} to {max(missing):.0%} of a split's records")
    if ledger["duplicates"].get("within_a_split"):
        lines.append(
            f"- recordings that occur more than once within a split: {ledger['duplicates']['within_a_split']:,}"
        )
    return [*lines, *(f"- {note}" for note in ledger["notes"])]


def _per_split(what: str, splits: dict[str, Any], *path: str) -> list[str]:
    """A line with the records of each split that have something, or none."""
    counts = {}
    for split, facts in splits.items():
        for key in path:
            facts = facts[key]
        counts[split] = facts
    return (
        [f"- {what}: " + ", ".join(f"{n:,} {split}" for split, n in counts.items() if n)]
        if any(counts.values())
        else []
    )


def _missing_shares(facts: dict[str, Any]) -> list[float]:
    """Of each target in a split, the share of records where it is missing; empty where none is missing anywhere."""
    missing = facts["missing_targets"].values() if facts["records"] else ()
    return [number / facts["records"] for number in missing] if any(missing) else []


def options_section(config_class: type) -> list[str]:
    """The fields of the builder's configuration."""
    rows = [[f"`{doc.name}`", f"`{doc.default}`", doc.meaning] for doc in option_docs(config_class)]
    head = "`hf-ecg-bench prepare ... --option KEY=VALUE` sets one; another value makes another dataset."
    return ["## Options of the builder", "", head, "", *table(["option", "default", "meaning"], rows)]


def access_section(spec: DatasetSpec) -> list[str]:
    """Licence and how to get the originals."""
    name, link = LICENSES.get(spec.license, ("terms of its own", spec.homepage))
    lines = [f"- Licence of the data: [{name}]({link}); it holds for these rows as for the originals."]
    if spec.needs_raw_dir:
        lines.append(f"- Originals: <{spec.homepage}>, {spec.access}. {spec.access_steps}".rstrip())
    if spec.access != "open":
        lines.append("- Rows made from it may not be published: `--push-to-hub` refuses, and so should you.")
    return ["## Licence and access", "", *lines]


def citation_section(spec: DatasetSpec) -> list[str]:
    """BibTeX of everything to cite."""
    return ["## Citation", "", "```bibtex", spec.citation.strip(), "```"]


def table(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> list[str]:
    """A Markdown table; columns of numbers to the right."""
    cells = [list(row) for row in rows]
    right = [bool(cells) and all(isinstance(row[i], int) for row in cells) for i in range(len(header))]
    lines = [_row(header), _row(["---:" if numeric else "---" for numeric in right])]
    return [*lines, *(_row(row) for row in cells)]


def _row(values: Iterable[Any]) -> str:
    return "| " + " | ".join(f"{v:,}" if isinstance(v, int) else str(v).replace("|", "\\|") for v in values) + " |"


def _number(text: str) -> Any:
    return int(text) if text.isdigit() else text


def _folded(lines: list[str], n: int, what: str) -> list[str]:
    """Long tables closed until clicked."""
    if n <= _LONG:
        return lines
    return [f"<details><summary>all {n:,} {what}</summary>", "", *lines, "", "</details>"]


def _type_name(feature: Any) -> str:
    match feature:
        case datasets.Array2D():
            return f"Array2D({feature.shape}, {feature.dtype})"
        case datasets.ClassLabel():
            return "ClassLabel"
        case datasets.List():
            length = f", {feature.length}" if feature.length >= 0 else ""
            return f"List({_type_name(feature.feature)}{length})"
        case datasets.Value():
            return str(feature.dtype)
    return type(feature).__name__

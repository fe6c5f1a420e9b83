"""README.md of a prepared dataset: front matter that `load_dataset` reads, and what a user should know."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from typing import Any

import datasets
import yaml
from datasets.info import DatasetInfosDict
from huggingface_hub import DatasetCardData

from hf_ecg_bench.data import card_sections
from hf_ecg_bench.data.label_notes import label_notes
from hf_ecg_bench.data.rows import ShardReport
from hf_ecg_bench.data.spec import DatasetSpec

_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))


def dataset_card(
    spec: DatasetSpec,
    config_class: type,
    features: datasets.Features,
    reports: Sequence[ShardReport],
    info: dict[str, Any],
) -> str:
    """The whole README: YAML front matter, the dataset's own text, and tables of what this build holds.

    Args:
        spec: what is declared about the dataset.
        config_class: of the builder, for the table of options.
        features: of the rows.
        reports: of all shards, in the order of the rows.
        info: the content of ecg_bench.json.
    """
    front = yaml.safe_dump(
        _front_matter(spec, features, reports, info["digest"]), sort_keys=False, allow_unicode=True, width=120
    )
    prose = card_prose(spec)
    sections = ["\n".join(lines).strip() for lines in _body(spec, config_class, features, info)]
    if spec.known_issues and "## Known issues" not in prose:
        sections.insert(-2, "\n".join(["## Known issues", "", *(f"- {issue}" for issue in spec.known_issues)]))
    return f"---\n{front}---\n\n" + "\n\n".join([prose, *filter(None, sections)]) + "\n"


def _front_matter(
    spec: DatasetSpec, features: datasets.Features, reports: Sequence[ShardReport], digest: str
) -> dict[str, Any]:
    splits: dict[str, list[ShardReport]] = {}
    for report in reports:
        splits.setdefault(report.split, []).append(report)
    # A split without rows cannot be opened by load_dataset ("corresponds to no data"), and would take the others along.
    filled = {split: parts for split, parts in splits.items() if any(part.records for part in parts)}
    records = sum(report.records for report in reports)
    split_infos = datasets.SplitDict()
    for split, parts in filled.items():
        split_infos.add(
            datasets.SplitInfo(
                split,
                num_bytes=sum(part.nbytes for part in parts),
                num_examples=sum(part.records for part in parts),
            )
        )
    dataset_info = datasets.DatasetInfo(
        features=features,
        splits=split_infos,
        download_size=sum(report.file_size for report in reports),
        dataset_size=sum(report.nbytes for report in reports),
    )
    data = DatasetCardData(
        license=spec.license,
        pretty_name=spec.title,
        size_categories=[next((name for bound, name in _SIZES if records < bound), "1M<n<10M")],
        tags=["ecg", "electrocardiogram", "12-lead", "medical", "time-series"],
    )
    DatasetInfosDict({"default": dataset_info}).to_dataset_card_data(data)
    front: dict[str, Any] = data.to_dict()
    front["configs"] = [
        {
            "config_name": "default",
            # For a local folder the library's cache key is made from this block, not from the files: without the
            # digest a folder prepared again could be served from the old cache.
            "description": f"digest {digest}",
            "data_files": [{"split": split, "path": f"data/{split}-*.parquet"} for split in filled],
        }
    ]
    return front


def card_prose(spec: DatasetSpec) -> str:
    """The dataset's own text, `dataset_scripts/<id>.md`; without one, its declared facts."""
    path = files("hf_ecg_bench.dataset_scripts") / f"{spec.id}.md"
    if path.is_file():
        return path.read_text(encoding="utf-8").strip()
    return f"# {spec.title}\n\n{spec.description}\n\nSource: {spec.homepage}"


def _body(spec: DatasetSpec, config_class: type, features: datasets.Features, info: dict[str, Any]) -> list[list[str]]:
    return [
        card_sections.build_section(spec, info),
        card_sections.columns_section(spec, features, info),
        card_sections.labels_section(info, label_notes(spec)),
        card_sections.targets_section(info),
        card_sections.ledger_section(info),
        card_sections.options_section(config_class),
        card_sections.access_section(spec),
        card_sections.citation_section(spec),
    ]

"""The card of every dataset, as a build of its example tree writes it."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path

import pytest
import yaml

from hf_ecg_bench.data.card_sections import LICENSES, options_section, table
from hf_ecg_bench.data.option_docs import option_docs
from hf_ecg_bench.data.options import option_names
from hf_ecg_bench.data.registry import get_builder, get_dataset_spec, list_datasets
from tests.data.examples import Example

SECTIONS = ("What this build holds", "Columns", "Ledger", "Options of the builder", "Known issues",
            "Licence and access", "Citation")  # fmt: skip
# The ids that the Hub knows and that published ECG data have.
HUB_LICENSES = {"cc-by-4.0", "cc0-1.0", "cc-by-sa-4.0", "cc-by-nc-4.0", "odc-by", "odbl", "pddl", "other", "unknown"}
FIELDS = {"author", "title", "year"}


def read_card(example: Example) -> tuple[dict, str]:
    """Front matter and text."""
    _, front, text = (example.folder / "README.md").read_text(encoding="utf-8").split("---\n", 2)
    return yaml.safe_load(front), text


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def bibtex_entries(text: str) -> dict[str, dict[str, str]]:
    """Key -> field -> value of simple BibTeX (`name = {value}`), with every brace closed."""
    entries = {}
    for chunk in re.split(r"\n(?=@)", text.strip()):
        head = re.match(r"@(\w+)\{([\w:.-]+),\n", chunk)
        assert head, chunk
        assert chunk.count("{") == chunk.count("}"), chunk
        assert chunk.rstrip().endswith("}"), chunk
        body = chunk[head.end() :]
        found = re.findall(r"^ *(\w+) *= *\{((?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*)\},?$", body, re.MULTILINE)
        entries[head[2]] = dict(found)
    return entries


def test_has_its_sections_in_order(example: Example) -> None:
    _, text = read_card(example)
    titles = re.findall(r"^## (.*)$", text, re.MULTILINE)
    assert len(titles) == len(set(titles)), titles
    assert set(SECTIONS) <= set(titles)
    assert [title for title in titles if title in SECTIONS[:-3]] == list(SECTIONS[:-3])
    assert titles[-1] == "Citation"
    assert re.findall(r"^# .*$", text, re.MULTILINE)[0]
    assert text.count("```") % 2 == 0


def test_front_matter(example: Example) -> None:
    front, _ = read_card(example)
    spec = get_dataset_spec(example.dataset)
    assert front["license"] == spec.license
    assert spec.license in HUB_LICENSES
    assert front["pretty_name"] == spec.title
    (config,) = front["configs"]
    assert config["config_name"] == "default"
    assert [entry["split"] for entry in config["data_files"]] == list(spec.splits)
    names = [feature["name"] for feature in front["dataset_info"]["features"]]
    assert names == example.prepared.splits["test"].column_names


def test_says_columns_classes_and_options(example: Example) -> None:
    _, text = read_card(example)
    spec = get_dataset_spec(example.dataset)
    for name in example.prepared.splits["test"].column_names:
        assert f"| `{name}` | " in text
    for column, names in spec.label_columns.items():
        assert f"### `{column}`: {len(names)} classes" in text
        counts = [facts["labels"][column] for facts in example.prepared.info["splits"].values()]
        for name in names:
            numbers = " | ".join(f"{count[name]:,}" for count in counts)
            row = rf"^\| {re.escape(name or '(empty text)')} \| .*{re.escape(numbers)} \|$"
            assert re.search(row, text, re.MULTILINE), name
    for target in spec.targets:
        assert f"| `{target.name}` | {target.kind} |" in text
    for name in option_names(get_builder(example.dataset).BUILDER_CONFIG_CLASS):
        assert f"| `{name}` | " in text
    assert f"{example.ledger.found:,} records found in the source, {example.ledger.kept:,} kept" in text


def test_lines_are_readable_and_name_no_machine(example: Example) -> None:
    _, text = read_card(example)
    for line in text.splitlines():
        if not line.startswith("|") and "https://" not in line and "doi" not in line:
            assert len(line) <= 180, line
        assert line == line.rstrip()
    for path in (example.folder, example.raw, Path.home(), Path.cwd()):
        assert path is None or f"{path}/" not in text
    assert not re.search(r"(?<![\w./<>:])/(tmp|home|root|work|Users)/", text)


def test_its_python_runs_as_it_stands(example: Example, monkeypatch: pytest.MonkeyPatch) -> None:
    """`load_dataset("ecg-bench/<id>")` reads the prepared folder of that relative path."""
    _, text = read_card(example)
    monkeypatch.chdir(example.folder.parent.parent)
    code = blocks(text, "python")
    assert f'load_dataset("ecg-bench/{example.dataset}"' in code[0]
    for number, block in enumerate(code):
        exec(compile(block, f"<card of {example.dataset}, block {number}>", "exec"), {})  # noqa: S102  (our own card)


@pytest.mark.parametrize("dataset", list_datasets())
def test_prose(dataset: str) -> None:
    text = (files("hf_ecg_bench.dataset_scripts") / f"{dataset}.md").read_text(encoding="utf-8")
    assert text.startswith("# ")
    assert 15 < len(text.splitlines()) < 120
    for line in text.splitlines():
        assert len(line) <= 150 or line.startswith("|") or "https://" in line, line
    spec = get_dataset_spec(dataset)
    if spec.needs_raw_dir:
        assert f"hf-ecg-bench prepare {dataset} " in text
        assert re.search(r"licen[cs]e", text, re.IGNORECASE)
        assert "https://" in text


@pytest.mark.parametrize("dataset", list_datasets())
def test_citations_parse(dataset: str) -> None:
    entries = bibtex_entries(get_dataset_spec(dataset).citation)
    assert entries
    for fields in entries.values():
        assert set(fields) >= FIELDS
        assert re.fullmatch(r"\d{4}", fields["year"])
        assert "doi" not in fields or fields["doi"].startswith("10.")


@pytest.mark.parametrize("dataset", list_datasets())
def test_licence_has_a_link(dataset: str) -> None:
    spec = get_dataset_spec(dataset)
    assert spec.license in LICENSES or spec.license == "other"


@pytest.mark.parametrize("dataset", list_datasets())
def test_every_option_is_explained(dataset: str) -> None:
    docs = option_docs(get_builder(dataset).BUILDER_CONFIG_CLASS)
    assert {doc.name for doc in docs} >= {"splits", "min_count", "protocol"}
    assert [doc.name for doc in docs if len(doc.meaning) < 10] == []


def test_options_of_a_subclass_come_first() -> None:
    docs = option_docs(get_builder("synthetic").BUILDER_CONFIG_CLASS)
    assert [doc.name for doc in docs][:3] == ["n_records", "seed", "records_per_patient"]
    assert docs[0].default == "2000"
    assert docs[2].meaning == "the mean number of records of a patient."
    assert "| `min_count` | `none` |" in "\n".join(options_section(get_builder("synthetic").BUILDER_CONFIG_CLASS))


def test_table() -> None:
    assert table(["a", "b"], [["x|y", 1200], ["z", 3]]) == [
        "| a | b |", "| --- | ---: |", "| x\\|y | 1,200 |", "| z | 3 |",
    ]  # fmt: skip

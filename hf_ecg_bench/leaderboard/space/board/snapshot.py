"""What the Space shows, as files: written by `hf_ecg_bench.leaderboard.snapshot`, read here. JSON alone.

    data/index.json                  Index: everything small, and the cells of all entries and tasks in columns
    data/views/<view>.json           View: who is ahead, for one choice of rows, modes and contaminated cells
    data/tasks/<task>.json           TaskPage: all pairs, ranks and targets of one task
    data/pairs/<entry>.json          {task: PairRow}: one entry (by its number) against all others, to compare two
                                     without reading the page of every task; not there where it has no predictions
    data/scaling.json                {task: [Curve, ...]}

Numbers that are not known are null. Texts come from strangers: they are escaped where they are shown.
"""

from __future__ import annotations

from typing import Any, NotRequired, TypedDict

SNAPSHOT_VERSION = 1
INDEX, VIEWS, TASKS, PAIRS, SCALING = "index.json", "views", "tasks", "pairs", "scaling.json"
#: `<source>-<modes>-<contamination>`: a view's file name.
SOURCES = ("ours", "published", "both")
CONTAMINATION = ("keep", "hide", "impute")
#: A mode's id, or one of these: every entry, or each model's best (by mean rank over modes; said on the page).
ALL_MODES, BEST_MODE = "all", "best"

Number = float | None


class Entry(TypedDict):
    """A model adapted in one way; cells and standings name it by its position in the index."""

    key: str
    model: str
    mode: str
    preprocessing: str
    protocol: str
    origin: str
    weights: NotRequired[str]  # first digits of their digest, where runs of the model started from several
    parameters: Number
    trainable_parameters: Number
    train_seconds: Number
    records_per_second: Number
    latency_ms: Number
    peak_memory_bytes: Number
    training_flops: Number
    energy_joules: Number


class Model(TypedDict):
    """Of the registry, or of a stranger's result: then only `id` is sure."""

    id: str
    title: str
    paper: str
    citation: str
    license_code: str
    license_weights: str
    parameters: Number
    sampling_rate: Number
    window_seconds: Number
    pretraining: list[str]
    overlaps: list[dict[str, str]]  # dataset, state, reason
    hub_id: str


class Task(TypedDict):
    """A task of the catalogue, or of a stranger's result."""

    id: str
    name: str
    category: str
    dataset: str
    metric: str
    higher_is_better: bool
    n_targets: Number
    n_test: Number
    trained_as: str


class Dataset(TypedDict):
    """Facts about a dataset."""

    id: str
    title: str
    homepage: str
    license: str
    access: str
    records: Number
    patients: Number
    sampling_rate: Number
    seconds: Number
    description: str
    citation: str


class Cells(TypedDict):
    """Columns of equal length: one cell per entry and task (seeds averaged)."""

    entry: list[int]
    task: list[int]
    value: list[Number]
    low: list[Number]
    high: list[Number]
    seed_sd: list[Number]
    n_seeds: list[int]
    contamination: list[str]
    reason: list[str]
    audit: list[str]  # ids with commas between them
    records_train: list[Number]
    rank: list[Number]
    rank_low: list[Number]
    rank_high: list[Number]


class AuditNote(TypedDict):
    """Something that is known against published rows."""

    id: str
    title: str
    evidence: str
    rows: int
    source: str


class Index(TypedDict):
    """data/index.json."""

    snapshot_version: int
    created: str
    program: str
    n_rows: int
    categories: list[dict[str, str]]  # id, name
    models: list[Model]
    tasks: list[Task]
    datasets: list[Dataset]
    entries: list[Entry]
    cells: Cells
    views: list[str]
    modes: list[str]
    audit: list[AuditNote]
    unreadable: list[dict[str, str]]  # name, reason
    about: dict[str, str]  # protocol, metrics, intervals, ranking, contamination: paragraphs of plain text


class Standing(TypedDict):
    """One entry's line in a view."""

    entry: int
    group: int
    mean_rank: Number
    rank_low: Number
    rank_high: Number
    dataset_low: Number  # the mean rank's interval where whole datasets are drawn
    dataset_high: Number
    median_rank: Number
    win_rate: Number
    skill: Number
    skill_low: Number
    skill_high: Number
    n_tasks: int
    missing: int
    hidden: int
    category_rank: dict[str, Number]
    category_value: dict[str, Number]


class View(TypedDict):
    """data/views/<view>.json, best first."""

    view: str
    standings: list[Standing]
    friedman: dict[str, Any]
    critical_difference: Number
    notes: list[str]


class Pairs(TypedDict):
    """(k, k) lists of the task's entries: row minus column."""

    entries: list[int]
    difference: list[list[Number]]
    low: list[list[Number]]
    high: list[list[Number]]
    p_adjusted: list[list[Number]]


class PairRow(TypedDict):
    """One line of a task's pairs: an entry minus each of the others that it was tested against."""

    others: list[int]
    difference: list[Number]
    low: list[Number]
    high: list[Number]
    p_adjusted: list[Number]


class Target(TypedDict):
    """One label or number of a task, by entry of `TaskPage.pairs.entries`."""

    name: str
    kind: str
    metric: str
    n_positive: Number
    n: Number
    value: list[Number]
    low: list[Number]
    high: list[Number]


class TaskPage(TypedDict):
    """data/tasks/<task>.json."""

    task: str
    resampling: str
    pairs: Pairs
    targets: list[Target]
    targets_left_out: NotRequired[int]  # the page of a task with 1,127 targets shows the most frequent ones


class Curve(TypedDict):
    """Scores of one entry over shares of the training records."""

    entry: int
    fraction: list[float]
    records: list[Number]
    value: list[Number]
    low: list[Number]
    high: list[Number]

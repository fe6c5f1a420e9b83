"""The records of CODE-15%: signals joined with their row of `exams.csv`, labels, folds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from hf_ecg_bench.data.builder import EcgBuilderConfig
from hf_ecg_bench.data.demographics import age_in_years
from hf_ecg_bench.data.ledger import Ledger
from hf_ecg_bench.data.records import RecordIndex
from hf_ecg_bench.data.sources.code.exams import EXAMS, FIX, ExamTable, exam_folds, read_exams
from hf_ecg_bench.data.sources.code.labels import label_names
from hf_ecg_bench.data.sources.code.parts import StoredExams, find_exams, lengths, part_number
from hf_ecg_bench.data.sources.code.tracings import Tracing
from hf_ecg_bench.data.vocabulary import choose_in_order
from hf_ecg_bench.errors import DataError, some


@dataclass
class Code15Config(EcgBuilderConfig):
    """Options of CODE-15%.

    Attributes:
        n_folds: number of stratified folds; the last two are validation and test.
        stratify_seed: of the folds.
    """

    n_folds: int = 100
    stratify_seed: int = 0


def index_code15(root: str, config: Code15Config, ledger: Ledger) -> RecordIndex:
    """All exams with a signal (`metadata_only`: all rows of the table), parts in numeric order.

    Folds are those of the complete release also where parts are absent, as the table lists all exams.

    Raises:
        DataError: missing or unusable `exams.csv`, no signals; lengths asked for without signals.
    """
    folder = Path(root)
    table = read_exams(folder, ledger)
    ledger.found += len(table.exam_id) if config.metadata_only else 0
    if config.metadata_only:
        if config.splits == "largest_folds":
            raise DataError(
                "splits=largest_folds looks at the lengths of the signals, which a build without signals does not read",
                fix="leave out splits=largest_folds, or --metadata-only",
            )
        ledger.note(f"from {EXAMS} alone: exams with an empty tracing or without a row in the table are not seen")
        order = sorted(range(len(table.exam_id)), key=lambda row: part_number(table.part[row]))
        ids = [table.exam_id[row] for row in order]
        folds = exam_folds(table, (), config.n_folds, config.stratify_seed)
        return _index(table, order, ids, folds, [None] * len(order), config, ledger)

    stored = find_exams(folder, ledger)
    left_out = _without_tracing(table, stored, ledger)
    if not stored.tracings:
        raise DataError(f"no usable signal in {folder}: {some(stored.unreadable.values(), 1)}", fix=FIX)
    row_of = {exam_id: row for row, exam_id in enumerate(table.exam_id)}
    rows = [row_of.get(exam_id) for exam_id in stored.tracings]
    folds = exam_folds(table, left_out, config.n_folds, config.stratify_seed)
    tracings = list(stored.tracings.values())
    index = _index(table, rows, list(stored.tracings), folds, tracings, config, ledger)
    # Only this rule looks at lengths, so only it pays for reading everything.
    samples = lengths(tracings, config.protocol) if config.splits == "largest_folds" else None
    return replace(index, stamps=[stored.stamps[tracing.path] for tracing in tracings], samples=samples)


def _without_tracing(table: ExamTable, stored: StoredExams, ledger: Ledger) -> set[int]:
    """Rows that are known to have no signal. Where it is absent or damaged here only, rows count in the folds."""
    left_out = set()
    absent: Counter[str] = Counter()
    for row, (exam_id, part) in enumerate(zip(table.exam_id, table.part, strict=True)):
        if exam_id in stored.tracings or exam_id in stored.damaged:
            continue
        if exam_id in stored.without:
            left_out.add(row)
        elif part in stored.unreadable:
            ledger.found += 1
            ledger.exclude(str(exam_id), "part cannot be read", f"{stored.unreadable[part]}; download {part} again")
        elif part in stored.parts:
            left_out.add(row)
            ledger.found += 1
            ledger.exclude(str(exam_id), "no tracing", f"{EXAMS} names {part}, which has no such exam_id")
        else:
            absent[part or "(no trace_file)"] += 1
    if absent:
        ledger.problem(
            f"{absent.total()} exams of {EXAMS} are in files that are not here, and not in this build: "
            f"{some(sorted(absent, key=part_number), 3)}",
            fix=FIX,
        )
    for part, problem in stored.unreadable.items():
        if part not in table.part:
            ledger.problem(f"{part} cannot be read, and {EXAMS} lists no exam in it: {problem}", fix=FIX)
    return left_out


def _index(
    table: ExamTable,
    rows: Sequence[int | None],
    ids: list[int],
    folds: list[int],
    references: Sequence[Tracing | None],
    config: Code15Config,
    ledger: Ledger,
) -> RecordIndex:
    """Records from rows of the table; None: the exam has a signal only."""
    names = label_names()
    lists: list[list[str]] = []
    for row, exam_id in zip(rows, ids, strict=True):
        lists.append([] if row is None else [names[label] for label in table.labels[row] or ()])
        if row is None:
            ledger.defect(str(exam_id), "not in exams.csv (unlabelled, no fold)", f"{EXAMS} has no exam_id {exam_id}")
        else:
            table.report(row, ledger)
    chosen, lists = choose_in_order(lists, label_names(), config.min_count)
    patients = [None if row is None else table.patient[row] for row in rows]
    sexes = [None if row is None else table.male[row] for row in rows]
    return RecordIndex(
        record_id=[str(exam_id) for exam_id in ids],
        patient_id=[None if patient is None else str(patient) for patient in patients],
        age=[None if row is None else age_in_years(table.age[row]) for row in rows],
        sex=[None if male is None else ("female", "male")[male] for male in sexes],
        strat_fold=[-1 if row is None else folds[row] for row in rows],
        labels={"labels": lists},
        label_names={"labels": chosen},
        references=list(references),
    )

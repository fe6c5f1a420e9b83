"""Chapman-Shaoxing as in the PhysioNet/CinC Challenge 2021: other records than the published task, coded diagnoses."""

from __future__ import annotations

import os
from collections import Counter

from hf_ecg_bench.data.demographics import age_in_years, sex_of
from hf_ecg_bench.data.folds.stratify import stratify
from hf_ecg_bench.data.formats.wfdb_reader import file_stamp, read_header
from hf_ecg_bench.data.ledger import Ledger, RecordProblem
from hf_ecg_bench.data.records import RecordIndex
from hf_ecg_bench.data.sources.challenge.headers import find_records, parse_comments
from hf_ecg_bench.data.sources.chapman.labels import RHYTHM, known_labels, label_columns, label_of_code
from hf_ecg_bench.data.sources.chapman.layouts import CHALLENGE_FOLDER, FIX, LAST_NUMBER, ChapmanOptions
from hf_ecg_bench.data.sources.chapman.signals import Reference

CAVEAT = (
    "layout=challenge: the Challenge's copy has 10,247 records (none with rhythm SA) and merged codes; it is NOT the "
    "record set of the published task chapman, and its folds are others"
)


def index_challenge(root: str, options: ChapmanOptions, ledger: Ledger) -> RecordIndex:
    """All records JS00001 to JS10646 with a readable header, by name.

    Codes become the abbreviations of the figshare table; a code that stands for several becomes a label of its own
    (`IDC/IVB`), which is no class of the published lists.

    Raises:
        DataError: no record anywhere.
    """
    ledger.note(CAVEAT)
    listing = find_records(root, CHALLENGE_FOLDER, fix=FIX)
    listing.report_others(ledger)

    ids: list[str] = []
    ages: list[float | None] = []
    sexes: list[str | None] = []
    conditions: list[list[str]] = []
    rhythms: list[list[str]] = []
    stamps: list[str] = []
    for name, path in listing.paths.items():
        try:
            _check_name(name)
            comments = parse_comments(read_header(path).comments)
        except RecordProblem as problem:
            ledger.exclude(name, problem.reason, problem.detail)
            continue
        labels = _labels(name, comments.codes, ledger)
        ids.append(name)
        ages.append(age_in_years(comments.age))
        sexes.append(sex_of(comments.sex, name, ledger))
        rhythms.append([label for label in labels if known_labels().get(label) == RHYTHM])
        conditions.append([label for label in labels if known_labels().get(label) != RHYTHM])
        stamps.append(f".hea:{os.path.getsize(f'{path}.hea')}" if options.metadata_only else file_stamp(path))

    lists = [[*condition, *rhythm] for condition, rhythm in zip(conditions, rhythms, strict=True)]
    classes = sorted({label for labels in lists for label in labels})
    folds = stratify(lists, classes, [1 / options.n_folds] * options.n_folds, seed=options.seed)
    _note_merged(lists, ledger)
    names, columns = label_columns(conditions, rhythms, options.min_count, keep_empty=False)
    return RecordIndex(
        record_id=ids,
        patient_id=[None] * len(ids),
        age=ages,
        sex=sexes,
        strat_fold=folds,
        labels=columns,
        label_names=names,
        references=[Reference(name, listing.paths[name], "challenge") for name in ids],
        stamps=stamps,
    )


def _check_name(name: str) -> None:
    digits = name.removeprefix("JS")
    if name == digits or not digits.isdecimal() or not 1 <= int(digits) <= LAST_NUMBER:
        raise RecordProblem(
            "not a Chapman record",
            f"{name}: expected JS00001 to JS{LAST_NUMBER} (higher numbers are of the set ningbo)",
        )


def _labels(name: str, codes: tuple[str, ...], ledger: Ledger) -> list[str]:
    unknown = [code for code in codes if code not in label_of_code()]
    if unknown:
        ledger.defect(name, "unknown diagnosis code (ignored)", ", ".join(unknown))
    if not codes:
        ledger.defect(name, "no diagnosis (kept without a label)", "no Dx line, or an empty one")
    return [label_of_code()[code] for code in codes if code in label_of_code()]


def _note_merged(lists: list[list[str]], ledger: Ledger) -> None:
    merged = Counter(label for labels in lists for label in set(labels) if "/" in label)
    if merged:
        found = ", ".join(f"{label} ({count})" for label, count in sorted(merged.items()))
        ledger.note(f"codes that stand for several published labels, and so for none of them (records): {found}")

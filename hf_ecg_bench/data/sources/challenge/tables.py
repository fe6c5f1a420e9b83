"""All records of a Challenge set: what their headers say, their labels and folds. Signals are read elsewhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from hf_ecg_bench.data.demographics import age_in_years, sex_of
from hf_ecg_bench.data.folds.stratify import stratify
from hf_ecg_bench.data.formats.csv_table import number
from hf_ecg_bench.data.ledger import Ledger, RecordProblem
from hf_ecg_bench.data.records import RecordIndex
from hf_ecg_bench.data.sources.challenge.codes import label_of_code
from hf_ecg_bench.data.sources.challenge.headers import Listing, find_records
from hf_ecg_bench.data.sources.challenge.scan import Scanned, scan_records
from hf_ecg_bench.data.sources.challenge.sets import RATE, ChallengeSet, published_labels
from hf_ecg_bench.data.vocabulary import choose_labels
from hf_ecg_bench.errors import DataError, some
from hf_ecg_bench.progress import progress

UNKNOWN_CODE = "unknown diagnosis code (ignored)"
UNLABELLED = "unlabelled (kept in train, fold -1)"
_NO_AGE = frozenset({"", "nan", "none", "null", "unknown"})


def index_challenge(
    root: str, source: ChallengeSet, ledger: Ledger, *, n_folds: int, min_count: int | None, signals: bool
) -> RecordIndex:
    """All usable records of a set, by name.

    Unreadable records and those with missing samples are left out first. Folds are drawn by iterative stratification
    on all labels of what is left, rare ones included; then labels are reduced to the class names.

    Args:
        root: the set's folder, flat or with `g1`, `g2`, ...; or the root of the release.
        source: the set.
        ledger: everything left out, ignored or not understood is named here.
        n_folds: number of folds.
        min_count: None for the published class names; otherwise those that occur at least so often here.
        signals: False needs headers only, and cannot leave out what only the signal files show.

    Raises:
        DataError: no records, records of another set, an unusable workbook of labels.
    """
    listing = find_records(root, source.folder, fix=source.fix)
    paths = _check_names(listing, source, ledger)
    table = label_of_code(source, (Path(root), listing.folder), ledger)
    scanned = _scan(paths, source, ledger, signals=signals)

    ages, sexes, labels = [], [], []
    unknown: Counter[str] = Counter()
    for name, facts in scanned.items():
        comments = facts.comments
        ages.append(_age(name, comments.age, ledger))
        sexes.append(sex_of(comments.sex, name, ledger))
        known = [code for code in comments.codes if code in table]
        for code in dict.fromkeys(code for code in comments.codes if code not in table):
            unknown[code] += 1
            ledger.defect(name, UNKNOWN_CODE, f"{code!r} is not in the label table of {source.id}")
        if not known:
            found = f"only unknown codes: {', '.join(comments.codes)}" if comments.codes else "no diagnosis code"
            ledger.defect(name, UNLABELLED, found)
        labels.append([table[code] for code in known])
    if unknown:
        counts = [f"{code} ({count} records)" for code, count in sorted(unknown.items())]
        ledger.note(f"diagnosis codes without a label: {some(counts)}")

    classes = sorted({label for own in labels for label in own})
    folds = stratify(labels, classes, [1 / n_folds] * n_folds)
    names, labels = choose_labels(labels, published_labels(source), min_count)
    return RecordIndex(
        record_id=list(scanned),
        patient_id=[None] * len(scanned),
        age=ages,
        sex=sexes,
        strat_fold=folds,
        labels={"labels": labels},
        label_names={"labels": names},
        references=[(name, paths[name]) for name in scanned],
        stamps=[facts.stamp for facts in scanned.values()],
        samples=[int(facts.samples * RATE / facts.rate) for facts in scanned.values()],
    )


def _check_names(listing: Listing, source: ChallengeSet, ledger: Ledger) -> dict[str, str]:
    """The listed records without those that cannot belong to the set."""
    paths = {name: path for name, path in listing.paths.items() if source.is_name(name)}
    if not paths:
        raise DataError(
            f"{source.id}: none of the {len(listing.paths)} records in {listing.folder} is called like "
            f"{source.name(source.first_number)}; found {some(listing.paths, 3)}",
            fix=source.fix,
        )
    for name in (name for name in listing.paths if name not in paths):
        ledger.exclude(name, "record of another set", f"expected a name like {source.name(source.first_number)}")
    listing.report_others(ledger)
    _check_numbers(paths, source, ledger)
    return paths


def _check_numbers(names: Sequence[str] | dict[str, str], source: ChallengeSet, ledger: Ledger) -> None:
    foreign = [name for name in names if int(name.removeprefix(source.prefix)) < source.first_number]
    if foreign:
        ledger.problem(
            f"{len(foreign)} records ({some(foreign, 3)}) have numbers below {source.name(source.first_number)}: "
            "in the release these belong to another set",
            fix=source.fix,
        )


def _scan(paths: dict[str, str], source: ChallengeSet, ledger: Ledger, *, signals: bool) -> dict[str, Scanned]:
    """Name -> what is known of each usable record; the others are named in the ledger."""
    if not signals:
        ledger.note("signal files were not looked at: records that only they show to be unusable are counted here")
    usable = {}
    with progress(total=len(paths), desc=f"scan {source.id}", unit="rec") as bar:
        results = scan_records(list(paths.values()), signals=signals)
        for name, result in zip(paths, results, strict=True):
            bar.update()
            if isinstance(result, RecordProblem):
                ledger.exclude(name, result.reason, result.detail)
            else:
                usable[name] = result
    return usable


def _age(name: str, text: str | None, ledger: Ledger) -> float | None:
    """Years; words for "missing" and negative numbers are placeholders, anything else unusable is counted."""
    age = age_in_years(text)
    if age is None and text is not None and text.casefold() not in _NO_AGE and (number(text) or 0) >= 0:
        ledger.defect(name, "unusable age (stored as missing)", repr(text))
    return age

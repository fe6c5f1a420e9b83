"""Which patient and which of their records an index is, without knowing how many records there are.

Everything random about record `i` is seeded by (seed, patient, visit), so a record is the same in a dataset
of ten records and in one of a million, whatever the order or the process it is made in.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hf_ecg_bench.errors import DataError

N_FOLDS = 10
_BLOCK = 4  # patients whose numbers of records add up to four times the mean

_COUNTS, _FOLDS, _PATIENT, _VISIT, _NOISE = range(5)


@dataclass(frozen=True)
class Address:
    """Where a record belongs: patient number, number of the patient's record (0-based), fold 1..10."""

    index: int
    patient: int
    visit: int
    fold: int


def stream(seed: int, *key: int) -> np.random.Generator:
    """A random generator of its own for every key."""
    return np.random.default_rng(np.random.SeedSequence((seed, *key)))


def patient_stream(seed: int, patient: int) -> np.random.Generator:
    """What is lasting about a patient."""
    return stream(seed, _PATIENT, patient)


def visit_stream(seed: int, patient: int, visit: int) -> np.random.Generator:
    """What is particular to one recording."""
    return stream(seed, _VISIT, patient, visit)


def noise_stream(seed: int, patient: int, visit: int) -> np.random.Generator:
    """The noise of one recording, apart from the visit's stream: a plan is made without it."""
    return stream(seed, _NOISE, patient, visit)


def locate(index: int, seed: int, records_per_patient: int) -> Address:
    """The address of record `index`.

    In every block of four patients one has a record less and one a record more than `records_per_patient`
    (with 1, all have one). In every ten patients each of the ten folds occurs once; a patient has one fold.

    Raises:
        DataError: a negative index or seed, or no records per patient.
    """
    if index < 0 or seed < 0 or records_per_patient < 1:
        raise DataError(
            "synthetic records need index >= 0, seed >= 0 and records_per_patient >= 1, found "
            f"index={index}, seed={seed}, records_per_patient={records_per_patient}"
        )
    block, within = divmod(index, _BLOCK * records_per_patient)
    counts = np.full(_BLOCK, records_per_patient)
    if records_per_patient > 1:
        counts[:2] += (-1, 1)
        stream(seed, _COUNTS, block).shuffle(counts)
    ends = np.cumsum(counts)
    member = int(np.searchsorted(ends, within, side="right"))
    patient = block * _BLOCK + member
    ten, position = divmod(patient, N_FOLDS)
    fold = int(stream(seed, _FOLDS, ten).permutation(N_FOLDS)[position]) + 1
    return Address(index, patient, within - int(ends[member] - counts[member]), fold)

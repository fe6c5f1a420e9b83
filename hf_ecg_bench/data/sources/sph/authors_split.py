"""The split that the authors of SPH suggest; the benchmark does not use it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

TEST_SHARE = 0.2


def authors_split(patients: Sequence[str], seed: int) -> list[str]:
    """`train` or `test` for each record: all records of patients with several, and a sample of the others up to 20 %.

    Args:
        patients: the patient of each record, in the order of the table.
        seed: of the sample; the authors' is 73.
    """
    records = Counter(patients)
    single = [number for number, patient in enumerate(patients) if records[patient] == 1]
    wanted = max(0, int(TEST_SHARE * len(patients)) - (len(patients) - len(single)))
    # What pandas' `sample(n, random_state=seed)` draws.
    drawn = np.random.RandomState(seed).permutation(len(single))[:wanted]
    train = set(single) - {single[number] for number in drawn}
    return ["train" if number in train else "test" for number in range(len(patients))]

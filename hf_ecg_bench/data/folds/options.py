"""What the options of computed folds may be."""

from __future__ import annotations

from hf_ecg_bench.errors import DataError

# Training, validation and test need one each.
MIN_FOLDS = 3
_SEEDS = 2**32


def check_fold_options(n_folds: int, **seeds: int) -> None:
    """Refuse fewer folds than splits, and seeds that NumPy's legacy generator does not take.

    Raises:
        DataError: naming the option.
    """
    if not isinstance(n_folds, int) or n_folds < MIN_FOLDS:
        raise DataError(f"option n_folds={n_folds!r}: expected a whole number of at least {MIN_FOLDS}")
    for name, seed in seeds.items():
        if not isinstance(seed, int) or not 0 <= seed < _SEEDS:
            raise DataError(f"option {name}={seed!r}: expected a whole number from 0 to {_SEEDS - 1}")

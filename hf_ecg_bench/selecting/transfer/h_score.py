"""H-score of features (Bao et al., ICIP 2019), with a shrunken covariance (Ibrahim et al. 2021, arXiv 2110.06893)."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from hf_ecg_bench.selecting.transfer.columns import Floats, Targets, check_features, same_records
from hf_ecg_bench.selecting.transfer.moments import Moments, moments


def h_score(features: ArrayLike, targets: Targets, *, shrink: bool = True) -> Floats:
    """tr(cov(f)^-1 cov(E[f | y])) per target, (targets,); NaN where a target is not usable.

    For one yes/no target it equals cov(f, y)' cov(f)^-1 cov(f, y) / var(y), the R2 of least squares; that form also
    serves regression targets. It is between 0 and 1.

    Args:
        features: (records, dim).
        shrink: Ledoit-Wolf shrinkage of the covariance towards a multiple of the identity, which many features of few
            records need; the covariance of the class means is multiplied by what is left of the other.

    Raises:
        EcgBenchError: features that are not finite or of another number of records.
    """
    f = check_features(features, len(targets.values))
    result = np.full(targets.values.shape[1], np.nan)
    for columns, records in same_records(targets):
        y = targets.values[np.ix_(records, columns)]
        found = moments(f if len(records) == len(f) else f[records], y, centred=True)
        lost = ledoit_wolf(found) if shrink else 0.0
        target = found.squares.sum() / found.n / found.dim
        variances = found.squares[:, None] / found.n
        # Along an eigenvector the squared covariance with y is variance * along^2 / n.
        ratio = (1 - lost) * variances / ((1 - lost) * variances + lost * target)
        result[columns] = (ratio * found.along**2).sum(0) / found.y_squares
    return result


def ledoit_wolf(found: Moments) -> float:
    """The shrinkage of Ledoit & Wolf (2004), between 0 and 1, from centred moments."""
    n, variances = found.n, found.squares / found.n
    mean = variances.sum() / found.dim
    distance = (variances**2).sum() - found.dim * mean**2
    noise = (found.fourth / n - (variances**2).sum()) / n
    return float(np.clip(noise / distance, 0, 1)) if distance > 0 else 1.0

"""LogME: the logarithm of the maximum evidence of a Bayesian linear model on features (You et al., ICML 2021,
arXiv 2102.11005), per record, for all targets at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from hf_ecg_bench.selecting.transfer.columns import Floats, Targets, check_features, same_records
from hf_ecg_bench.selecting.transfer.moments import Moments, moments

_ROUNDS, _TOLERANCE = 200, 1e-7
_TINY = 1e-12


def logme(features: ArrayLike, targets: Targets) -> Floats:
    """LogME per target, (targets,); NaN where a target is not usable.

    Weights have the prior N(0, 1/alpha), targets the noise N(0, 1/beta); alpha and beta maximise the evidence. As in
    the paper neither features nor targets are centred, and yes/no targets are 0 and 1.

    Args:
        features: (records, dim).

    Raises:
        EcgBenchError: features that are not finite or of another number of records.
    """
    f = check_features(features, len(targets.values))
    result = np.full(targets.values.shape[1], np.nan)
    for columns, records in same_records(targets):
        y = targets.values[np.ix_(records, columns)]
        result[columns] = evidence(moments(f if len(records) == len(f) else f[records], y, centred=False))
    return result


def evidence(found: Moments) -> Floats:
    """(targets,) the maximum of log p(y | F, alpha, beta) / n, by the fixed-point iteration.

    With t = alpha / beta it is a map of one number per target: t <- gamma / (n - gamma) * residual / |weights|^2.
    """
    squares, power = found.squares[:, None], found.along**2
    outside = np.maximum(found.y_squares - power.sum(0), 0)  # of the targets, what no weights can reach
    t = np.ones_like(outside)
    for _ in range(_ROUNDS):
        gamma, weights, residual = _parts(squares, power, outside, t)
        new = np.clip(gamma / np.maximum(found.n - gamma, _TINY) * residual / np.maximum(weights, 1e-300), 1e-12, 1e15)
        done = np.abs(np.log(new / t)) < _TOLERANCE
        t = new
        if done.all():
            break
    return log_evidence(found, t)


def log_evidence(found: Moments, t: Floats) -> Floats:
    """(targets,) log p(y) / n at alpha / beta = t, with the noise that is best for it."""
    squares, power = found.squares[:, None], found.along**2
    outside = np.maximum(found.y_squares - power.sum(0), 0)
    _, weights, residual = _parts(squares, power, outside, t)
    n = found.n
    # beta maximises n/2 log beta - beta/2 (residual + t |weights|^2) + terms of t alone.
    total = np.maximum(residual + t * weights, 1e-300)
    beta = n / total
    log_determinant = np.log1p(squares / t).sum(0)
    return np.asarray((n * np.log(beta / (2 * np.pi)) - n - log_determinant) / (2 * n))


def _parts(squares: Floats, power: Floats, outside: Floats, t: Floats) -> tuple[Floats, Floats, Floats]:
    """Effective number of weights, squared length of the posterior mean, and squared residual."""
    share = squares / (squares + t)
    weights = (power * share / (squares + t)).sum(0)
    residual = (power * (1 - share) ** 2).sum(0) + outside
    return share.sum(0), weights, residual

"""The points of a learning curve as numbers: error, what the test set contributes to its luck, and what the seed does.

The two are kept apart: the sampling error comes from which patients are tested, and is shared by all points of a task;
the seed's comes from the draw of the subset, the initialisation and the order, and is each run's own.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from hf_ecg_bench.results.estimate import Estimate
from hf_ecg_bench.scaling.law import Floats
from hf_ecg_bench.scaling.reading import CurveRuns, training_records

# A seed SD from two or three runs is itself luck: it is mixed with what all sizes of the curve say, as if that were
# the SD of so many further runs.
_PRIOR_RUNS = 2
_NORMAL_97_5 = 1.959963984540054


@dataclass(frozen=True, eq=False)
class Curve:
    """Points of one curve, from few records to many.

    Attributes:
        records: (sizes,) training records, mean over the seeds.
        runs: per size the errors of its runs, (seeds,).
        sampling_sd: (sizes,) standard error from the test set, 0 where no interval is known.
        samples: per size (seeds, resamples), the runs' errors on the same resampled test patients; None: not known.
    """

    records: Floats
    runs: tuple[Floats, ...]
    sampling_sd: Floats
    samples: tuple[Floats, ...] | None = None

    @property
    def errors(self) -> Floats:
        """(sizes,) mean over the seeds."""
        return np.array([values.mean() for values in self.runs])

    @property
    def seed_sd(self) -> Floats:
        """(sizes,) standard deviation over the seeds, NaN with one."""
        return np.array([values.std(ddof=1) if len(values) > 1 else math.nan for values in self.runs])

    @property
    def seed_freedom(self) -> int:
        """Degrees of freedom of all seed SDs together; 0 where every size has one run."""
        return sum(len(values) - 1 for values in self.runs)

    @property
    def seed_variance(self) -> Floats:
        """(sizes,) variance of one run over the seeds, stabilised over the sizes; 0 where no size has two runs."""
        if not self.seed_freedom:
            return np.zeros(len(self.runs))
        freedom = np.array([len(values) - 1 for values in self.runs])
        own = np.nan_to_num(self.seed_sd) ** 2
        pooled = (freedom * own).sum() / freedom.sum()
        return np.asarray((_PRIOR_RUNS * pooled + freedom * own) / (_PRIOR_RUNS + freedom))

    @property
    def variances(self) -> Floats:
        """(sizes,) of the mean errors, above 0: seeds average out, the one test set does not."""
        number = np.array([len(values) for values in self.runs])
        variance = self.sampling_sd**2 + self.seed_variance / number
        known = variance[variance > 0]
        return np.where(variance > 0, variance, known.mean() if len(known) else 1.0)


def curve_of(runs: CurveRuns) -> Curve:
    """The numbers of a curve's runs; standard errors are the intervals' widths over those of a normal's."""
    sampling = [math.sqrt(np.mean([_standard_error(run.error) ** 2 for run in size])) for size in runs.sizes]
    samples = [[run.samples for run in size if run.samples is not None] for size in runs.sizes]
    known = all(len(own) == len(size) for own, size in zip(samples, runs.sizes, strict=True))
    return Curve(
        np.array([training_records(size) for size in runs.sizes]),
        tuple(np.array([run.error.value for run in size]) for size in runs.sizes),
        np.array(sampling),
        tuple(np.array(own) for own in samples) if known else None,
    )


def sampling_interval(runs: CurveRuns, size: int) -> tuple[float, float]:
    """Mean ends of the runs' own intervals (which patients were tested); NaN without."""
    ends = [(run.error.low, run.error.high) for run in runs.sizes[size]]
    low, high = np.array(ends).mean(axis=0).tolist()
    return low, high


def _standard_error(error: Estimate) -> float:
    return error.width / (2 * _NORMAL_97_5) if error.has_interval else 0.0

"""Metrics, bootstrap intervals, comparisons and ranks: arrays in, arrays out; numpy only.

`targets` and `predictions` have shape (records, targets). NaN marks a missing target; predictions are finite.
"""

from hf_ecg_bench.evaluation.auroc import auroc, macro_auroc, micro_auroc
from hf_ecg_bench.evaluation.average_precision import (
    average_precision,
    macro_average_precision,
    micro_average_precision,
)
from hf_ecg_bench.evaluation.bootstrap import Bootstrap, bootstrap
from hf_ecg_bench.evaluation.brier import brier, macro_brier
from hf_ecg_bench.evaluation.calibration import calibration_error
from hf_ecg_bench.evaluation.comparison import Comparison, compare
from hf_ecg_bench.evaluation.delong import AurocInterval, DelongTest, delong_covariance, delong_interval, delong_test
from hf_ecg_bench.evaluation.differences import summarise_difference
from hf_ecg_bench.evaluation.f1 import f1, macro_f1, micro_f1, sample_f1
from hf_ecg_bench.evaluation.influence import InfluenceEstimate, compare_influence, macro_influence
from hf_ecg_bench.evaluation.mae import composite, macro_mae, mae, pooled_mae
from hf_ecg_bench.evaluation.multiplicity import benjamini_hochberg, holm
from hf_ecg_bench.evaluation.r2 import macro_r2, r2
from hf_ecg_bench.evaluation.ranking import Ranking, rank
from hf_ecg_bench.evaluation.summary import summarise
from hf_ecg_bench.evaluation.thresholds import Thresholds, choose_thresholds

__all__ = [
    "AurocInterval",
    "Bootstrap",
    "Comparison",
    "DelongTest",
    "InfluenceEstimate",
    "Ranking",
    "Thresholds",
    "auroc",
    "average_precision",
    "benjamini_hochberg",
    "bootstrap",
    "brier",
    "calibration_error",
    "choose_thresholds",
    "compare",
    "compare_influence",
    "composite",
    "delong_covariance",
    "delong_interval",
    "delong_test",
    "f1",
    "holm",
    "macro_auroc",
    "macro_average_precision",
    "macro_brier",
    "macro_f1",
    "macro_influence",
    "macro_mae",
    "macro_r2",
    "mae",
    "micro_auroc",
    "micro_average_precision",
    "micro_f1",
    "pooled_mae",
    "r2",
    "rank",
    "sample_f1",
    "summarise",
    "summarise_difference",
]

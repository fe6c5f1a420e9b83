"""Metrics, bootstrap intervals, comparisons and ranks: arrays in, arrays out; numpy only.

`targets` and `predictions` have shape (records, targets). NaN marks a missing target; predictions are finite.
"""

from hf_ecg_bench.evaluation.auroc import auroc, macro_auroc, micro_auroc
from hf_ecg_bench.evaluation.bootstrap import Bootstrap, bootstrap
from hf_ecg_bench.evaluation.comparison import Comparison, compare
from hf_ecg_bench.evaluation.influence import InfluenceEstimate, compare_influence, macro_influence
from hf_ecg_bench.evaluation.mae import composite, macro_mae, mae, pooled_mae
from hf_ecg_bench.evaluation.multiplicity import benjamini_hochberg, holm
from hf_ecg_bench.evaluation.ranking import Ranking, rank
from hf_ecg_bench.evaluation.summary import summarise, summarise_difference

__all__ = [
    "Bootstrap",
    "Comparison",
    "InfluenceEstimate",
    "Ranking",
    "auroc",
    "benjamini_hochberg",
    "bootstrap",
    "compare",
    "compare_influence",
    "composite",
    "holm",
    "macro_auroc",
    "macro_influence",
    "macro_mae",
    "mae",
    "micro_auroc",
    "pooled_mae",
    "rank",
    "summarise",
    "summarise_difference",
]

"""The published results as reference rows, what speaks against them, and ours beside them."""

from hf_ecg_bench.published.audit import findings_of, published_findings, published_rows
from hf_ecg_bench.published.beside import Beside, beside
from hf_ecg_bench.published.finding import Finding

__all__ = ["Beside", "Finding", "beside", "findings_of", "published_findings", "published_rows"]

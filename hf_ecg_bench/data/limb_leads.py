"""Whether a row's limb leads are what they are called; counted, as the record is kept."""

from __future__ import annotations

import numpy as np

from hf_ecg_bench.data.ledger import Ledger
from hf_ecg_bench.signals.leads import limb_lead_residual

# Rounding leaves a few microvolts, a wrong column some hundred. Every twentieth sample decides as well as all.
TOLERANCE_MV = 0.03
_STRIDE = 20


def report_limb_leads(record_id: str, signal: np.ndarray, ledger: Ledger, *, tolerance: float = TOLERANCE_MV) -> None:
    """Count a record whose limb leads break Einthoven's and Goldberger's relations.

    Args:
        signal: (time, 12), canonical leads, mV unless `tolerance` is in another unit.
    """
    residual = limb_lead_residual(signal[::_STRIDE])
    if residual > tolerance:
        ledger.defect(
            record_id,
            "limb leads contradict each other (kept; columns swapped or mislabelled?)",
            f"II - I - III and the augmented leads are off by {residual:.3f} mV (root mean square)",
        )

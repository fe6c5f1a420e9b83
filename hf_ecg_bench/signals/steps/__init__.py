"""Preprocessing steps of the models' authors: each a frozen declaration that describes itself and does it.

Declaring steps needs numpy only; scipy is imported when a step runs.
"""

from hf_ecg_bench.signals.steps.base import Step, follow, run_steps, step_from_dict
from hf_ecg_bench.signals.steps.filters import BandPass, FirBandPass, HighPass, LowPass, MedianBaseline, Notch
from hf_ecg_bench.signals.steps.missing import FillMissing
from hf_ecg_bench.signals.steps.rates import FourierResample, JoinedDecimation, KaiserResample, LinearResample
from hf_ecg_bench.signals.steps.scaling import Clip, MinMax, ZScore

__all__ = [
    "BandPass",
    "Clip",
    "FillMissing",
    "FirBandPass",
    "FourierResample",
    "HighPass",
    "JoinedDecimation",
    "KaiserResample",
    "LinearResample",
    "LowPass",
    "MedianBaseline",
    "MinMax",
    "Notch",
    "Step",
    "ZScore",
    "follow",
    "run_steps",
    "step_from_dict",
]

"""Configuration of ECGFounder."""

from __future__ import annotations

from hf_ecg_bench.models.net1d.configuration_net1d import Net1dConfig


class EcgFounderConfig(Net1dConfig):
    """Net1D's sizes; the defaults are those of the public checkpoint."""

    model_type = "ecg_founder"

"""Small WFDB records with a known signal."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from hf_ecg_bench.signals.leads import LEADS


def ecg(seconds: float = 10, rate: int = 500, seed: int = 0) -> np.ndarray:
    """(time, 12) mV in the canonical order; the limb leads fit together."""
    generator = np.random.default_rng(seed)
    time = np.arange(round(seconds * rate)) / rate
    beats = np.exp(-(((time[:, None] % 0.8) - 0.3) ** 2) / 0.0004) * generator.uniform(0.5, 1.5, (1, 8))
    i, ii = beats[:, 0] + 0.1 * np.sin(7 * time), beats[:, 1] - 0.1 * np.cos(5 * time)
    limb = np.stack([i, ii, ii - i, -(i + ii) / 2, i - ii / 2, ii - i / 2], axis=1)
    return np.concatenate([limb, beats[:, 2:]], axis=1).astype(np.float32)


def write(
    base: Path, signal: np.ndarray, rate: float = 500, *, names: tuple[str, ...] = LEADS, unit: str = "mV"
) -> Path:
    """Write `<base>.hea` and `<base>.dat` in format 16, in steps of a microvolt; returns the base."""
    per_unit = {"mV": 1000, "uV": 1, "V": 1_000_000}.get(unit, 1000)
    digital = np.round(signal * 1000).astype("<i2")
    base.parent.mkdir(parents=True, exist_ok=True)
    base.with_name(base.name + ".dat").write_bytes(digital.tobytes())
    sums = digital.sum(axis=0, dtype=np.int64).astype(np.int16)
    lines = [f"{base.name} {len(names)} {rate:g} {len(signal)}"]
    lines += [
        f"{base.name}.dat 16 {per_unit}/{unit} 16 0 {digital[0, k]} {sums[k]} 0 {name}" for k, name in enumerate(names)
    ]
    base.with_name(base.name + ".hea").write_text("\n".join(lines) + "\n")
    return base

"""Models that the benchmark feeds otherwise than their pretraining did, by how they are declared."""

from __future__ import annotations

from collections.abc import Sequence

from hf_ecg_bench.models.registry import get_model_spec
from hf_ecg_bench.models.spec import ModelSpec
from hf_ecg_bench.published.declared import known_models
from hf_ecg_bench.published.finding import Finding, keys
from hf_ecg_bench.results.row import Row
from hf_ecg_bench.signals.leads import LEADS
from hf_ecg_bench.signals.original import OriginalInput
from hf_ecg_bench.signals.steps import Clip, FillMissing, FourierResample, KaiserResample, LinearResample

#: Steps that leave a signal what it is, but for its rate, gaps and outliers.
_SAME_SIGNAL = (Clip, FillMissing, FourierResample, KaiserResample, LinearResample)
_AS_IT_IS = ModelSpec.__dataclass_fields__["paper_input"].default


def other_rate(rows: Sequence[Row]) -> list[Finding]:
    """Models fed at another sampling rate."""
    return [
        Finding(
            f"other-rate-{spec.id}",
            f"{spec.id}: fed at {spec.sampling_rate} Hz, pretrained at {original.rate:g} Hz",
            "caution",
            "value",
            f"A window of {spec.window_seconds:g} s has {spec.sampling_rate * spec.window_seconds:.0f} samples instead "
            f"of {original.rate * spec.window_seconds:.0f}: every wave is {spec.sampling_rate / original.rate:g} times "
            "as long as the filters know it.",
            f"read in the authors' run script; the model's own repository asks for {original.rate:g} Hz",
            keys(row for row in rows if row.model == spec.id),
        )
        for spec, original in _pretrained(rows)
        if original.rate != spec.sampling_rate
    ]


def other_leads(rows: Sequence[Row]) -> list[Finding]:
    """Models fed with leads in other places."""
    found = []
    for spec, original in _pretrained(rows):
        moved = [lead for lead, other in zip(LEADS, original.leads, strict=True) if lead != other]
        if moved:
            found.append(
                Finding(
                    f"other-leads-{spec.id}",
                    f"{spec.id}: fed with {' and '.join(moved)} exchanged",
                    "note",
                    "value",
                    f"Pretraining had {' '.join(original.leads)}; the benchmark feeds {' '.join(LEADS)}.",
                    "read in the authors' code, and in the model's, which exchanges them for other data",
                    keys(row for row in rows if row.model == spec.id),
                )
            )
    return found


def other_preprocessing(rows: Sequence[Row]) -> list[Finding]:
    """Models fed with plain millivolts that were pretrained on filtered or normalised signals."""
    told = {}
    for spec, original in _pretrained(rows):
        if spec.paper_input == _AS_IT_IS and any(
            not isinstance(step, _SAME_SIGNAL) for step in (*original.record, *original.window)
        ):
            told[spec.id] = "; ".join(original.describe())
    if not told:
        return []
    return [
        Finding(
            "other-preprocessing",
            f"{', '.join(told)}: fed with plain millivolts, pretrained on filtered or normalised signals",
            "note",
            "value",
            f"The benchmark feeds all models alike, {_AS_IT_IS}. Pretraining: "
            + ". ".join(f"{model}: {steps}" for model, steps in told.items())
            + ". Frozen modes meet features that the model did not learn on such input; fine-tuning can adapt.",
            "read in the code of the benchmark and of the models (--preprocessing original feeds theirs)",
            keys(row for row in rows if row.model in told),
        )
    ]


def _pretrained(rows: Sequence[Row]) -> list[tuple[ModelSpec, OriginalInput]]:
    specs = map(get_model_spec, known_models(rows))
    return [(spec, spec.original) for spec in specs if spec.original is not None]

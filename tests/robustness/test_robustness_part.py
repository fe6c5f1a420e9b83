"""What the report makes of stored evaluations."""

from __future__ import annotations

import pytest

from hf_ecg_bench.errors import PredictionsError
from hf_ecg_bench.evaluation import holm
from hf_ecg_bench.results.robustness_part import robustness_part


def interval(value, **more):
    return {"value": value, "low": value - 0.01, "high": value + 0.01, **more}


def perturbed(name, change, p):
    return {
        "kind": "perturbation",
        "perturbation": {"id": name, "title": f"title of {name}", "detail": ""},
        "metrics": {"metrics": {"macro_auroc": interval(0.9 + change)}},
        "difference": {"macro_auroc": interval(change, p=p)},
    }


SHIFT = {
    "kind": "shift",
    "dataset": {"id": "georgia", "records": 1021},
    "targets": {"CRBBB": {"present": ["right bundle branch block"]}, "AFIB": {"present": ["<b>AF</b>"]}},
    "metrics": {
        "metrics": {"macro_auroc": interval(0.8)},
        "targets": {
            "CRBBB": {"kind": "binary", "auroc": interval(0.7), "n_positive": 5, "n_negative": 1000},
            "AFIB": {"kind": "binary", "auroc": interval(0.9), "n_positive": 50, "n_negative": 900},
        },
    },
    "metrics_home": {
        "metrics": {"macro_auroc": interval(0.95)},
        "targets": {"CRBBB": {"auroc": interval(0.94)}, "AFIB": {"auroc": interval(0.96)}},
    },
    "difference": {"macro_auroc": interval(-0.15, p=0.002)},
    "warnings": ["only few records"],
}


def texts(table):
    return [[cell.text for cell in row] for row in table.rows]


def test_nothing_asked_nothing_said():
    assert robustness_part((), "run") is None


def test_panel():
    part = robustness_part([perturbed("a", -0.2, 0.002), perturbed("b", 0.0, 0.4), perturbed("c", -0.1, 0.03)], "run")
    assert part.shift is None
    assert texts(part.panel)[0] == ["title of a", "0.700 [0.690, 0.710]", "-0.200 [-0.210, -0.190]", "0.006"]
    assert [row[-1] for row in texts(part.panel)] == [f"{p:.3f}" for p in holm([0.002, 0.4, 0.03])]
    (picture,) = part.panel_pictures
    assert picture.key == "perturbations-macro-auroc"


def test_other_datasets():
    part = robustness_part([SHIFT], "run")
    assert part.panel is None
    assert texts(part.shift) == [
        [
            "georgia", "1021", "2", "Macro AUROC", "0.800 [0.790, 0.810]", "0.950 [0.940, 0.960]",
            "-0.150 [-0.160, -0.140]",
        ]
    ]  # fmt: skip
    (table,) = part.shift_targets
    assert texts(table)[0][:5] == ["CRBBB", "right bundle branch block", "5", "1,000", "0.700 [0.690, 0.710]"]
    assert [row[4].weak for row in table.rows] == [True, False], "five positives are to be distrusted"
    assert part.notes == ("georgia: only few records",)
    assert len({table.key for table in part.tables}) == 2


def test_broken_evaluations_are_named():
    with pytest.raises(PredictionsError, match="difference"):
        robustness_part([{**SHIFT, "difference": []}], "run")

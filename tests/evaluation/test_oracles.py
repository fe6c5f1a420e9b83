"""Published numbers and the reference's own outputs. These need the developers' shared folder."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from hf_ecg_bench import evaluation as ev
from hf_ecg_bench.results.predictions import read_predictions

pytestmark = pytest.mark.shared

BOOTSTRAPPED = (
    "auroc_1",
    "auroc_4_nan_targets_boot",
    "auroc_5_basic",
    "auroc_5_missing_class",
    "auroc_5_ties_constant",
    "auroc_71",
)
# The reference casts resampled scores to float32.
ENDS = {"rtol": 0, "atol": 1e-6}
EXACT = {"rtol": 0, "atol": 1e-9}


def load(shared: Path, name: str) -> dict[str, NDArray]:
    with np.load(shared / "oracles" / "metrics" / f"{name}.npz", allow_pickle=False) as archive:
        return dict(archive)


def reference_indices(oracle: dict[str, NDArray], n: int, prefix: str = "boot") -> NDArray:
    state = np.random.RandomState(int(oracle[f"{prefix}_seed"]))
    return state.randint(0, n, size=(int(oracle[f"{prefix}_n_iterations"]), n))


@pytest.mark.parametrize("name", [*BOOTSTRAPPED, "auroc_5_nan_targets"])
def test_point_values(shared: Path, name: str) -> None:
    o = load(shared, name)
    t, p = o["targets"], o["scores"]
    values = ev.auroc(t, p)
    np.testing.assert_allclose(values, o["auroc_per_label"], **EXACT)
    np.testing.assert_allclose(ev.micro_auroc(t, p), o["auroc_micro"], **EXACT)
    np.testing.assert_allclose(ev.macro_auroc(t, p), o["auroc_macro_defined_only"], **EXACT)
    np.testing.assert_allclose(ev.macro_auroc(t, p, undefined="half"), o["auroc_macro_half"], **EXACT)
    assert np.isnan(values).sum() == o["n_undefined"]


@pytest.mark.parametrize("name", BOOTSTRAPPED)
def test_bootstrap_with_the_reference_indices(shared: Path, name: str) -> None:
    o = load(shared, name)
    t, p = o["targets"], o["scores"]
    indices = reference_indices(o, len(t))
    np.testing.assert_array_equal(indices[0], o["boot_first_indices"])

    half = ev.bootstrap(t, p, indices=indices, undefined="half")
    np.testing.assert_allclose(half.samples, o["boot_macro_half_draws"], **ENDS)
    np.testing.assert_allclose([*half.per_target.low, half.low], np.delete(o["boot_low"], -2), **ENDS)
    np.testing.assert_allclose([*half.per_target.high, half.high], np.delete(o["boot_high"], -2), **ENDS)

    drop = ev.bootstrap(t, p, indices=indices)
    np.testing.assert_allclose(drop.samples, o["boot_macro_defined_only_draws"], **ENDS)
    np.testing.assert_allclose(drop.low, o["boot_macro_defined_only_low"], **ENDS)
    np.testing.assert_allclose(drop.high, o["boot_macro_defined_only_high"], **ENDS)
    np.testing.assert_allclose(drop.per_target.low, o["boot_low_ignore_nan"][:-2], **ENDS)
    np.testing.assert_allclose(drop.per_target.high, o["boot_high_ignore_nan"][:-2], **ENDS)
    counts = drop.per_target.undefined_fraction * drop.n_resamples
    np.testing.assert_allclose(counts, o["boot_nan_counts"][:-2], atol=1e-9)

    micro = ev.bootstrap(t, p, indices=indices, metric="micro_auroc")
    np.testing.assert_allclose([micro.low, micro.high], [o["boot_low"][-2], o["boot_high"][-2]], **ENDS)


@pytest.mark.parametrize("name", BOOTSTRAPPED)
def test_own_resamples_agree_within_monte_carlo_error(shared: Path, name: str) -> None:
    o = load(shared, name)
    own = ev.bootstrap(o["targets"], o["scores"], undefined="half")
    # Against the mean over 40 seeds: the single stored end of auroc_71 is itself 3.4 standard deviations off.
    assert abs(own.low - o["mc_mean_low"]) < 5 * o["mc_sd_low"]
    assert abs(own.high - o["mc_mean_high"]) < 5 * o["mc_sd_high"]


@pytest.mark.parametrize("name", ["clear", "null", "overlap"])
def test_paired_difference(shared: Path, name: str) -> None:
    o = load(shared, f"paired_difference_{name}")
    t, a, b = o["targets"], o["scores_a"], o["scores_b"]
    indices = reference_indices(o, len(t))
    d = ev.compare(t, a, b, indices=indices, undefined="half")
    np.testing.assert_allclose([*d.per_target.value, d.value], np.delete(o["diff_point"], -2), **EXACT)
    np.testing.assert_allclose([*d.per_target.low, d.low], np.delete(o["diff_low"], -2), **ENDS)
    np.testing.assert_allclose([*d.per_target.high, d.high], np.delete(o["diff_high"], -2), **ENDS)
    np.testing.assert_allclose(d.samples, o["macro_diff_draws"], **ENDS)
    assert d.p == pytest.approx(float(o["p_two_sided_plus1"]), abs=1e-12)
    assert d.significant == o["significant"]
    one, two = (ev.bootstrap(t, p, indices=indices, undefined="half") for p in (a, b))
    assert (one.low <= two.high and two.low <= one.high) == o["marginal_intervals_overlap"]


def test_regression(shared: Path) -> None:
    o = load(shared, "regression_6")
    t, p = o["targets"], o["predictions"]
    # The reference computes in float32: its own rounding is about 1e-8 of these values.
    np.testing.assert_allclose(ev.mae(t, p), o["mae_per_target"], rtol=1e-7)
    np.testing.assert_allclose(ev.mae(t, p) * o["scaler_std"], o["mae_original_units"], rtol=1e-7)
    np.testing.assert_allclose(ev.r2(t, p), o["r2_per_target"], rtol=1e-6, atol=2e-7)
    assert ev.pooled_mae(t, p) == pytest.approx(float(o["mae_pooled"]), rel=1e-7)
    assert ev.macro_mae(t, p) == pytest.approx(float(o["mae_macro_defined_only"]), rel=1e-7)
    b = ev.bootstrap(t[:, :5], p[:, :5], indices=reference_indices(o, len(t)), metric="pooled_mae")
    np.testing.assert_allclose([b.value, *b.per_target.value], o["boot_point"], rtol=1e-6)
    np.testing.assert_allclose([b.low, *b.per_target.low], o["boot_low"], **ENDS)
    np.testing.assert_allclose([b.high, *b.per_target.high], o["boot_high"], **ENDS)


def test_joint_head_of_1127_targets(shared: Path) -> None:
    o = load(shared, "combined_1127_point")
    t, p = o["targets"].astype(np.float32), o["scores"].astype(np.float32)
    expected = dict(zip(o["result_keys"].tolist(), o["result_values"], strict=True))
    kinds = ["binary"] * 1092 + ["regression"] * 35
    values = [*ev.auroc(t[:, :1092], p[:, :1092]), *ev.mae(t[:, 1092:], p[:, 1092:])]
    keys = [name if name[0] == "c" else f"{name}_mae" for name in o["names"].tolist()]
    np.testing.assert_allclose(values, [expected[key] for key in keys], rtol=2e-7, atol=1e-9)
    assert np.isnan(values[:1092]).sum() == o["n_undefined"]
    macro = ev.macro_auroc(t[:, :1092], p[:, :1092], undefined="half")
    assert macro == pytest.approx(expected["macro"], abs=1e-9)
    assert ev.micro_auroc(t[:, :1092], p[:, :1092]) == pytest.approx(expected["micro"], abs=1e-9)
    assert ev.pooled_mae(t[:, 1092:], p[:, 1092:]) == pytest.approx(expected["mae"], abs=1e-7)
    assert ev.composite(t, p, kinds, undefined="half") == pytest.approx(expected["composite_score"], abs=1e-7)


def test_combined_bootstrap_assigns_the_names_rightly(shared: Path) -> None:
    """The reference shifts its regression names by one; the stored right assignment is what we must give."""
    o = load(shared, "combined_small_bootstrap")
    t, p, n = o["targets"], o["scores"], len(o["targets"])
    state = np.random.RandomState(int(o["boot_seed"]))
    first, second = (state.randint(0, n, size=(1000, n)) for _ in range(2))
    c = ev.bootstrap(t[:, :6], p[:, :6], indices=first, undefined="half")
    np.testing.assert_allclose([*c.per_target.low, c.low], np.delete(o["cls_low"], -2), **ENDS)
    np.testing.assert_allclose([*c.per_target.high, c.high], np.delete(o["cls_high"], -2), **ENDS)
    r = ev.bootstrap(t[:, 6:], p[:, 6:], indices=second, metric="pooled_mae")
    assert o["reg_order_true"][0] == "mae"
    np.testing.assert_allclose([r.value, *r.per_target.value], o["reg_point"], rtol=1e-6)
    np.testing.assert_allclose([r.low, *r.per_target.low], o["reg_low"], **ENDS)
    np.testing.assert_allclose([r.high, *r.per_target.high], o["reg_high"], **ENDS)
    summary = ev.summarise(t, p, o["names"].tolist(), ["binary"] * 6 + ["regression"] * 35, undefined="half")
    assert summary["metrics"]["pooled_mae"]["value"] == pytest.approx(float(o["correct_mae_point"]), abs=1e-6)


def test_windows_averaged_per_record(shared: Path) -> None:
    o = load(shared, "aggregation")
    t, p = o["record_targets"], o["mean_scores"]
    values = [*ev.auroc(t, p), ev.micro_auroc(t, p), ev.macro_auroc(t, p, undefined="half")]
    np.testing.assert_allclose(values, o["auroc_records_mean"], **EXACT)


def test_delong_and_influence(shared: Path) -> None:
    o = load(shared, "statistics")
    areas, covariance = ev.delong_covariance(o["delong_y"], np.column_stack([o["delong_a"], o["delong_b"]]))
    np.testing.assert_allclose(areas, o["delong_auc"], **EXACT)
    np.testing.assert_allclose(covariance, o["delong_cov"], rtol=0, atol=1e-12)
    tested = ev.delong_test(o["delong_y"], o["delong_a"], o["delong_b"])
    np.testing.assert_allclose([tested.z, tested.p], [o["delong_z"], o["delong_p"]], rtol=1e-9)

    t, a, b, patient = (o[f"infl_{name}"] for name in ("targets", "scores_a", "scores_b", "patient"))
    np.testing.assert_allclose(ev.auroc(t, a), o["infl_auc_a"], **EXACT)
    one = ev.macro_influence(t, a)
    np.testing.assert_allclose(one.influence, o["infl_psi_a"], **EXACT)
    np.testing.assert_allclose(one.standard_error, o["infl_se_a"], **EXACT)
    np.testing.assert_allclose(ev.macro_influence(t, b).standard_error, o["infl_se_b"], **EXACT)
    np.testing.assert_allclose(ev.compare_influence(t, a, b).standard_error, o["infl_se_diff"], **EXACT)
    clustered = ev.macro_influence(t, a, groups=patient), ev.compare_influence(t, a, b, groups=patient)
    np.testing.assert_allclose(clustered[0].standard_error, o["infl_se_a_cluster"], **EXACT)
    np.testing.assert_allclose(clustered[1].standard_error, o["infl_se_diff_cluster"], **EXACT)


def test_patient_bootstrap(shared: Path) -> None:
    o = load(shared, "statistics")
    t, a, b, patient = (o[f"infl_{name}"] for name in ("targets", "scores_a", "scores_b", "patient"))
    indices = reference_indices(o, len(np.unique(patient)), "cluster")
    np.testing.assert_array_equal(indices[0], o["cluster_first_draw"])
    one, two = (ev.bootstrap(t, p, groups=patient, indices=indices) for p in (a, b))
    np.testing.assert_allclose(one.samples, o["cluster_macro_a"], **EXACT)
    np.testing.assert_allclose(two.samples, o["cluster_macro_b"], **EXACT)
    np.testing.assert_allclose([one.low, one.high], [o["cluster_low_a"], o["cluster_high_a"]], **EXACT)
    d = ev.compare(t, a, b, groups=patient, indices=indices)
    np.testing.assert_allclose([d.low, d.high], [o["cluster_diff_low"], o["cluster_diff_high"]], **EXACT)
    assert (d.unit, d.n_groups) == ("patient", len(np.unique(patient)))


def test_rank_rules_and_adjusted_p(shared: Path) -> None:
    o = load(shared, "statistics")
    for case in range(len(o["rule_scores"])):
        ranking = ev.rank(o["rule_scores"][case], o["rule_sig"][case])
        np.testing.assert_array_equal(ranking.rank, o["rule_anchor"][case])
        np.testing.assert_array_equal(ranking.low, o["rule_interval_low"][case])
        np.testing.assert_array_equal(ranking.high, o["rule_interval_high"][case])
    np.testing.assert_allclose(ev.holm(o["p_values"]), o["p_holm"], rtol=0, atol=1e-12)
    np.testing.assert_allclose(ev.benjamini_hochberg(o["p_values"]), o["p_bh"], rtol=0, atol=1e-12)
    adjusted = ev.holm(o["wilcoxon_p"]), ev.benjamini_hochberg(o["wilcoxon_p"])
    np.testing.assert_allclose(adjusted, [o["wilcoxon_p_holm"], o["wilcoxon_p_bh"]], **EXACT)


def test_published_predictions_on_ptbxl(shared: Path) -> None:
    """xresnet1d101 on PTB-XL "all": the point and the bootstrap that its authors published."""
    path = shared / "predictions" / "ptbxl_all71_xresnet1d101_test" / "predictions.npz"
    p = read_predictions(path)
    with np.load(path, allow_pickle=False) as archive:
        indices = archive["bootstrap_ids"]
    result = ev.bootstrap(p.targets, p.predictions, indices=indices)
    assert result.value == pytest.approx(0.9254358590055028, abs=1e-12)
    assert result.samples.mean() == pytest.approx(0.9248700603532448, abs=1e-12)
    ends = np.quantile(result.samples, [0.05, 0.95])
    np.testing.assert_allclose(ends, [0.9185230258692298, 0.9314845724252189], rtol=0, atol=1e-12)
    assert ev.micro_auroc(p.targets, p.predictions) == pytest.approx(0.9779905458123874, abs=1e-12)
    summary = ev.summarise(p.targets, p.predictions, p.names, p.kinds, groups=p.patient_id)
    assert round(summary["metrics"]["macro_auroc"]["value"], 6) == 0.925436
    assert summary["targets"]["2AVB"]["n_positive"] == 1
    from sklearn.metrics import average_precision_score, brier_score_loss

    for metric, reference in (("average_precision", average_precision_score), ("brier", brier_score_loss)):
        found = [summary["targets"][name][metric]["value"] for name in p.names]
        expected = [reference(p.targets[:, k], p.predictions[:, k].astype(float)) for k in range(71)]
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)
    samples = ev.bootstrap(p.targets, p.predictions, indices=indices[:3], metric="average_precision").per_target.samples
    for row, i in zip(samples, indices[:3], strict=True):
        t, s = p.targets[i], p.predictions[i]
        there = [k for k in range(71) if 0 < t[:, k].sum() < len(t)]
        np.testing.assert_allclose(row[there], [average_precision_score(t[:, k], s[:, k]) for k in there], atol=1e-12)


def test_five_seeds_of_one_network(shared: Path) -> None:
    folder = shared / "predictions" / "code_test_resnet_5seeds"
    with np.load(folder / "predictions.npz", allow_pickle=False) as archive:
        targets = archive["targets"]
        scores = {f"seed{k:02d}": archive[f"probs_seed{k:02d}"] for k in range(1, 6)}
    published = [0.998188, 0.998164, 0.993873, 0.998000, 0.996859]
    np.testing.assert_allclose([ev.macro_auroc(targets, p) for p in scores.values()], published, atol=5e-7)
    d = ev.compare(targets, scores["seed01"], scores["seed02"])
    assert not d.significant

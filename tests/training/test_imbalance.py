"""Class weights and focal loss: against plain formulas, exact under any split of a batch; reduced precision."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
import torch

from hf_ecg_bench.errors import TrainingError
from hf_ecg_bench.models.losses import masked_loss, valid_counts
from hf_ecg_bench.training.caveats import training_caveats
from hf_ecg_bench.training.loop.imbalance import MAX_WEIGHT, check_imbalance, positive_weights
from hf_ecg_bench.training.loop.trainer import EcgTrainer
from hf_ecg_bench.training.protocol import Protocol
from tests.training.small import small_spec
from tests.training.test_step import KINDS, Rows, tiny_model

IS_REGRESSION = torch.tensor([False, False, True, False])
WEIGHTS = torch.tensor([3.0, 0.5, 7.0, 20.0])  # that of the regression target must not matter


def some_batch(rows: int = 24) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(3)
    logits = 3 * torch.randn(rows, 4, generator=generator, dtype=torch.float64)
    labels = (torch.rand(rows, 4, generator=generator, dtype=torch.float64) < 0.3).double()
    labels[torch.rand(rows, 4, generator=generator) < 0.2] = math.nan
    labels[rows // 2 :, 3] = math.nan  # a target that the second half lacks
    return logits, labels


def plain_loss(logits: np.ndarray, labels: np.ndarray, weights: list[float], gamma: float) -> float:
    """The definition, entry by entry."""
    per_target = []
    for column in range(4):
        errors = []
        for z, y in zip(logits[:, column], labels[:, column], strict=True):
            if math.isnan(y):
                continue
            p = 1 / (1 + math.exp(-z))
            right = p if y == 1 else 1 - p
            weight = weights[column] if y == 1 else 1.0
            errors.append(abs(z - y) if IS_REGRESSION[column] else -weight * (1 - right) ** gamma * math.log(right))
        per_target.append(sum(errors) / len(errors))
    return (per_target[0] + per_target[1] + per_target[3]) / 3 + per_target[2]


@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0])
@pytest.mark.parametrize("weighted", [False, True])
def test_values_are_those_of_the_definition(gamma, weighted):
    logits, labels = some_batch()
    weights = WEIGHTS if weighted else None
    loss = masked_loss(logits, labels, IS_REGRESSION, positive_weights=weights, focal_gamma=gamma)
    plain = plain_loss(logits.numpy(), labels.numpy(), WEIGHTS.tolist() if weighted else [1.0] * 4, gamma)
    assert float(loss) == pytest.approx(plain, rel=1e-12)


def test_parts_of_a_batch_add_up_with_their_gradients():
    logits, labels = some_batch()
    options = {"positive_weights": WEIGHTS, "focal_gamma": 2.0}
    whole = logits.clone().requires_grad_()
    masked_loss(whole, labels, IS_REGRESSION, **options).backward()
    parts = logits.clone().requires_grad_()
    counts = valid_counts(labels)
    for rows in (slice(0, 5), slice(5, 12), slice(12, 24)):
        masked_loss(parts[rows], labels[rows], IS_REGRESSION, counts, **options).backward()
    torch.testing.assert_close(parts.grad, whole.grad, rtol=1e-12, atol=1e-15)


def test_extreme_logits_keep_finite_gradients():
    logits = torch.tensor([[300.0], [-300.0], [300.0], [-300.0]], requires_grad=True)
    labels = torch.tensor([[1.0], [0.0], [0.0], [1.0]])
    loss = masked_loss(logits, labels, torch.tensor([False]), focal_gamma=0.5)
    loss.backward()
    assert float(loss.detach()) == pytest.approx(150.0)  # right ones cost nothing, wrong ones 300 each
    assert logits.grad.isfinite().all()


def test_weights_are_counted_from_the_training_records():
    targets = np.zeros((1000, 6))
    targets[:100, 0] = 1  # 1 in 10
    targets[:900, 1] = 1  # 9 in 10
    targets[0, 2] = 1  # 1 in 1000
    targets[:, 4] = 1  # no negatives; target 3 has no positives
    targets[:500, 0] = np.where(np.arange(500) < 100, 1, np.nan)  # missing entries do not count
    targets[:, 5] = np.arange(1000)
    is_regression = np.array([False] * 5 + [True])
    balanced = positive_weights(targets, is_regression, "balanced")
    np.testing.assert_allclose(balanced, [5.0, 1 / 9, MAX_WEIGHT, 1.0, 1.0, 1.0], rtol=1e-6)
    roots = positive_weights(targets, is_regression, "sqrt")
    np.testing.assert_allclose(roots, [5**0.5, 1 / 3, 999**0.5, 1.0, 1.0, 1.0], rtol=1e-6)
    assert positive_weights(targets, is_regression, "none") is None


def test_a_weight_moves_the_best_logit_by_its_logarithm():
    labels = torch.zeros(1000, 1, dtype=torch.float64)
    labels[:20] = 1
    best = {}
    for weight in (1.0, 49.0):
        intercept = torch.zeros((), dtype=torch.float64, requires_grad=True)
        optimizer = torch.optim.LBFGS([intercept], max_iter=100, tolerance_grad=1e-12, line_search_fn="strong_wolfe")

        def closure(intercept=intercept, optimizer=optimizer, weight=weight):
            optimizer.zero_grad()
            loss = masked_loss(
                intercept.expand_as(labels), labels, torch.tensor([False]), positive_weights=torch.tensor([weight])
            )
            loss.backward()
            return loss

        optimizer.step(closure)
        best[weight] = float(intercept.detach())
    assert best[1.0] == pytest.approx(math.log(20 / 980), abs=1e-4)
    assert best[49.0] == pytest.approx(0.0, abs=1e-4)  # balanced: a coin


def step_with(folder, batch_size: int, accumulation: int, steps: int = 2, **arguments):
    """A Trainer with weights and focal loss on the rows of test_step, trained."""
    from transformers import TrainingArguments

    model = tiny_model()
    rows = Rows()
    if not arguments:
        model, rows.x, rows.y = model.double(), rows.x.double(), rows.y.double()
    trainer = EcgTrainer(
        model=model,
        args=TrainingArguments(
            output_dir=str(folder), max_steps=steps, per_device_train_batch_size=batch_size, learning_rate=1e-3,
            gradient_accumulation_steps=accumulation, max_grad_norm=0.0, lr_scheduler_type="constant",
            save_strategy="no", report_to="none", use_cpu=True, disable_tqdm=True, remove_unused_columns=False,
            label_names=["labels"], **arguments,
        ),
        train_dataset=rows, data_collator=lambda batch: batch,
        is_regression=torch.tensor([kind == "regression" for kind in KINDS]), layer_factors=(1.0, 1.0, 1.0),
        positive_weights=torch.tensor([5.0, 2.0, 0.3, 9.0, 9.0]), focal_gamma=2.0,
    )  # fmt: skip
    seen = []
    original = trainer.compute_loss

    def watched(*args, **kwargs):
        result = original(*args, return_outputs=True, **{k: v for k, v in kwargs.items() if k != "return_outputs"})
        seen.append(result[0].detach())
        return result if kwargs.get("return_outputs") else result[0]

    trainer.compute_loss = watched
    products = []
    model.head.register_forward_hook(lambda module, inputs, output: products.append(output.dtype))
    trainer.train()
    return model.state_dict(), seen, products


def test_accumulation_does_not_change_a_weighted_step(tmp_path):
    whole, _, _ = step_with(tmp_path, 16, 1)
    parts, losses, _ = step_with(tmp_path, 8, 2)
    assert len(losses) == 4
    for name, value in whole.items():
        torch.testing.assert_close(parts[name], value, rtol=1e-9, atol=1e-12, msg=name)


def test_bf16_multiplies_in_bfloat16_and_adds_up_losses_in_float32(tmp_path):
    outcomes = {}
    for bf16, product in ((False, torch.float32), (True, torch.bfloat16)):
        weights, losses, products = step_with(tmp_path, 8, 2, steps=1, bf16=bf16)
        assert {loss.dtype for loss in losses} == {torch.float32}
        assert set(products) == {product}
        assert {value.dtype for value in weights.values() if value.is_floating_point()} == {torch.float32}
        outcomes[bf16] = torch.stack(losses)
    assert not torch.equal(outcomes[True], outcomes[False])
    torch.testing.assert_close(outcomes[True], outcomes[False], rtol=0.02, atol=0)


@pytest.mark.skipif(torch.cuda.is_available(), reason="fp16 works where there is a GPU")
def test_fp16_without_a_gpu_is_refused(synthetic_folder, tmp_path):
    from hf_ecg_bench.training.run import run

    with pytest.raises(TrainingError, match=r"fp16 needs a GPU\n  fix: --precision bf16"):
        run(small_spec(synthetic_folder, tmp_path / "run", overrides={"precision": "fp16"}), lambda _: None)


def test_results_say_that_probabilities_are_no_longer_calibrated():
    plain = Protocol()
    assert training_caveats(plain) == []
    for changed in ({"class_weights": "sqrt"}, {"focal_gamma": 2.0}):
        (said,) = training_caveats(dataclasses.replace(plain, **changed))
        assert "not calibrated" in said


def test_tasks_without_yes_no_targets_refuse_class_weights():
    check_imbalance(Protocol(class_weights="sqrt"), np.array([True, False]))
    check_imbalance(Protocol(), np.array([True]))
    for changed in ({"class_weights": "sqrt"}, {"focal_gamma": 2.0}):
        with pytest.raises(TrainingError, match="about yes/no targets"):
            check_imbalance(dataclasses.replace(Protocol(), **changed), np.array([True, True]))

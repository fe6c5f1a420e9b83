"""What is known from the authors' code, with the numbers that fit it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hf_ecg_bench.models.registry import MODELS, get_model_spec
from hf_ecg_bench.published.adaptation import SEED_SD
from hf_ecg_bench.published.finding import Finding, better, keys, together
from hf_ecg_bench.results.row import Row


def unloaded_weights(rows: Sequence[Row]) -> list[Finding]:
    """Models whose published encoder started from random weights, by their declared faults."""
    found = []
    for model in known_models(rows):
        fault = next((fault for fault in get_model_spec(model).faults if fault.id == "unloaded_weights"), None)
        if fault is None:
            continue
        for mode in ("linear", "frozen", "finetune"):
            own = [row for row in rows if (row.model, row.mode) == (model, mode)]
            if not own:
                continue
            field = {task: group for (task,), group in together([r for r in rows if r.mode == mode], "task").items()}
            last = sum(all(better(other, row) for other in field[row.task] if other is not row) for row in own)
            mean = np.mean([row.value for row in own if row.higher_is_better])
            others = [
                np.mean([row.value for row in group if row.higher_is_better])
                for (name, _), group in together([row for row in rows if row.mode == mode], "model", "mode").items()
                if name != model
            ]
            worst = min(own, key=lambda row: row.value if row.higher_is_better else 1.0)
            found.append(
                Finding(
                    f"unloaded-weights-{model}-{mode}",
                    f"{model} {mode}: by the authors' code the encoder started from random weights",
                    "caution" if mode == "finetune" else "do_not_use",
                    "value",
                    f"Last of {len(others) + 1} models on {last} of {len(own)} tasks; mean macro AUROC {mean:.3f}, of "
                    f"the other models {min(others):.3f} to {max(others):.3f}; lowest: {worst.task} {worst.value:.3f}. "
                    + (
                        "Fine-tuning suffers least from a random start, and did: what these rows measure is training "
                        "from scratch."
                        if mode == "finetune"
                        else "What these rows measure is an untrained encoder."
                    ),
                    f"{fault.what}; --fault {fault.id} repeats it. That the published runs used this code is inferred",
                    keys(own),
                )
            )
    return found


def undefined_as_half(rows: Sequence[Row]) -> list[Finding]:
    """Tasks whose test records may lack labels, each of which counts 0.5 in the published point."""
    tasks = ("ptb", "zzu_pecg")
    own = [row for row in rows if row.task in tasks]
    if not own:
        return []
    best = {task: max(row.value for row in own if row.task == task) for task in dict.fromkeys(row.task for row in own)}
    listed = ", ".join(f"{task} (best {value:.3f})" for task, value in best.items())
    return [
        Finding(
            "undefined-as-half",
            f"{' and '.join(best)}: labels that the test records lack count as 0.5",
            "note",
            "value",
            f"{listed}: PTB is split by patient without looking at labels, ZZU pECG by disease category while ECG "
            "statements are scored, so labels may have no positive test record; each is 0.5 in the mean over all "
            "labels. Compare with a score under the same policy, and with the number of undefined labels.",
            "policy and splits read in the authors' code; that labels are missing is inferred",
            keys(own),
        )
    ]


def which_mean(rows: Sequence[Row]) -> list[Finding]:
    """Regression tasks with several targets: which mean their number is, nobody can say."""
    own = [row for row in rows if not row.higher_is_better and row.n_targets > 1]
    if not own:
        return []
    tasks = {row.task: int(row.n_targets) for row in own}
    return [
        Finding(
            "which-mean",
            "Regression tasks with several targets: pooled error, mean of errors, or the last target's",
            "note",
            "value",
            f"{', '.join(f'{task} ({number} targets)' for task, number in tasks.items())}. The code pools all values, "
            "targets weighing by their number; a replication takes the mean over targets. With the bootstrap on, the "
            "code's names are shifted by one, so that what is logged as the overall error is the last target's. Which "
            "of the three a row holds is not recoverable; mimic_age has one target, for which all three are the same.",
            "read and run in the authors' code",
            keys(own),
        )
    ]


def one_run(rows: Sequence[Row]) -> list[Finding]:
    """Every row is one training run without a seed: what differences mean that are smaller than that luck."""
    gaps: list[float] = []
    close = 0
    for group in together([row for row in rows if row.mode in ("finetune", "scratch")], "task").values():
        steps = np.diff(np.sort([row.value for row in group]))
        gaps += steps.tolist()
        close += int((steps < SEED_SD).sum())
    if not gaps:
        return []
    return [
        Finding(
            "one-run",
            "Every row is one training run, without a seed",
            "note",
            "value",
            f"Three seeds of S4 on ptbxl_all differ by {SEED_SD} (standard deviation; an independent replication). Of "
            f"{len(gaps)} gaps between neighbours in the tables of fine-tuned and supervised models {close} are "
            f"smaller (median gap {np.median(gaps):.4f}). The intervals cover the luck of the test records alone.",
            "no seed is set in the authors' code",
            keys(rows),
        )
    ]


def known_models(rows: Sequence[Row]) -> list[str]:
    """The models of the rows that are declared here, in order of first occurrence."""
    return [model for model in dict.fromkeys(row.model for row in rows) if model in MODELS]

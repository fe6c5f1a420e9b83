"""What the two preprocessings do: to the input and to the features of every model, on real records.

    python benchmarks/measure_preprocessing.py [--data ecg-bench/ptbxl] [--weights DIR] [--records 32]
        [--page docs/preprocessing.md] [--figure docs/preprocessing.png] [--json FILE]

`--weights` is a folder of converted models (`DIR/ecg-founder`, ...); a model that is not there is measured with the
weights of its own random initialisation (--seed), which says how much the input changes the network's output but
nothing about a trained model. The table replaces what stands between the two `measured` marks of --page.

Input: the record's stretch that one original window covers, fed both ways at the original's rate, after whatever the
model itself does first (HuBERT-ECG's filter). `r` is the correlation of the same lead before and after, its median over
leads and records; `changed` the share of a lead's variance that no scaling and shift of the other explains, 1 - r^2.
`spread` is the standard deviation over all leads and samples, `slow` and `fast` the share of power below 0.67 Hz and
above 40 Hz.

Features: the mean of a record's windows' pooled features. `moved` is the distance between a record's two features,
`window` the same for the original's rate and window length alone (steps left out), both divided by the
mean distance between different records fed as in the paper: 1 means that the choice of preprocessing moves a feature as
far as the choice of the record does. `CKA` (linear, centred) is 1 where the two feature sets differ by rotation and
scale only.

Cost: seconds to make the windows of 64 records, both ways, one thread.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import io
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from hf_ecg_bench.data.load import load_prepared
from hf_ecg_bench.data.record_windows import window_reader
from hf_ecg_bench.data.signal_view import SignalView
from hf_ecg_bench.data.windows import Plan
from hf_ecg_bench.files import atomic_path, write_json
from hf_ecg_bench.models.loading import load_model
from hf_ecg_bench.models.preprocessing import original_of
from hf_ecg_bench.models.registry import get_model_spec, list_models
from hf_ecg_bench.signals.contract import ModelInput, SignalSource, plan
from hf_ecg_bench.signals.leads import LEADS
from hf_ecg_bench.signals.original import plan_original
from hf_ecg_bench.signals.windows import evaluation_index

# One lead fed as in the paper and the original way, and its rate.
Picture = tuple[np.ndarray, np.ndarray, float]
MARK = "<!-- measured -->"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="ecg-bench/ptbxl", help="a prepared dataset with records of 10 s or more")
    parser.add_argument("--weights", type=Path, help="a folder of converted models")
    parser.add_argument("--models", nargs="+", help="default: all that have an original preprocessing")
    parser.add_argument("--records", type=int, default=32)
    parser.add_argument("--seed", type=int, default=0, help="of the choice of records and of random weights")
    parser.add_argument("--page", type=Path, help="a Markdown file whose table is replaced")
    parser.add_argument("--figure", type=Path, help="a PNG of one record, fed both ways")
    parser.add_argument("--json", type=Path, help="all numbers")
    arguments = parser.parse_args()
    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    prepared = load_prepared(arguments.data)
    view = SignalView(prepared.splits["train"])
    rate = int(prepared.splits["train"][0]["sampling_rate"])
    whole = np.flatnonzero(view.lengths() >= 10 * rate)
    chosen = np.sort(np.random.default_rng(arguments.seed).choice(whole, min(arguments.records, len(whole)), False))
    source = SignalSource(rate, LEADS, str(prepared.info.get("unit", "mV")), 10.0, str(arguments.data))
    ids = arguments.models or [name for name in list_models() if get_model_spec(name).original is not None]
    shown = most_wandering(view, chosen, rate)
    rows, pictures = {}, {}
    for model_id in ids:
        rows[model_id], pictures[model_id] = measure(
            model_id, arguments.weights, view, chosen, shown, source, arguments.seed
        )
        print(model_id, json.dumps(rows[model_id]), flush=True)
    if arguments.json:
        write_json(arguments.json, {"data": str(arguments.data), "records": len(chosen), "models": rows})
    if arguments.page:
        page = arguments.page.read_text(encoding="utf-8").split(MARK)
        with atomic_path(arguments.page) as temporary:
            temporary.write_text(f"{MARK}".join([page[0], "\n" + table(rows) + "\n", page[2]]), encoding="utf-8")
    if arguments.figure:
        draw(pictures, arguments.figure)
    print(table(rows))


def measure(
    model_id: str,
    weights: Path | None,
    view: SignalView,
    chosen: np.ndarray,
    shown: int,
    source: SignalSource,
    seed: int,
) -> tuple[dict[str, Any], Picture]:
    """The numbers of one model, and lead II of record `shown` of the chosen ones."""
    folder = weights / get_model_spec(model_id).hub_id.split("/")[1] if weights else None
    trained = folder is not None and folder.is_dir()
    name, fresh = (str(folder), None) if trained else (model_id, False)
    both = {
        way: load_model(name, pretrained=fresh, seed=seed, preprocessing=way).eval() for way in ("paper", "original")
    }
    config = both["original"].config
    original = original_of(config)
    own = plan_original(source, original, model_id, config.fixed_length)
    target = ModelInput(config.sampling_rate, config.window_seconds, where=model_id)
    same_span = plan(source, target)
    paper = plan(source, ModelInput(both["paper"].config.sampling_rate, both["paper"].config.window_seconds))
    seen = {
        "paper": first_windows(both["paper"], view, chosen, same_span),
        "original": first_windows(both["original"], view, chosen, own),
    }
    order = [original.leads.index(lead) for lead in LEADS]
    result = input_numbers(seen["paper"], seen["original"][:, order], config.sampling_rate)
    features = {
        "paper": record_features(both["paper"], view, chosen, paper),
        "window": record_features(both["paper"], view, chosen, same_span),
        "original": record_features(both["original"], view, chosen, own),
    }
    result |= feature_numbers(**features)
    result |= {"paper_seconds": cost(view, paper), "original_seconds": cost(view, own), "trained": trained}
    lead = LEADS.index("II")
    return result, (seen["paper"][shown, lead], seen["original"][shown, order[lead]], config.sampling_rate)


def most_wandering(view: SignalView, chosen: np.ndarray, rate: int) -> int:
    """Position of the record with the largest share of power below 0.67 Hz in lead II: there filters show."""
    leads = [np.nan_to_num(view[int(record)][: 10 * rate, LEADS.index("II")].astype(np.float64)) for record in chosen]
    power = np.abs(np.fft.rfft(np.stack([lead - lead.mean() for lead in leads]))) ** 2
    slow = np.fft.rfftfreq(10 * rate, 1 / rate) < 0.67
    return int(np.argmax(power[:, slow].sum(1) / np.maximum(power.sum(1), 1e-12)))


def first_windows(model: Any, view: SignalView, chosen: np.ndarray, made: Plan) -> np.ndarray:
    """(records, 12, samples): what the network sees of each record's first window."""
    windows = window_reader(view, made).read(chosen, np.zeros(len(chosen), np.int64))
    seen = model.base_model.prepare_input(torch.from_numpy(windows))
    return seen.reshape(len(chosen), 12, -1).double().numpy()


def input_numbers(before: np.ndarray, after: np.ndarray, rate: int) -> dict[str, float]:
    """See the top of this file. Leads that are constant on either side are left out."""
    x, y = (signal - signal.mean(-1, keepdims=True) for signal in (before, after))
    norms = np.sqrt((x**2).sum(-1) * (y**2).sum(-1))
    alive = norms > 1e-12
    r = (x * y).sum(-1)[alive] / norms[alive]
    numbers = {"r": float(np.median(r)), "r_low": float(np.quantile(r, 0.05)), "changed": float(np.median(1 - r**2))}
    for side, signal, centred in (("before", before, x), ("after", after, y)):
        power = np.abs(np.fft.rfft(centred, axis=-1)) ** 2
        frequency = np.fft.rfftfreq(signal.shape[-1], 1 / rate)
        total = power.sum(-1)[alive]
        numbers |= {
            f"spread_{side}": float(np.median(signal.std((1, 2)))),
            f"slow_{side}": float(np.median(power[..., frequency < 0.67].sum(-1)[alive] / total)),
            f"fast_{side}": float(np.median(power[..., frequency > 40].sum(-1)[alive] / total)),
        }
    return numbers


def record_features(model: Any, view: SignalView, chosen: np.ndarray, made: Plan) -> np.ndarray:
    """(records, width) float64: mean over each record's windows of the pooled features."""
    reader = window_reader(view, made)
    position, starts = evaluation_index(reader.lengths[chosen], made.window)
    pooled = []
    with torch.no_grad():
        for begin in range(0, len(position), 8):
            part = slice(begin, begin + 8)
            windows = torch.from_numpy(reader.read(chosen[position[part]], starts[part]))
            pooled.append(model(windows).pooler_output.double().numpy())
    features = np.concatenate(pooled)
    return np.stack([features[position == record].mean(0) for record in range(len(chosen))])


def feature_numbers(paper: np.ndarray, window: np.ndarray, original: np.ndarray) -> dict[str, float]:
    """See the top of this file; `cosine` is of a record's two features."""
    apart = np.linalg.norm(paper[:, None] - paper[None], axis=-1)
    apart = apart[np.triu_indices(len(paper), 1)].mean()
    x, y = paper - paper.mean(0), original - original.mean(0)
    cka = np.linalg.norm(x.T @ y) ** 2 / (np.linalg.norm(x.T @ x) * np.linalg.norm(y.T @ y))
    cosine = (paper * original).sum(1) / (np.linalg.norm(paper, axis=1) * np.linalg.norm(original, axis=1))
    return {
        "moved": float(np.median(np.linalg.norm(original - paper, axis=1)) / apart),
        "window": float(np.median(np.linalg.norm(window - paper, axis=1)) / apart),
        "cosine": float(np.median(cosine)),
        "cka": float(cka),
    }


def cost(view: SignalView, made: Plan, repeats: int = 7) -> float:
    """Least seconds of reading one window of each of 64 records."""
    reader = window_reader(view, made)
    records = np.flatnonzero(reader.lengths >= made.window)[:64]
    if len(records) < 64:
        records = np.resize(records, 64)
    starts = np.zeros(64, np.int64)
    reader.read(records, starts)
    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        reader.read(records, starts)
        times.append(time.perf_counter() - began)
    return min(times)


def table(rows: dict[str, dict[str, Any]]) -> str:
    """The page's table."""
    titles = (
        "model",
        "weights",
        "r [5 %]",
        "changed",
        "spread",
        "slow",
        "fast",
        "moved",
        "of it window",
        "cosine",
        "CKA",
    )
    titles = (*titles, "64 records, ms")
    lines = ["| " + " | ".join(titles) + " |", "| --- | --- |" + " ---: |" * (len(titles) - 2)]
    for model_id, n in rows.items():
        cells = [
            f"`{model_id}`",
            "converted" if n["trained"] else "random",
            f"{n['r']:.3f} [{n['r_low']:.2f}]",
            f"{100 * n['changed']:.1f} %",
            f"{n['spread_before']:.3g} -> {n['spread_after']:.3g}",
            f"{100 * n['slow_before']:.1f} -> {100 * n['slow_after']:.1f} %",
            f"{100 * n['fast_before']:.2f} -> {100 * n['fast_after']:.2f} %",
            f"{n['moved']:.2f}",
            f"{n['window']:.2f}",
            f"{n['cosine']:.3f}",
            f"{n['cka']:.2f}",
            f"{1e3 * n['paper_seconds']:.0f} -> {1e3 * n['original_seconds']:.0f}",
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def draw(pictures: dict[str, Picture], path: Path, seconds: float = 4.5) -> None:
    """Lead II of one record, fed both ways, a panel per model, each way with its own axis."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    from PIL import Image

    columns = 2
    height = -(-len(pictures) // columns)
    figure, panels = plt.subplots(height, columns, figsize=(9, 1.6 * height + 0.4), squeeze=False, layout="constrained")
    for panel, (model_id, (before, after, rate)) in zip(panels.flat, pictures.items(), strict=False):
        keep = int(seconds * rate)
        axis = np.arange(keep) / rate
        panel.plot(axis, before[:keep], color="#b5b5b5", linewidth=2.4)
        right = panel.twinx()
        right.plot(axis, after[:keep], color="#b2361e", linewidth=0.8)
        panel.set_title(model_id, fontsize=8, loc="left", pad=2)
        for side, color in ((panel, "#5f5f5f"), (right, "#b2361e")):
            side.tick_params(labelsize=6, colors=color, length=2)
            side.spines[["top"]].set_visible(False)
        panel.set_xlim(0, seconds)
    for panel in panels.flat[len(pictures) :]:
        panel.axis("off")
    for panel in panels.flat[max(0, len(pictures) - columns) : len(pictures)]:
        panel.set_xlabel("s", fontsize=7)
    figure.suptitle(
        "Lead II as the network sees it: grey, left axis: paper; red, right axis: original. Record: the one whose "
        "baseline wanders most",
        fontsize=8,
    )
    drawn = io.BytesIO()
    figure.savefig(drawn, dpi=100)
    plt.close(figure)
    with atomic_path(path) as temporary:  # 32 colours are enough, and a quarter of the bytes
        Image.open(drawn).convert("RGB").quantize(32).save(temporary, format="PNG", optimize=True)


if __name__ == "__main__":
    main()

"""Reading: windows against a raw numpy.memmap, rows against the dataset's own, resampling against resampy.

    python benchmarks/bench_reading.py [--data DIR] [--records 1000] [--repeats 7] [--json]

All figures of a table come from the same run, with the candidates taking turns, after one turn that warms the
page cache; median (and smallest - largest) of the repeats. One thread for everybody unless OMP_NUM_THREADS
says otherwise. Without --data, --records random 10 s records at 500 Hz are written to Parquet and loaded as a
prepared dataset is. Resampling needs resampy (the `dev` extra).

Ceilings. Windows: 1, as both sides copy the same bytes and ours looks for NaN as well. Rows: the cost of a
Python call, as a view copies nothing. Resampling: the band's own multiplications at the speed of a large
float32 matrix product on this machine. resampy is timed on (time, 12), as the published code calls it, and on
(12, time) ("leads first").
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from datasets import Array2D, Dataset, Features, disable_progress_bars, load_dataset

from hf_ecg_bench.data.signal_view import SignalView
from hf_ecg_bench.data.windows import WindowReader
from hf_ecg_bench.signals.contract import ModelInput, SignalSource, plan
from hf_ecg_bench.signals.leads import LEADS
from hf_ecg_bench.signals.resampling import resampler

BATCH = 64
CASES = [  # rate in, rate out, seconds
    *[(500, rate, 2.5) for rate in (100, 240, 250)],
    (400, 500, 2.5),
    (1000, 500, 2.5),
    (250, 500, 2.5),
    (500, 250, 2.4),
    (500, 100, 5),
    *[(500, rate, 10) for rate in (100, 240, 250)],
    (400, 500, 10),
    (400, 250, 10),
    (1000, 500, 10),
    (250, 500, 10),
]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", help="a prepared dataset's folder; records of one length at 500 Hz")
    parser.add_argument("--records", type=int, default=1000)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    disable_progress_bars()
    repeats = arguments.repeats
    with tempfile.TemporaryDirectory() as folder:
        dataset = load(arguments.data, arguments.records, Path(folder))
        view = SignalView(dataset)
        raw = write_raw(view, Path(folder) / "signals.f32")
        peak = product_speed(repeats)
        tables = {
            "windows": [bench_windows(view, raw, seconds, repeats) for seconds in (2.5, 5.0, 10.0)],
            "rows": [bench_rows(dataset, view, raw, repeats)],
            "resampled_windows": [bench_resampled(view, raw, seconds, repeats) for seconds in (2.5, 10.0)],
            "resampling": [bench_resampling(*case, peak, repeats) for case in CASES],
        }
    if arguments.json:
        print(json.dumps(tables, indent=2))
        return
    for title, rows in tables.items():
        print(f"\n{title}")
        print_table(rows)


def load(data: str | None, n_records: int, folder: Path) -> Dataset:
    """The train split of a prepared dataset, or random records written and loaded in the same way."""
    if data is not None:
        from hf_ecg_bench.data.load import load_prepared

        return load_prepared(data).splits["train"]
    features = Features({"signal": Array2D((None, len(LEADS)), "float32")})
    rng = np.random.default_rng(0)
    paths = []
    for shard in range(0, n_records, 250):
        n = min(250, n_records - shard)
        values = pa.array(rng.integers(-2000, 2000, n * 5000 * 12).astype(np.float32) / 1000)
        samples = pa.ListArray.from_arrays(pa.array(np.arange(0, n * 5000 * 12 + 1, 12, dtype=np.int32)), values)
        rows = pa.ListArray.from_arrays(pa.array(np.arange(0, n * 5000 + 1, 5000, dtype=np.int32)), samples)
        paths.append(str(folder / f"train-{shard}.parquet"))
        pq.write_table(pa.table({"signal": rows}), paths[-1], row_group_size=100)
    return load_dataset("parquet", data_files=paths, features=features, split="train", cache_dir=str(folder / "cache"))


def write_raw(view: SignalView, path: Path) -> np.memmap:
    """The same records in one raw file: (records, time, 12) float32, the plainest fast format there is."""
    shape = (len(view), int(view.lengths()[0]), view.leads)
    if (view.lengths() != shape[1]).any():
        raise SystemExit("records of different lengths have no plain memmap to compare with")
    with path.open("wb") as file:
        for row in range(len(view)):
            view[row].tofile(file)
    return np.memmap(path, dtype=np.float32, mode="r", shape=shape)


def bench_windows(view: SignalView, raw: np.memmap, seconds: float, repeats: int) -> dict[str, Any]:
    """Random windows in random order, batches of 64, to (batch, 12, samples) float32; windows per second."""
    reader, batches = make_reader(view, raw, seconds, 500)
    window = reader.plan.window
    plain = np.asarray(raw)
    times = alternate(
        {
            "memmap": lambda: [crops(raw, *batch, window) for batch in batches],
            "memmap as array": lambda: [crops(plain, *batch, window) for batch in batches],
            "ours": lambda: [reader.read(*batch) for batch in batches],
        },
        repeats,
    )
    np.testing.assert_array_equal(crops(raw, *batches[0], window), reader.read(*batches[0]))
    return {"seconds": seconds} | rates(times, BATCH * len(batches)) | ratios(times, "ours") | {"ceiling": 1.0}


def bench_rows(dataset: Dataset, view: SignalView, raw: np.memmap, repeats: int) -> dict[str, Any]:
    """Whole rows in random order; rows per second. `view` alone touches nothing, so a copy is timed as
    well."""
    order = np.random.default_rng(0).permutation(len(view))[:200].tolist()
    as_numpy = dataset.select_columns(["signal"]).with_format("numpy", dtype=np.float32)
    times = alternate(
        {
            "ds[i]": lambda: [dataset[i]["signal"] for i in order[:10]] * 20,
            "numpy format": lambda: [as_numpy[i]["signal"] for i in order],
            "memmap copy": lambda: [np.array(raw[i]) for i in order],
            "view copy": lambda: [view[i].copy() for i in order],
            "view": lambda: [view[i] for i in order],
        },
        repeats,
    )
    times["ds[i]"] = [seconds * 20 for seconds in times["ds[i]"]]
    for i in order[:5]:
        np.testing.assert_array_equal(np.asarray(dataset[i]["signal"], dtype=np.float32), view[i])
    return rates(times, len(order)) | ratios(times, "view copy")


def bench_resampled(view: SignalView, raw: np.memmap, seconds: float, repeats: int) -> dict[str, Any]:
    """From disk to the model's input at 240 Hz, against memmap + resampy + transpose; windows per second."""
    resampy = import_resampy()
    reader, batches = make_reader(view, raw, seconds, 240)
    window = reader.plan.window

    def by_resampy(records: np.ndarray, starts: np.ndarray) -> list[np.ndarray]:
        return [
            resampy.resample(np.array(raw[r, s : s + window]), 500, 240, axis=0).T.copy()
            for r, s in zip(records[:4].tolist(), starts[:4].tolist(), strict=True)
        ]

    times = alternate(
        {"resampy": lambda: by_resampy(*batches[0]), "ours": lambda: [reader.read(*b) for b in batches[:4]]},
        repeats,
    )
    times["resampy"] = [one * BATCH for one in times["resampy"]]  # 4 windows -> as many as ours
    return {"seconds": seconds} | rates(times, 4 * BATCH) | ratios(times, "ours")


def bench_resampling(rate_in: int, rate_out: int, seconds: float, peak: float, repeats: int) -> dict[str, Any]:
    """Resampling alone, batches of 64 windows in memory, 12 leads; milliseconds per window."""
    resampy = import_resampy()
    made = plan(SignalSource(rate_in, LEADS, "mV", None, "memory"), ModelInput(rate_out, seconds))
    windows = np.random.default_rng(0).standard_normal((BATCH, made.window, 12)).astype(np.float32)
    transposed = np.ascontiguousarray(windows[:4].transpose(0, 2, 1))  # the layout that suits resampy best
    start = time.perf_counter()
    convert = resampler.__wrapped__(made.window, rate_in, rate_out)
    build = time.perf_counter() - start
    times = alternate(
        {
            "resampy": lambda: [resampy.resample(one, rate_in, rate_out, axis=0) for one in windows[:4]],
            "leads first": lambda: [resampy.resample(one, rate_in, rate_out, axis=1) for one in transposed],
            "ours": lambda: made.apply(windows),
        },
        repeats,
    )
    exact = resampy.resample(windows[0].astype(np.float64), rate_in, rate_out, axis=0)
    in_float32 = resampy.resample(windows[0], rate_in, rate_out, axis=0)
    result = made.apply(windows[:1])[0].T
    theirs, ours = statistics.median(times["resampy"]) / 4, statistics.median(times["ours"]) / BATCH
    taps = sum(np.count_nonzero(block.weights) for block in convert.blocks)
    return {
        "rates": f"{rate_in}->{rate_out}",
        "seconds": seconds,
        "samples": f"{made.window}->{made.samples}",
        "resampy ms": theirs * 1e3,
        "ours ms": ours * 1e3,
        "ratio": theirs / ours,
        "ratio leads first": statistics.median(times["leads first"]) / 4 / ours,
        "ceiling": theirs / (2 * 12 * taps / peak),
        "max difference": float(np.abs(result - exact).max()),
        "resampy float32": float(np.abs(in_float32 - exact).max()),
        "weights ms": build * 1e3,
        "weights MB": sum(block.weights.nbytes for block in convert.blocks) / 1e6,
    }


def make_reader(view: SignalView, raw: np.memmap, seconds: float, rate: int) -> tuple[WindowReader, list]:
    source = SignalSource(500, LEADS, "mV", raw.shape[1] / 500, "prepared data")
    reader = WindowReader(view, plan(source, ModelInput(rate, seconds)))
    rng = np.random.default_rng(0)
    last = raw.shape[1] - reader.plan.window
    return reader, [
        (rng.integers(0, len(view), BATCH), rng.integers(0, last + 1, BATCH)) for _ in range(max(4, 2000 // BATCH))
    ]


def crops(source: np.ndarray, records: np.ndarray, starts: np.ndarray, window: int) -> np.ndarray:
    """What a loop over a raw array does: crop, copy as float32, transpose."""
    batch = np.empty((len(records), source.shape[2], window), dtype=np.float32)
    for target, record, start in zip(batch, records.tolist(), starts.tolist(), strict=True):
        target[:] = source[record, start : start + window].T
    return batch


def product_speed(repeats: int) -> float:
    """Floating-point operations per second of a large float32 matrix product, the best of the repeats."""
    square = np.ones((1024, 1024), dtype=np.float32)
    return 2 * 1024**3 / min(alternate({"product": lambda: square @ square}, repeats)["product"])


def alternate(candidates: dict[str, Callable[[], object]], repeats: int) -> dict[str, list[float]]:
    """Seconds of each call, taking turns; the first turn is not counted."""
    times: dict[str, list[float]] = {name: [] for name in candidates}
    for turn in range(repeats + 1):
        for name, call in candidates.items():
            start = time.perf_counter()
            call()
            if turn:
                times[name].append(time.perf_counter() - start)
    return times


def rates(times: dict[str, list[float]], n: int) -> dict[str, str]:
    return {
        f"{name} /s": f"{n / statistics.median(values):.0f} ({n / max(values):.0f}-{n / min(values):.0f})"
        for name, values in times.items()
    }


def ratios(times: dict[str, list[float]], ours: str) -> dict[str, float]:
    """Speed of `ours` over each other candidate: median of the turns, so a busy moment hits both sides."""
    return {
        f"{ours} / {name}": statistics.median(other / mine for other, mine in zip(t, times[ours], strict=True))
        for name, t in times.items()
        if name != ours
    }


def import_resampy() -> Any:
    try:
        import resampy
    except ImportError:
        raise SystemExit('this benchmark compares with resampy; fix: pip install "hf-ecg-bench[dev]"') from None
    return resampy


def print_table(rows: list[dict[str, Any]]) -> None:
    cells = [[f"{value:.3g}" if isinstance(value, float) else str(value) for value in row.values()] for row in rows]
    header = list(rows[0])
    widths = [max(len(line[column]) for line in [header, *cells]) for column in range(len(header))]
    for line in [header, *cells]:
        print("  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)))


if __name__ == "__main__":
    main()

"""A made-up Challenge set in the layout of the release, for examples, tests and benchmarks."""

from __future__ import annotations

from pathlib import Path

from hf_ecg_bench.data.sources.challenge.sets import ChallengeSet
from hf_ecg_bench.data.sources.example.signals import example_ecg, shifted
from hf_ecg_bench.data.sources.example.wfdb_files import write_wfdb
from hf_ecg_bench.data.vocabulary import read_label_table

_SIGNALS = 8
_LABELS = 5
_STEP = 500


def write_example(source: ChallengeSet, root: str, n: int) -> None:
    """`n` records in `g1` and `g2` below `root`, in both header flavours, with the set's most frequent diagnoses."""
    rows = sorted(read_label_table(source.id), key=lambda row: -int(row["records"]))[:_LABELS]
    codes = [row["snomed"].split(";")[0] for row in rows]
    shortest, longest = source.example_samples
    ecgs = [example_ecg(seed, longest) for seed in range(_SIGNALS)]
    lengths = range(shortest, longest + 1, _STEP)
    groups: dict[str, list[str]] = {}
    for position in range(n):
        name = source.name(source.first_number + position)
        group = f"g{1 + 2 * position // n}"
        own = [codes[position % len(codes)]]
        if position % 3 == 0:
            own.append(codes[(position + 2) % len(codes)])
        new = position % 2 == 1
        facts = {
            "Age": str(20 + position % 70),
            "Sex": ("Female", "Male")[position // 2 % 2],
            "Dx": ",".join(own),
            "Rx": "Unknown",
            "Hx": "Unknown",
            "Sx": "Unknown",
        }
        write_wfdb(
            Path(root, group, name),
            shifted(ecgs[position % _SIGNALS], position)[: lengths[position % len(lengths)]],
            gain="1000.0(0)/mv" if new else "1000/mV",
            comments=[f"{' ' if new else ''}{key}: {value}" for key, value in facts.items()],
            extension=".mat",
        )
        groups.setdefault(group, []).append(name)
    for group, names in groups.items():
        Path(root, group, "RECORDS").write_text("".join(f"{name}\n" for name in names))

"""A made-up source in the layout of MIMIC's releases: all tables, and signals in a zip archive. Nobody's data."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np

from hf_ecg_bench.data.sources.example.signals import example_ecg
from hf_ecg_bench.data.sources.mimic.example_events import write_events
from hf_ecg_bench.data.sources.mimic.example_studies import ExampleStudies, example_studies, write_studies
from hf_ecg_bench.data.sources.mimic.signals import RATE
from hf_ecg_bench.signals.leads import LEADS, MIMIC_LEADS

ARCHIVE = "mimic-iv-ecg-diagnostic-electrocardiogram-matched-subset-1.0.zip"
_SHAPES = 8
_PER_MV = 200


def write_example(
    root: str, n: int, *, events_per_ecg: int = 24, used: float = 1.0, signals: bool = True, seed: int = 0
) -> None:
    """Write the tables and the archive for `n` ECGs below the empty folder `root`.

    Every target has values, also where `n` is small. Memory does not depend on `n`.

    Args:
        events_per_ecg: rows of `labevents` and of `chartevents` for each ECG.
        used: share of ECGs that the benchmark uses; others were taken outside the emergency department.
        signals: False leaves out the archive, for builds of the metadata alone.
    """
    folder = Path(root)
    folder.mkdir(parents=True, exist_ok=True)
    studies = example_studies(n, used, seed)
    write_studies(folder, studies, seed)
    write_events(folder, studies, events_per_ecg, seed)
    if signals:
        _write_archive(folder / ARCHIVE, studies)


def _write_archive(path: Path, studies: ExampleStudies) -> None:
    # A few recordings that start at different samples: alike, but not the same, which would be reported.
    shapes = [_stored(number) for number in range(min(_SHAPES, len(studies.study)))]
    top = path.stem
    with zipfile.ZipFile(path, "w") as archive:
        for number, (study, subject) in enumerate(zip(studies.study.tolist(), studies.subject.tolist(), strict=True)):
            digital = np.roll(shapes[number % len(shapes)], number, axis=0)
            stem = f"{top}/files/p{subject // 10_000}/p{subject}/s{study}/{study}"
            time = np.datetime64(int(studies.time[number]), "s").item()
            for name, content in (
                (f"{stem}.hea", _header(study, subject, digital, f"{time:%H:%M:%S %d/%m/%Y}")),
                (f"{stem}.dat", digital.tobytes()),
            ):
                info = zipfile.ZipInfo(name)
                archive.writestr(info, content, zipfile.ZIP_DEFLATED, compresslevel=1)


def _stored(seed: int) -> np.ndarray:
    """(time, 12) int16 in the order and the unit of the release."""
    microvolts = example_ecg(seed, samples=10 * RATE, rate=RATE)[:, [LEADS.index(lead) for lead in MIMIC_LEADS]]
    return np.round(microvolts * (_PER_MV / 1000)).astype("<i2")


def _header(study: int, subject: int, digital: np.ndarray, date: str) -> bytes:
    text = io.StringIO()
    text.write(f"{study} 12 {RATE} {len(digital)} {date}\n")
    sums = digital.sum(axis=0, dtype=np.int64) % 65536
    for lead, first, checksum in zip(MIMIC_LEADS, digital[0].tolist(), sums.tolist(), strict=True):
        text.write(f"{study}.dat 16 {_PER_MV}.0(0)/mV 16 0 {first} {checksum} 0 {lead}\n")
    text.write(f"# <subject_id>: {subject}\n")
    return text.getvalue().encode()

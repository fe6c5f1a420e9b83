"""A made-up PTB tree in the layout of the release, for examples, tests and benchmarks."""

from __future__ import annotations

from pathlib import Path

from hf_ecg_bench.data.sources.example.signals import example_ecg, shifted
from hf_ecg_bench.data.sources.example.wfdb_files import write_wfdb
from hf_ecg_bench.data.sources.ptb.signals import RATE
from hf_ecg_bench.data.sources.ptb.tables import RECORDS
from hf_ecg_bench.signals.leads import LEADS

# The release's records last 32 to 120 s; ten suffice for every model's window.
_SAMPLES = 10 * RATE
_SIGNALS = 8
_NAMES = [lead.lower() for lead in LEADS]
# Reason for admission, additional diagnoses, dates of infarction and catheter; the ECG is of 01/10/1990.
_SUMMARIES = (
    ("Myocardial infarction", "Diabetes mellitus", "29-Sep-90", "16-Oct-90"),
    ("Healthy control", "unknown", "n/a", "n/a"),
    ("Myocardial infarction", "Arterial Hypertension, Hyperlipoproteinemia Type IIa", "30-Sep-90", "28-Sep-90"),
    ("Bundle branch block", "Obesity, peripheral atherosclerosis", "n/a", "n/a"),
    ("Myocardial infarction", "Arterial hypertension", "01-Aug-90", "-"),
    ("Cardiomyopathy", "Atrial fibrillation, Renal insufficiency", "n/a", "n/a"),
    ("Dysrhythmia", "Recurrent ventricular tachycardia, Ventricular fibrillation", "n/a", "n/a"),
)


def write_example(root: str, n: int) -> None:
    """`n` records of `(n + 1) // 2` patients, 12 leads in `.dat` and Frank's three in `.xyz`."""
    folder = Path(root)
    ecgs = [2 * example_ecg(seed, _SAMPLES, RATE) for seed in range(_SIGNALS)]
    names = []
    for number in range(1, n + 1):
        patient = (number + 1) // 2
        name = f"patient{patient:03d}/s{number:04d}_re"
        signal = shifted(ecgs[number % _SIGNALS], number)
        path = folder / name
        write_wfdb(path, signal[:, 6:9], rate=RATE, names=("vx", "vy", "vz"), gain="2000", extension=".xyz")
        frank = path.with_suffix(".hea").read_text().splitlines()[1:]
        write_wfdb(path, signal, rate=RATE, names=_NAMES, gain="2000")
        head, *leads = path.with_suffix(".hea").read_text().splitlines()
        comments = [f"# {line}" for line in _comments(number, patient)]
        lines = [head.replace(" 12 ", " 15 ", 1), *leads, *frank, "", *comments]
        path.with_suffix(".hea").write_text("".join(f"{line}\r\n" for line in lines), newline="")
        names.append(name)
    (folder / RECORDS).write_text("".join(f"{name}\n" for name in names))


def _comments(number: int, patient: int) -> list[str]:
    reason, additional, infarction, catheter = _SUMMARIES[number % len(_SUMMARIES)]
    return [
        f"age: {30 + patient % 50 if patient % 10 else 'n/a'}",
        f"sex: {'female' if patient % 2 else 'male'}",
        "ECG date: 01/10/1990",
        "Diagnose:",
        f"Reason for admission: {reason}",
        f"Additional diagnoses: {additional}",
        f"Infarction date (acute): {infarction}",
        "Hemodynamics:",
        "Catheterization date: 16-Oct-91",
        "Therapy:",
        f"Catheterization date: {catheter}",
        "Start lysis therapy (hh.mm): 19:45",
    ]

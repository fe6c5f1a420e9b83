"""The tasks. Adding one is adding one entry; whatever lists, runs or tests tasks reads this table."""

from __future__ import annotations

from hf_ecg_bench.tasks.mimic import joint_mimic_task, mimic_tasks
from hf_ecg_bench.tasks.task import Task

_ADULT = "adult_ecg_interpretation"
_CHILD = "pediatric_ecg_interpretation"

# The 29 tasks of the published benchmark, in its order; suites (`tasks/suites.py`) say which of them make a total.
BENCHMARK = (
    Task("ptb", "PTB", _ADULT, "ptb", labels="labels"),
    Task("ningbo", "Ningbo", _ADULT, "ningbo", labels="labels"),
    Task("cpsc2018", "CPSC2018", _ADULT, "cpsc2018", labels="labels"),
    Task("cpsc_extra", "CPSC-Extra", _ADULT, "cpsc_extra", labels="labels"),
    Task("georgia", "Georgia", _ADULT, "georgia", labels="labels"),
    Task("chapman", "Chapman", _ADULT, "chapman", labels="labels_all"),
    Task("chapman_rhythm", "Chapman (rhythm)", _ADULT, "chapman", labels="labels_rhythm", trained_as="chapman"),
    Task("sph", "SPH", _ADULT, "sph", labels="labels"),
    Task("code15", "CODE-15%", _ADULT, "code15", labels="labels"),
    Task("ptbxl_all", "PTB-XL (all)", _ADULT, "ptbxl", labels="labels_all"),
    Task("ptbxl_diag", "PTB-XL (diag)", _ADULT, "ptbxl", labels="labels_diag", trained_as="ptbxl_all"),
    Task("ptbxl_form", "PTB-XL (form)", _ADULT, "ptbxl", labels="labels_form", trained_as="ptbxl_all"),
    Task("ptbxl_rhythm", "PTB-XL (rhythm)", _ADULT, "ptbxl", labels="labels_rhythm", trained_as="ptbxl_all"),
    Task("ptbxl_sub", "PTB-XL (sub)", _ADULT, "ptbxl", labels="labels_sub"),
    Task("ptbxl_super", "PTB-XL (super)", _ADULT, "ptbxl", labels="labels_super"),
    Task("zzu_pecg", "ZZU pECG", _CHILD, "zzu_pecg", labels="labels_aha"),
    Task("zzu_pecg_icd10", "ZZU pECG (ICD-10 disease category)", _CHILD, "zzu_pecg", labels="labels_icd10"),
    Task("echonext", "EchoNext", "cardiac_structure_function", "echonext", labels="labels"),
    *mimic_tasks(),
)
_FURTHER = (
    joint_mimic_task(),
    Task("zzu_pecg_chn", "ZZU pECG (Chinese statements)", _CHILD, "zzu_pecg", labels="labels_chn"),
    Task("code_test", "CODE-test", _ADULT, "code_test", labels="labels", trained_as="code15"),
    Task(
        "synthetic",
        "Synthetic ECG",
        "embedded",
        "synthetic",
        labels="labels",
        targets=("heart_rate", "pr_interval", "qrs_duration", "qrs_axis"),
        selection="composite",
    ),
)

CATALOGUE: dict[str, Task] = {task.id: task for task in (*BENCHMARK, *_FURTHER)}

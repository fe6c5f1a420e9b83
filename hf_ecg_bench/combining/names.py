"""Names of files. Nothing is imported here: who only asks what a folder holds needs no torch."""

from __future__ import annotations

COMBINATION_FILE = "combination.json"
HEADS_FILE = "heads.safetensors"
ENSEMBLE_FILE = "ensemble.json"
TABLE_FILE = "ensemble.md"

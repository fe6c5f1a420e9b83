"""MIMIC-IV-ECG: signals of one release, targets from the tables of five others."""

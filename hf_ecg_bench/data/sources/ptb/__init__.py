"""PTB Diagnostic ECG Database: a clinical summary in each header, from which the diagnoses are read."""

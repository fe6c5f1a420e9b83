"""Readers of the file formats that sources are published in: WFDB, HDF5, NumPy, spreadsheets, tables of text."""

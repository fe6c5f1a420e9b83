"""Datasets: the builder base class, readers per file format, ledgers, cards and the view on prepared rows."""

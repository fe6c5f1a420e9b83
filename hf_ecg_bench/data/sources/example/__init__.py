"""Made-up signals and files from which each source's `example.py` builds a small tree in its official layout."""

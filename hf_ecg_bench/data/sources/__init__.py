"""One folder per source: its tables and signals, from the official layout to an index and arrays."""

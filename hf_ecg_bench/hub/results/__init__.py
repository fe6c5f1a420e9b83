"""The repository of collected results: run folders without weights, a table of rows, a card."""

"""The command line: one module per group of verbs, each importing what it needs only when it runs."""

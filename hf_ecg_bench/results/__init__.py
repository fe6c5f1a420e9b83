"""Results: the schema of result.json, predictions, tables, plots and the report."""

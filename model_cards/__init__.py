"""One card per model, shipped with the package."""

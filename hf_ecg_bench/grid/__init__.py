"""Grids: models x tasks x modes x fractions x seeds, every cell an ordinary run."""

"""SPH, the Shandong Provincial Hospital database."""

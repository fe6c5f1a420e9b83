"""What bench_models.py measures with: the cases, the floor, and plain implementations to compare with."""

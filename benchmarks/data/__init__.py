"""What `bench_data.py` measures: builders against plain loops, folds against a plain implementation."""

"""The Hugging Face Hub: datasets, models and results to it and back. The only package that writes to it."""

from hf_ecg_bench.hub.fetching import fetch_results
from hf_ecg_bench.hub.pushing import push_folder

__all__ = ["fetch_results", "push_folder"]

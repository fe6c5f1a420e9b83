"""One builder per dataset, importable as `hf_ecg_bench.dataset_scripts.<id>`."""

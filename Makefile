# Every target works on a fresh machine: it makes the environment it needs. An active environment is used as it is.
SHELL := /usr/bin/env bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
DEMO_DIR ?= demo
ifdef VIRTUAL_ENV
VENV := $(VIRTUAL_ENV)
else
VENV := .venv
endif
BIN := $(VENV)/bin
STAMP := $(VENV)/.hf-ecg-bench-installed

.PHONY: help install demo test test-slow lint types format bench bench-data bench-reading bench-evaluation bench-training bench-models bench-mimic bench-features bench-modes bench-solvers bench-scaling bench-grid bench-report bench-leaderboard bench-rows bench-select clean

help: ## show this help
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{printf "  make %-18s %s\n", $$1, $$2}'

install: $(STAMP) ## make the environment (an active one is used) and install the project into it, editable

$(STAMP): pyproject.toml constraints.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "error: Python 3.11 or newer is needed, $(BIN)/python is older; fix: make PYTHON=python3.11 $(MAKECMDGOALS)" >&2; exit 2; }
	$(BIN)/python -m pip install --quiet -c constraints.txt torch
	$(BIN)/python -m pip install --quiet -c constraints.txt -e ".[dev]"
	@touch $@

demo: install ## the main job on the embedded data; prints where the report is
	$(BIN)/hf-ecg-bench demo --output-dir $(DEMO_DIR)

test: install ## the default test suite (minutes)
	$(BIN)/python -m pytest

test-slow: install ## the tests marked slow
	$(BIN)/python -m pytest -m slow

lint: install ## ruff: lint and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: install ## mypy
	$(BIN)/mypy

format: install ## let ruff rewrite the files
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: bench-evaluation bench-reading bench-data bench-training bench-models ## all benchmarks; each prints its yardstick's ratio

bench-evaluation: install ## bootstrap against a loop of scikit-learn
	$(BIN)/python benchmarks/bench_evaluation.py

bench-reading: install ## windows against numpy.memmap, resampling against resampy
	$(BIN)/python benchmarks/bench_reading.py

bench-data: install ## prepare against wfdb and against writing Parquet from memory
	$(BIN)/python benchmarks/bench_data.py

bench-training: install ## whole training steps of the two baselines at the protocol's batch size
	$(BIN)/python benchmarks/bench_training.py

bench-models: install ## every model against a plain implementation and its floor: time, memory, latency (ten minutes)
	$(BIN)/python benchmarks/bench_models.py

bench-features: install ## heads on stored features against re-encoding every epoch: time and AUROC
	$(BIN)/python benchmarks/bench_features.py

bench-modes: install ## every mode on every model, as real runs of tiny networks; the size of adapters at full size
	$(BIN)/python benchmarks/bench_modes.py --tiny
	$(BIN)/python benchmarks/bench_modes.py --adapters

bench-solvers: install ## a linear head solved against trained
	$(BIN)/python benchmarks/bench_solvers.py

bench-scaling: install ## the fit of learning curves on simulated runs of a known law
	$(BIN)/python benchmarks/bench_scaling.py

bench-grid: install ## a grid of tiny networks, killed in the middle and started again (synthetic records; ten minutes)
	$(BIN)/python benchmarks/bench_grid.py

bench-report: install ## the report over 120 made-up runs
	$(BIN)/python benchmarks/bench_report.py

bench-leaderboard: install ## scoring, ranking and the Space's data of 10,000 made-up rows
	$(BIN)/python benchmarks/bench_leaderboard.py --rows 10000 --records 60 --labels 4

bench-rows: install ## reading and writing 10,000 rows, reading 1,000 results
	$(BIN)/python benchmarks/bench_rows.py

bench-select: install ## transferability scores against plain loops
	$(BIN)/python benchmarks/bench_select.py

bench-mimic: install ## the tables of 200,000 made-up ECGs with 20 million events: time and memory (a minute)
	$(BIN)/python -m benchmarks.bench_mimic

clean: ## remove what the targets above made here (not an active environment)
	rm -rf .venv $(DEMO_DIR) build *.egg-info .pytest_cache .mypy_cache .ruff_cache

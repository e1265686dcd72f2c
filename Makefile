# make help lists the targets; each sets up what it needs, once, in .venv.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help setup demo notebooks test lint check bench docs clean

BIN := .venv/bin
# Files in the order of tests/conftest.py: those that take longest begin first.
PYTEST_ARGS ?= -n auto --dist loadfile --no-loadscope-reorder
# Without bytecode every start of Python takes three times as long: written also where the shell says otherwise.
export PYTHONDONTWRITEBYTECODE :=
DEMO_REPORT ?= demo-report.html
DEMO_NOTEBOOK ?= demo-notebook.html
NOTEBOOKS_OUT ?= build/notebooks

help: ## Show this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "make %-9s %s\n", $$1, $$2}'

.venv/.maestro-%: pyproject.toml constraints.txt
	@tools/setup $*

setup: .venv/.maestro-all ## Everything a developer needs

demo: .venv/.maestro-jupyter ## A walk-forward on real bars, its report, and one by a notebook; no network once set up
	@$(BIN)/maestro walk-forward EmaCrossStrategy --data sample:AAPL --splitter rolling:10,2,1 --trials 100 \
		--seed 0 --runs-dir runs --tearsheet --report $(DEMO_REPORT)
	@printf '\nThe apps, in your browser:   tools/setup panel && $(BIN)/maestro app\nThe notebooks:               $(BIN)/jupyter lab notebooks/01_first_steps.ipynb\nThe same by a notebook, run by papermill:\n'
	@$(BIN)/maestro report walk-forward -p data=sample:AAPL -p strategy=EmaCrossStrategy -p trials=100 -p runs_dir=runs \
		--out $(DEMO_NOTEBOOK)

notebooks: .venv/.maestro-all ## Every notebook by papermill and nbval, and a batch of all strategies
	@for notebook in notebooks/*.ipynb; do \
		$(BIN)/maestro report $$notebook --out $(NOTEBOOKS_OUT)/$$(basename $$notebook .ipynb).html || exit 1; done
	@$(BIN)/python -m pytest -q tests/notebooks/test_nbval.py
	@$(BIN)/maestro report walk-forward --batch templates/reports/strategies.yaml --out $(NOTEBOOKS_OUT)/strategies

test: .venv/.maestro-all ## Every test
	@tools/setup_browser
	@if [ -x tools/setup_test_services ]; then tools/setup_test_services; fi
	@if [ -x tools/setup_linters ]; then tools/setup_linters; fi
	@if [ -x tools/setup_mlflow ]; then tools/setup_mlflow; fi
	@$(BIN)/python -m pytest $(PYTEST_ARGS)

lint: .venv/.maestro-all ## Style and types
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

check: lint ## Style, types and the tests of the documentation
	@$(BIN)/python -m pytest -q tests/docs/test_docs.py tests/test_imports.py

bench: .venv/.maestro-all ## Measure every figure beside its peer; writes benchmarks/results.md
	@$(BIN)/python -m benchmarks

docs: .venv/.maestro-docs ## The documentation as a website, in docs/_build/html
	@$(BIN)/python -m sphinx -q -W --keep-going -b html docs docs/_build/html
	@! grep -rloE '<(script|link|img)[^>]* (src|href)="https?://' docs/_build/html --include='*.html' || { echo 'these pages load from foreign hosts'; exit 1; }
	@echo docs/_build/html/index.html

clean: ## Remove what make has made; runs and reports stay
	rm -rf .venv .linters .pytest_cache .ruff_cache .mypy_cache .hypothesis .coverage coverage.xml dist build docs/_build docs/strategies docs/notebooks
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

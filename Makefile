# Everything a contributor runs. It needs python3, make and a package index; uv comes along by itself, into .tools/.
#
#   make demo      the main job, told as a story            make test    every test, with coverage
#   make help      all targets

PYTHON3 ?= python3
BIN     := .venv/bin
READY   := .venv/.ready
# How many processes run the tests; 0 runs them in one.
WORKERS ?= 2
# Coverage gate, percent of lines and branches.
GATE    ?= 85
export UV_PYTHON_PREFERENCE ?= system

.DEFAULT_GOAL := help
.PHONY: help demo test lint types contracts docs schema formats bench clean

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## /  make \1	/p' $(MAKEFILE_LIST) | expand -t 18

$(READY): uv.lock pyproject.toml tools/bootstrap.py
	@MODELWRIGHT_UV="$(UV)" $(PYTHON3) tools/bootstrap.py
	@touch $@

demo: $(READY) ## train, build, verify, install, predict, retrain, release, roll back, be refused: in a temporary folder
	@$(BIN)/modelwright demo $(ARGS)

test: $(READY) ## run every test; the last line is pytest's
	@$(BIN)/pytest -n $(WORKERS) --dist loadfile --cov --cov-report term --cov-fail-under $(GATE) $(ARGS)

lint: $(READY) ## check style and formatting
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .

types: $(READY) ## check types (mypy strict)
	@$(BIN)/mypy

contracts: $(READY) ## check the layers: imports go one way only
	@$(BIN)/lint-imports

docs: $(READY) ## build the documentation site into site/
	@uv="$(or $(UV),.tools/bin/uv)"; "$$uv" run --frozen --group docs --quiet zensical build --clean

schema: $(READY) ## write the published JSON Schemas and the generated reference pages
	@$(BIN)/python tools/reference.py

formats: $(READY) ## run every format's tests in its own environment, and write the table of them
	@$(BIN)/python tools/formats_table.py

bench: $(READY) ## measure every row of benchmarks/README.md
	@for row in benchmarks/[a-z]*.py; do echo "== $$row"; $(BIN)/python $$row || exit 1; done

clean: ## remove what make made
	rm -rf .venv .tools .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage* dist build site

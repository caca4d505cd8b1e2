# make demo   the main job on a real service     make test   the test suite     make lint   ruff and mypy
# make realism   what seeded databases show, against what is published
# make bench   what it all takes, beside its peers; ARGS=--slow for the large sizes too
# Each sets up everything it needs in .venv; only Python 3.11+ and a package index are taken for granted.
PYTHON ?= python3
VENV ?= .venv
# the pg_ctl of another server than the bundled one, for `make test`
POSTGRESQL_EXEC ?=
# more arguments for pytest
ARGS ?=

BIN := $(abspath $(VENV))/bin
READY := $(VENV)/.ready

.PHONY: demo test lint realism bench clean

demo: $(READY)  # the examples; ARGS="-n 2" with two workers
	cd examples/shop_api && $(BIN)/python -m pytest -p no:randomly $(ARGS)
	cd examples/own_schema && $(BIN)/python -m pytest -p no:randomly $(ARGS)
	cd examples/django_game && $(BIN)/python -m pytest -p no:randomly $(ARGS)

test: $(READY)
	$(if $(POSTGRESQL_EXEC),GAMEDATA_TEST_POSTGRESQL_EXEC=$(POSTGRESQL_EXEC)) $(BIN)/python -m pytest -n 2 \
		$(if $(POSTGRESQL_EXEC),--postgresql-exec=$(POSTGRESQL_EXEC)) $(ARGS)

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

realism: $(READY)
	$(BIN)/python benchmarks/realism.py $(ARGS)

bench:  # sets up .venv-bench, as a user would have it
	$(PYTHON) benchmarks/bench.py $(ARGS)

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	touch $@

clean:
	rm -rf $(VENV) .venv-bench build dist

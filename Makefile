# Two commands are enough on a fresh machine with Python 3.11: make demo, make test.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed
# One process more than there are cores: some wait for a browser, a server or a cluster.
PYTEST_FLAGS ?= -n $(shell expr $$(nproc 2> /dev/null || echo 1) + 1) --dist loadfile --no-loadscope-reorder

.PHONY: setup demo test engines long check lint types layers words docs bench lock clean
setup: $(STAMP)

$(STAMP): requirements-dev.lock pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $(STAMP)

demo: setup
	$(BIN)/klientel demo klientel-demo --serve

test: setup
ifdef FAST
	$(BIN)/pytest $(PYTEST_FLAGS) -m "not slow and not cluster and not long" $(ARGS)
else
	$(BIN)/pytest $(PYTEST_FLAGS) $(ARGS)
endif

# Every analysis on every Book on PostgreSQL and on Spark with two workers: half an hour. CI asks a part of Spark.
engines: setup
	$(BIN)/pytest -n0 tests/engines -m "not long" $(ARGS)

# A hundred kills of every writer at random moments, many orders of imports and undos: a quarter of an hour.
long: setup
	$(BIN)/pytest $(PYTEST_FLAGS) -m long $(ARGS)

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: setup
	$(BIN)/mypy

layers: setup
	$(BIN)/lint-imports

words: setup
	$(BIN)/python tools/words.py --check
	$(BIN)/python tools/spellings.py --check

docs: setup
	$(BIN)/python tools/docs.py --check


check: lint types layers words docs test

# lines, intake or lifetime: make bench BENCH=lifetime ARGS="--repeat 1"
BENCH ?= lines
bench: setup
	$(BIN)/python benchmarks/$(BENCH).py $(ARGS)

# Versions and hashes, no addresses.
lock: setup
	UV_PYTHON_DOWNLOADS=never $(BIN)/uv lock --quiet
	$(BIN)/uv export --quiet --format requirements.txt --no-dev --no-emit-project --no-header --no-annotate -o requirements.lock > /dev/null
	$(BIN)/uv export --quiet --format requirements.txt --no-emit-project --no-header --no-annotate -o requirements-dev.lock > /dev/null

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis klientel-demo

# What a person wants: `make demo` shows it, `make test` proves it, `make lint` and `make bench` for those who change it.
# While one changes it: `make test-fast`, and `make test ARGS=tests/unit/test_units.py` or ARGS="tests -k merge" for some.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
WORKERS ?= 3
# Lighthouse brings Puppeteer, which would download a Chrome of its own; the system's is used.
NPM := PUPPETEER_SKIP_DOWNLOAD=1 npm --no-audit --no-fund --loglevel=error

.PHONY: demo test test-fast compiled lint bench clean programs

demo: .venvs/demo/.installed programs
	@if command -v npm > /dev/null; then $(MAKE) --no-print-directory example_project/web/node_modules/.installed; fi
	.venvs/demo/bin/python example_project/demo.py

# The example uses the gate as its user does: installed, not from the checkout.
.venvs/demo/.installed: pyproject.toml example_project/requirements.txt _memgate_pytest.py $(shell find pytest_memgate -name '*.py' -o -name '*.json' -o -name '*.js' -o -name '*.css' -o -name '*.j2')
	$(PYTHON) -m venv .venvs/demo
	.venvs/demo/bin/python -m pip install --quiet --disable-pip-version-check . --requirement example_project/requirements.txt
	.venvs/demo/bin/python -m pip install --quiet --disable-pip-version-check --force-reinstall --no-deps .
	touch $@

ifdef ARGS
# The tests that are asked for, at once: no lint, no worker, nothing installed but Python's packages.
test: $(VENV)/.installed
	$(BIN)/python -m pytest -rs $(ARGS)
else
test: lint tests/node_modules/.installed programs compiled
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder -rs
endif

# What starts no pytest and no server of its own, nor imports anew; of property tests, ten examples each.
test-fast: $(VENV)/.installed
	$(BIN)/python -m pytest -q -n 2 --hypothesis-profile=fast tests/unit tests/property tests/golden \
	    --ignore=tests/unit/test_imports.py --ignore=tests/unit/test_span.py \
	    --ignore=tests/unit/test_command.py --ignore=tests/unit/test_lhr_answer.py

# Hundreds of tests start Python, in environments that compile nothing: it would compile the package each time.
compiled: $(VENV)/.installed
	$(BIN)/python -m compileall -q pytest_memgate _memgate_pytest.py
	env -u PYTHONDONTWRITEBYTECODE $(BIN)/python -m pytest -q tests/unit/test_modules.py

lint: $(VENV)/.installed
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/.installed tests/node_modules/.installed benchmarks/node_modules/.installed programs
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement benchmarks/requirements.txt
	for script in idle baseline_scale overhead ablation equivalence retained detection soak pairs false_alarms small_objects bundle_sizes pages fuzz front_ends history_scale history_writers history_changes board; do \
	    $(BIN)/python benchmarks/$$script.py || exit 1; \
	done

$(VENV)/.installed: pyproject.toml requirements/dev.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement requirements/dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	touch $@

%/node_modules/.installed: %/package-lock.json
	$(NPM) --prefix $* ci
	touch $@

programs:
	@sh .ci/programs

clean:
	rm -rf $(VENV) .venvs build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
	rm -rf tests/node_modules benchmarks/node_modules example_project/web/node_modules example_project/web/dist

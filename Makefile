# Every target works alone on a fresh machine with make and Python 3.11 or newer: it makes .venv itself,
# from a lock with hashes, and installs again when the lock or pyproject.toml is newer than the stamp.
# pip's own settings (mirror, certificates, proxy) are the machine's and are respected.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

# The first interpreter that really runs and is new enough; `make PYTHON=…` overrides it.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python3.14; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && { echo $$p; break; }; done)

# Two test processes: the tests that start processes of their own then still have a core each.
JOBS ?= 2

.PHONY: help
help:
	@echo 'make demo     the exercise: five members, one release admitted, two refused, one action held'
	@echo 'make test     all tests'
	@echo 'make heavy    torch and others, for the tests that skip without them'
	@echo 'make lint     ruff and mypy --strict'
	@echo 'make bench    the figures, each beside its goal and its peer'
	@echo 'make site     the documentation as a site of plain files, in build/site'
	@echo 'make screenshots  pictures of the console for README and docs'
	@echo 'make fuzz     bytes on which a parser fails: FUZZ=60 seconds for each of five searches'
	@echo 'make wheelhouse  all that an installation without a network needs, in build/wheelhouse: EXTRAS=…'
	@echo 'make audit    what watchword is built on, against advisories: OSV=FOLDER'
	@echo 'make release  the wheel, what is in it, and the signed claim on both: SUPPLIER=FOLDER'
	@echo 'make lock     resolve requirements/*.lock anew from pyproject.toml'
	@echo 'make clean    remove what the other targets made'

.PHONY: demo
demo: $(VENV)/demo.stamp
	$(BIN)/watchword demo

.PHONY: test
test: $(VENV)/dev.stamp
	$(BIN)/python -m pytest -n $(JOBS) -rs $(ARGS)

.PHONY: lint
lint: $(VENV)/dev.stamp
	$(BIN)/ruff check
	$(BIN)/mypy

# Pictures of the console, for README and docs; needs make heavy.
.PHONY: screenshots
screenshots: $(VENV)/dev.stamp
	$(BIN)/python docs/screenshots.py

.PHONY: site
site: $(VENV)/dev.stamp
	$(BIN)/python docs/site.py build/site

.PHONY: bench
bench: $(VENV)/dev.stamp
	$(BIN)/python -m benchmarks $(ARGS)

# One resolution for all: demo and core are constrained by dev, so no version differs between them.
COMPILE := UV_CUSTOM_COMPILE_COMMAND='make lock' $(BIN)/uv pip compile --quiet --universal --generate-hashes \
	--python-version 3.11 --no-annotate pyproject.toml
.PHONY: lock
lock: $(VENV)/dev.stamp
	@$(COMPILE) $(UPGRADE) --all-extras --group dev -o requirements/dev.lock
	@$(COMPILE) --extra data --extra demo --group build -c requirements/dev.lock -o requirements/demo.lock
	@$(COMPILE) -c requirements/dev.lock -o requirements/core.lock

# Some gigabytes, so never by itself: with it, and with Go and SoftHSM from the system, no test is skipped.
.PHONY: heavy
heavy: $(VENV)/dev.stamp
	@echo 'installing requirements/heavy.txt'
	@$(PIP) install -r requirements/heavy.txt
	@# Attacks of another tool. It asks for torchvision, which it does not import and which has no build for the CPU there.
	@$(PIP) install --no-deps secml-torch==1.5
	@echo 'fetching the conformance suites of MCP and the server they are for, and checks of accessibility'
	@PATH="$(abspath $(BIN)):$$PATH" npm install --silent --no-audit --no-fund --prefix $(VENV)/conformance \
		conformance-2025@npm:@modelcontextprotocol/conformance@0.1.16 \
		conformance-2026@npm:@modelcontextprotocol/conformance@0.2.0-alpha.12 axe-core@4.14.1
	@$(PIP) download --no-deps --no-binary mcp mcp==2.3.0 --dest $(VENV)/conformance
	@tar -xzf $(VENV)/conformance/mcp-2.3.0.tar.gz -C $(VENV)/conformance mcp-2.3.0/examples/servers

# Searches that coverage guides, each for FUZZ seconds from a random seed: the pickle machine against CPython's own, every
# parser of the inspector, of ledgers, of what comes from outside, and of papers. What is new goes to tests/inspect/kept and
# tests/kept with KEEP=1.
FUZZ ?= 60
.PHONY: fuzz
fuzz: $(VENV)/dev.stamp
	$(BIN)/python -m benchmarks.inspect.fuzz $(FUZZ)
	$(BIN)/python -m benchmarks.inspect.fuzz_formats $(FUZZ) $$(od -An -N4 -tu4 /dev/urandom) $(if $(KEEP),tests/inspect/kept)
	for of in ledger.fuzz outside papers; do \
		$(BIN)/python -m benchmarks.$$of $(FUZZ) $(if $(KEEP),keep) || exit 1; \
	done

# All that an installation needs, with the digest of each, from the same lock as the tests: docs/deploy/install.md.
EXTRAS ?= serve catalog observe
WHEELHOUSE ?= build/wheelhouse
.PHONY: wheelhouse
wheelhouse: $(VENV)/dev.stamp
	@rm -rf '$(WHEELHOUSE)' && mkdir -p '$(WHEELHOUSE)'
	@UV_CUSTOM_COMPILE_COMMAND='make wheelhouse' $(BIN)/uv pip compile --quiet --universal --generate-hashes \
		--python-version 3.11 --no-annotate pyproject.toml $(EXTRAS:%=--extra %) -c requirements/dev.lock \
		-o '$(WHEELHOUSE)/requirements.lock'
	@$(PIP) download --require-hashes -r '$(WHEELHOUSE)/requirements.lock' --dest '$(WHEELHOUSE)'
	@$(BIN)/python -m build --wheel --no-isolation --outdir '$(WHEELHOUSE)' >/dev/null
	@ls '$(WHEELHOUSE)'

# The locks against a folder of advisories in OSV's form, without a network: such as the export for PyPI of osv.dev.
.PHONY: audit
audit: $(VENV)/dev.stamp
	@test -n '$(OSV)' || { echo 'make: name a folder of advisories, such as the export for PyPI of osv.dev, unpacked: make audit OSV=FOLDER' >&2; exit 2; }
	$(BIN)/python audit.py '$(OSV)'

# Wheel, bill of materials, and the claim on both, signed with the key of the supplier in SUPPLIER
# (`watchword init WATCHWORD --supplier`).
.PHONY: release
release: $(VENV)/dev.stamp
	@test -n '$(SUPPLIER)' || { echo 'make: whose key signs? make release SUPPLIER=FOLDER, which watchword init WATCHWORD --supplier makes' >&2; exit 2; }
	$(BIN)/python release.py --home '$(SUPPLIER)' --output dist

.PHONY: clean
clean:
	rm -rf $(VENV) build dist dist.claim.json .mypy_cache .ruff_cache .pytest_cache .hypothesis

# `venv` into a folder that another Python made would mix the two, so it runs only where pip does not.
define make_venv
	@test -n '$(PYTHON)' || { echo 'make: no Python 3.11 or newer found; install one, or name it: make PYTHON=/path/to/python3' >&2; exit 2; }
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || { echo 'making $(VENV) with $(PYTHON)'; $(PYTHON) -m venv --clear $(VENV); } || \
		{ echo 'make: $(PYTHON) cannot make a virtual environment; on Debian and Ubuntu: apt-get install python3-venv' >&2; exit 2; }
endef

# Nothing is fetched to build watchword itself: hatchling is in both locks.
define install
	$(make_venv)
	@echo 'installing $(1) with hashes'
	@$(PIP) install --require-hashes -r $(1)
	@$(PIP) install --no-deps --no-build-isolation -e .
endef

$(VENV)/demo.stamp: requirements/demo.lock pyproject.toml
	$(call install,requirements/demo.lock)
	@touch $@

# dev holds all that demo holds, so the demo need not install again after the tests.
$(VENV)/dev.stamp: requirements/dev.lock pyproject.toml
	$(call install,requirements/dev.lock)
	@touch $(VENV)/demo.stamp $@

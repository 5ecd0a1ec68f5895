# The two commands: `make demo` and `make test`. Each sets up its own environment in .venv.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo review test lint docs conformance soak test-servers test-browser bench bench-servers sbom audit clean

demo: .venv/installed
	$(BIN)/cohortfinder demo

# the review application on the sample patients, for this machine alone; it prints where, and a demo account
review: .venv/installed
	$(BIN)/cohortfinder review --demo

test: .venv/installed-dev
	$(BIN)/python -m pytest -n 2 --dist worksteal --ignore=tests/packaging --ignore=tests/conformance --ignore=tests/servers \
		--ignore=tests/browser --ignore-glob='tests/portable/test_spark*.py'

lint: .venv/installed-dev
	$(BIN)/ruff check src tests benchmarks
	$(BIN)/ruff format --check src tests benchmarks
	$(BIN)/mypy
	$(BIN)/lint-imports

# the pages that are written from the program and its tests
docs: .venv/installed-dev
	$(BIN)/python -m tests.docs.commands
	$(BIN)/python -m tests.docs.spec_pages
	$(BIN)/python -m tests.docs.notebook

conformance: .venv/installed-dev
	$(BIN)/python -m pytest tests/conformance --sql-on-fhir-report build/sql-on-fhir-report.json

# 14 nights that are disturbed some 300 times, against a series that nobody disturbs; as root it fills a small disk too.
# With BENCH_DATA (benchmarks/data/fhir, see bench) over those patients as well, which takes an hour or more.
soak: .venv/installed-dev
	COHORTFINDER_LAWS=long $(BIN)/python -m pytest -s tests/soak

# the real servers: HAPI from Maven Central, and Helios, which is built once from crates.io, outside of this folder
HELIOS ?= $(HOME)/.cache/cohortfinder/helios-0.2.7
test-servers: .venv/installed-dev
	tests/servers/helios/build.sh $(HELIOS)
	COHORTFINDER_HELIOS=$(HELIOS) $(BIN)/python -m pytest tests/servers

# the review application in Chromium (Debian: chromium, npm)
test-browser: .venv/installed-dev
	$(BIN)/python -m pytest tests/browser

# needs benchmarks/data (python -m benchmarks.generate, with Java and Maven), or BENCH_DATA
bench: .venv/installed-dev
	$(BIN)/python -m benchmarks.run

# pulls and exports: the same data, and a HAPI of its own
bench-servers: .venv/installed-dev
	$(BIN)/python -m benchmarks.export
	$(BIN)/python -m benchmarks.search

# build/sbom.json: the package and what it needs to run, as pip installs it into an empty environment today (CycloneDX)
sbom: .venv/installed-audit
	$(PYTHON) -m venv --clear --without-pip build/shipped
	$(BIN)/python -m pip --python build/shipped/bin/python install --quiet --disable-pip-version-check .
	$(BIN)/cyclonedx-py environment --pyproject pyproject.toml --output-reproducible --of JSON -o build/sbom.json \
		build/shipped/bin/python

# Known weaknesses of what is in build/sbom.json. Without --strict a package that nobody could be asked about passes.
AUDIT ?= --vulnerability-service pypi
audit: sbom
	$(BIN)/python -c "import json; [print(one['name'] + '==' + one['version']) \
		for one in json.load(open('build/sbom.json'))['components']]" > build/shipped.txt
	@$(BIN)/pip-audit --strict --progress-spinner off --no-deps --disable-pip $(AUDIT) -r build/shipped.txt \
		2> build/audit.log; status=$$?; \
	if [ $$status -eq 0 ] || grep -q "^Found .* known vulnerabilit" build/audit.log; then \
		grep -v "^WARNING" build/audit.log >&2; \
	else \
		echo "make audit: the advisory service could not be asked about every package, so nothing is known of them" \
			"(build/audit.log says why); try again where it is reached, or name another one:" \
			"make audit AUDIT='--vulnerability-service osv'" >&2; \
	fi; exit $$status

.venv/installed: pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e .
	touch $@

.venv/installed-dev: pyproject.toml .venv/installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	touch $@

.venv/installed-audit: pyproject.toml .venv/installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[audit]'
	touch $@

clean:
	rm -rf .venv dist build cohortfinder-demo cohortfinder-review-demo .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

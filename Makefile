# run: the desk at http://127.0.0.1:8000   test: everything that can be checked   check: the static half
# lint: format and mend   bench: speed against a reference   soak: everything falls over   setup: all of the above installed, nothing started
PYTHON ?= python3.11
PY := .venv/bin/python
PIP := $(PY) -m pip install -qq --disable-pip-version-check
CODE := sensequant trading models_ml monitoring releases
# long files first (tests/conftest.py), not those with most stories
PAIR ?= -n 2 --dist loadfile --no-loadscope-reorder
VENDOR := static/vendor/.stamp
.DEFAULT_GOAL := run
.PHONY: audit run test check lint bench soak setup sample-optimization
.PHONY: release-deploy release-rollback release-status
.PHONY: release-audit release-archive release-validate release-manifest

run: .venv/.run $(VENDOR)
	@exec $(PY) manage.py standalone

test: .venv/.dev $(VENDOR)
	@$(PY) -m tests.services
	@if $(PY) -m tests.services postgres; then \
	  TEST_ON=postgres $(PY) -m pytest $(PAIR) -m 'django_db and not browser' -p no:randomly $(ARGS); fi
	@$(PY) -m pytest $(PAIR) -rs $(ARGS)

check: .venv/.dev
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .
	$(PY) -m djlint templates --check --lint
	$(PY) -m mypy $(CODE)
	$(PY) manage.py makemigrations --check --dry-run
	.venv/bin/lint-imports

# known weaknesses of what is installed; asks pypi.org, so it needs the network
audit: .venv/.dev
	$(PY) -m pip_audit --requirement requirements.txt --no-deps --disable-pip --progress-spinner off

lint: .venv/.dev
	$(PY) -m ruff format .
	$(PY) -m ruff check --fix .
	$(PY) -m djlint templates --reformat --quiet

# 24 hours of trading at 60 times while everything falls over: 25 minutes; ARGS="--hours 2 --symbols 10" for less
soak: .venv/.run
	@$(PY) manage.py soak $(ARGS)

bench: .venv/.bench
	@$(PY) manage.py bench $(ARGS)

# an optimisation of the demo market, with every file it leaves, under data/optimization/sample_run
sample-optimization: .venv/.run
	@$(PY) manage.py optimize --data-source demo --symbols DEMOBANK DEMOOIL DEMOTECH DEMOAUTO \
	  --start-date 2026-01-01 --end-date 2026-10-30 --strategy intraday --interval 5minute \
	  --config config/optimization/intraday_grid.json --output-dir $${SENSEQUANT_HOME:-var}/data/optimization/sample_run $(ARGS)

# the desk before a release: release/audit_<timestamp>/ under SENSEQUANT_HOME; ARGS="--skip-validation --skip-plots"
release-audit: .venv/.run
	@$(PY) manage.py release_audit $(ARGS)

release-archive: .venv/.run
	@$(PY) manage.py release_archive $(ARGS)

# the gates of a release: everything that can be checked is checked
release-validate:
	@$(MAKE) --no-print-directory check
	@$(MAKE) --no-print-directory test

# the signed manifest of the newest release that three people approved (RELEASE=release_… for another one)
release-manifest: release-validate
	@$(PY) manage.py release_manifest $(RELEASE) $(ARGS)

# asks "type 'yes'", for the release's name and for who you are: ARGS="--by esha", RELEASE=release_… for another one
release-deploy: .venv/.run
	@$(PY) manage.py release_deploy $(RELEASE) $(ARGS)

# back to the release before: REASON="why", ARGS="--to release_… --by rafi"
release-rollback: .venv/.run
	@$(PY) manage.py release_rollback --reason "$(REASON)" $(ARGS)

release-status: .venv/.run
	@$(PY) manage.py release_status $(ARGS)

setup: .venv/.dev $(VENDOR)

# Each part of requirements.txt has a stamp, so that `make run` waits for no more than it needs.
.venv/bin/python:
	@echo "Making the virtual environment"
	@$(PYTHON) -m venv .venv

.venv/.run: requirements.txt | .venv/bin/python
	@echo "Installing what the desk runs on"
	@sed '/^# --- To develop/,$$d' requirements.txt > .venv/run.txt && $(PIP) -r .venv/run.txt && touch $@

.venv/.dev: requirements.txt .venv/.run
	@echo "Installing the development tools"
	@sed '/^# --- To compare/,$$d' requirements.txt > .venv/dev.txt && $(PIP) -r .venv/dev.txt && touch $@

.venv/.bench: requirements.txt .venv/.run
	@$(PIP) -r requirements.txt && touch $@

$(VENDOR): package.json package-lock.json
	@echo "Installing the browser libraries"
	@npm ci --silent --no-audit --no-fund && npm run --silent vendor && touch $@

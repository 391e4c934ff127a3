# A thin index; each verb is also a plain command in CONTRIBUTING.md.

dev:
    .venv/bin/stadtherz demo --data stadtherz-data

test *paths:
    .venv/bin/python -m pytest -q {{paths}}

check:
    .venv/bin/ruff check . && .venv/bin/ruff format --check . && .venv/bin/lint-imports && .venv/bin/mypy

all:
    bash tests/run.sh

docs:
    .venv/bin/python tools/reference.py

service name:
    .venv/bin/stadtherz service new {{name}}

fix:
    .venv/bin/ruff check --fix . ; .venv/bin/ruff format .

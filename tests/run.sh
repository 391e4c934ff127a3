#!/usr/bin/env bash
# Sets up and runs every check and test on a fresh Debian 12 with Python 3.11, as root.
#
# It installs the real parts from Debian (PostgreSQL 15 with PostGIS, Chromium, strace, Mosquitto, Kannel), makes a virtual
# environment in .venv-test, builds the front end, starts PostgreSQL on a free port of the loopback
# in a folder of its own, and stops it at the end. Nothing outside the checkout is changed apart from
# the Debian packages.
set -uo pipefail
cd "$(dirname "$0")/.."
root=$PWD
python=${PYTHON:-python3}
venv=${STADTHERZ_TEST_VENV:-$root/.venv-test}
work=$(mktemp -d -t stadtherz-tests.XXXXXX)
declare -a summary=()
failed=0
began=$SECONDS
# The product is started many hundred times: its modules are compiled once.
unset PYTHONDONTWRITEBYTECODE

say() { printf '\n=== %s\n' "$*"; }

step() { # step "what it is" command...: runs it, remembers how it ended
  local what=$1 start=$SECONDS
  shift
  say "$what"
  if "$@"; then
    summary+=("ok      $((SECONDS - start)) s  $what")
  else
    summary+=("FAILED  $((SECONDS - start)) s  $what")
    failed=1
  fi
}

need() { # need "what it is" command...: without it nothing else makes sense
  step "$@"
  if [ "$failed" = 1 ]; then finish; fi
}

finish() {
  if [ -f "$work/pg/postmaster.pid" ]; then as_postgres "$pgbin/pg_ctl" -D "$work/pg" -m immediate stop >/dev/null 2>&1; fi
  printf '\n=== Summary (%s s)\n' "$((SECONDS - began))"
  printf '%s\n' "${summary[@]}"
  if [ "$failed" = 0 ]; then
    echo "Everything passed."
    rm -rf "$work"
  else
    echo "Something failed: look for FAILED above. Logs: $work"
  fi
  exit "$failed"
}

quietly() { # shows what a command complained about only if it failed
  "$@" 2>"$work/complaints" || { cat "$work/complaints"; return 1; }
}

debian_parts() {
  local wanted=(postgresql-15 postgresql-15-postgis-3 chromium python3-venv curl git strace mosquitto mosquitto-clients kannel kannel-extras gammu gammu-smsd smstools) missing=()
  for package in "${wanted[@]}"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q "install ok installed" || missing+=("$package")
  done
  [ ${#missing[@]} = 0 ] && return 0
  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

environment() {
  [ -x "$venv/bin/python" ] || "$python" -m venv "$venv" || return 1
  quietly "$venv/bin/pip" install -q --upgrade "pip>=25.1" &&
    quietly "$venv/bin/pip" install -q --editable '.[basemap]' &&
    quietly "$venv/bin/pip" install -q --group test --group check
}

as_postgres() { # PostgreSQL refuses to run as root
  if [ "$(id -u)" = 0 ]; then runuser -u postgres -- "$@"; else "$@"; fi
}

# Tests kill the product's processes, never this server: it need not wait for the disk.
forgetful="-c fsync=off -c full_page_writes=off -c synchronous_commit=off"

postgresql() {
  pgbin=/usr/lib/postgresql/15/bin
  pgport=$("$venv/bin/python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
  chmod 755 "$work" && mkdir "$work/pg" || return 1
  if [ "$(id -u)" = 0 ]; then chown postgres "$work/pg"; fi
  as_postgres "$pgbin/initdb" --no-sync -D "$work/pg" -A trust -U postgres -E UTF8 --locale=C.UTF-8 >/dev/null &&
    as_postgres "$pgbin/pg_ctl" -D "$work/pg" -w -l "$work/pg/log" \
      -o "-p $pgport -c listen_addresses=127.0.0.1 -c unix_socket_directories=$work/pg $forgetful" start >/dev/null
  export STADTHERZ_TEST_POSTGRES="postgresql://postgres@127.0.0.1:$pgport/stadtherz"
}

sqlite_tests() {
  STADTHERZ_DATA="$work/sqlite" "$venv/bin/python" -m pytest -q --durations=25 -m "not browser" --ignore=tests/bench src tests
}

postgres_tests() { # all that comes to the database; the description of the interface is the same on both
  STADTHERZ_DATA="$work/postgres" STADTHERZ_ENGINE="$STADTHERZ_TEST_POSTGRES" \
    "$venv/bin/python" -m pytest -q -m "not browser" \
    --ignore=tests/conformance/openapi \
    src/stadtherz/{sql,store,stream,sensorthings,ingest,mqtt,identity,alerts,services} tests/conformance \
    tests/services/test_contract.py tests/test_rows.py
}

benchmark_tests() { # and the code blocks of the documentation
  STADTHERZ_DATA="$work/bench" "$venv/bin/python" -m pytest -q --durations=10 -m "not browser" tests/bench docs
}

one_after_the_other() {
  postgres_tests >"$work/postgres.log" 2>&1
  local first=$?
  benchmark_tests >"$work/bench.log" 2>&1
  local second=$?
  return $((first | second))
}

side_by_side() { # two rows of tests, about equally long, share the machine's cores; each prints its own report
  one_after_the_other &
  local other=$!
  sqlite_tests
  local first=$?
  wait "$other"
  local second=$?
  for log in postgres bench; do
    say "Tests: $log"
    tail -n "$([ "$second" = 0 ] && echo 24 || echo 400)" "$work/$log.log"
  done
  return $((first | second))
}

browser_tests() {
  STADTHERZ_DATA="$work/browser" "$venv/bin/python" -m pytest -q -m browser
}

typescript() {
  local node
  node=$("$venv/bin/python" -c 'import hatch_build; print(hatch_build.node_folder() / "node")') &&
    "$node" frontend/node_modules/typescript/bin/tsc --noEmit --project frontend
}

need "Debian's parts: PostgreSQL 15 with PostGIS, Chromium" debian_parts
need "Virtual environment, front end, translations" environment
need "PostgreSQL on a free port" postgresql
step "Style (ruff)" "$venv/bin/ruff" check .
step "Format (ruff)" "$venv/bin/ruff" format --check .
step "Rings (import-linter)" "$venv/bin/lint-imports" --no-cache
step "Types (mypy, strict)" "$venv/bin/mypy"
step "Types of the front end (tsc, strict)" typescript
step "Tests on SQLite; beside them on PostgreSQL 15 with PostGIS, and of the benchmarks" side_by_side
step "Journeys in a browser (Chromium)" browser_tests
step "The README's first command, in a fresh clone" "$venv/bin/python" tests/first_command.py
step "Figures of the code" "$venv/bin/python" tools/figures.py
finish

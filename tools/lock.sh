#!/usr/bin/env bash
# Writes requirements/*.txt from pyproject.toml: exact versions with hashes, for every platform, and no address of an index.
set -euo pipefail
cd "$(dirname "$0")/.."

lock() {
  local out=requirements/$1
  shift
  uv pip compile "$@" --universal --generate-hashes --no-emit-index-url --no-header --no-annotate --quiet --output-file "$out"
  echo "$out: $(grep -c '==' "$out") libraries"
}

lock runtime.txt pyproject.toml
lock dev.txt pyproject.toml --group dev --constraints requirements/runtime.txt
lock build.txt --group build --constraints requirements/dev.txt
lock node.txt --group node

if grep -nE '://|--(index|extra-index|find-links)' requirements/*.txt; then
  echo "a lock file names an index or an address" >&2
  exit 1
fi

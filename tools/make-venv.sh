#!/usr/bin/env bash
# Makes a virtual environment with the first Python that is new enough, or says the mend.
set -euo pipefail
venv=$1

for python in ${PYTHON:-} python3 python3.13 python3.12 python3.11; do
  if command -v "$python" >/dev/null && "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
    found=$python
    break
  fi
done
if [ -z "${found:-}" ]; then
  echo "No Python 3.11 or newer found. Install one (Debian, Ubuntu: apt install python3 python3-venv; macOS: brew install python), or name one: make PYTHON=/path/to/python" >&2
  exit 1
fi

if ! "$found" -c 'import ensurepip, venv' 2>/dev/null; then
  version=$("$found" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
  echo "$found cannot make virtual environments: its venv module is not installed. Mend: apt install python$version-venv" >&2
  exit 1
fi

echo "Python: $("$found" --version 2>&1 | cut -d' ' -f2), environment in $venv"
"$found" -m venv "$venv"

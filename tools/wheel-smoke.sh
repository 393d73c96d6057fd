#!/usr/bin/env bash
# Builds the wheel from the source archive, installs it with the locked libraries far from the checkout, and runs its demo.
set -euo pipefail
cd "$(dirname "$0")/.."
python=$PWD/${1:-.venv/bin/python}
lock=$PWD/requirements/runtime.txt

place=$(mktemp -d)
server=
finish() {
  if [ -n "$server" ]; then kill -TERM "$server" 2>/dev/null && wait "$server" || true; fi
  rm -rf "$place"
}
trap finish EXIT

"$python" -m hatchling build -t sdist -d "$place" 2>"$place/log" >&2 || { cat "$place/log" >&2; exit 1; }
"$python" -m pip wheel -q --no-deps --no-build-isolation -w "$place" "$place"/consent_service-*.tar.gz
"$python" -m venv "$place/venv"
"$place/venv/bin/python" -m pip install -q --disable-pip-version-check --require-hashes -r "$lock"
"$place/venv/bin/python" -m pip install -q --disable-pip-version-check --no-deps "$place"/consent_service-*.whl

port=$("$python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
cd "$place"
env -u PYTHONPATH "$place/venv/bin/consent-service" demo --data-dir "$place/data" --port "$port" --events 2000 >"$place/demo.log" 2>&1 &
server=$!

probe() { "$python" -c 'import sys, urllib.request as r; print(r.urlopen(sys.argv[1], timeout=5).read().decode())' "http://127.0.0.1:$port$1" 2>/dev/null; }
deadline=$((SECONDS + 120))
until probe /readyz >/dev/null; do
  if ! kill -0 "$server" 2>/dev/null || [ "$SECONDS" -gt "$deadline" ]; then
    echo "the installed demo did not get ready" >&2
    tail -n 20 "$place/demo.log" >&2
    exit 1
  fi
  sleep 0.5
done
probe /demo/ >"$place/page" && grep -q '<script defer src=' "$place/page" || { echo "/demo/ embeds no tag" >&2; exit 1; }
probe /consent.js >"$place/script" && grep -q consent "$place/script" || { echo "/consent.js is not the client" >&2; exit 1; }
echo "wheel $(basename "$place"/consent_service-*.whl): installed elsewhere, its demo serves the page and the client"

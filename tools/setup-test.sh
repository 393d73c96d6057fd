#!/usr/bin/env bash
# Makes sure of what the tests need beyond Python: PostgreSQL, Chromium and Node.js.
# Says for each whether it was found or installed; where it can do neither, names the mend and fails.
set -euo pipefail
cd "$(dirname "$0")/.."
python=${1:-.venv/bin/python}
export PATH="$PWD/.venv/bin:$PATH"

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}

# Debian's and Ubuntu's packages, when this user may install them.
apt_install() {
  command -v apt-get >/dev/null || return 1
  [ "$(id -u)" = 0 ] || sudo -n true 2>/dev/null || return 1
  echo "  installing $* with apt-get ..."
  {
    as_root env DEBIAN_FRONTEND=noninteractive apt-get update -q &&
      as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "$@"
  } >"$log" 2>&1 || { tail -n 5 "$log" >&2; return 1; }
}

# need NAME FIND INSTALL MEND: FIND prints where the thing is, or fails.
need() {
  local name=$1 find=$2 install=$3 mend=$4 where
  if where=$($find); then
    echo "$name: found ($where)"
  elif $install && where=$($find); then
    echo "$name: installed ($where)"
  else
    echo "$name: not found and not installable from here. Mend: $mend" >&2
    missing=1
  fi
}

find_postgres() { "$python" -m tests.postgres; }
install_postgres() { apt_install postgresql; }

find_chromium() { "$python" -m tests.chromium; }
install_chromium() { apt_install chromium fonts-liberation || "$python" -m playwright install chromium >"$log" 2>&1; }

find_node() {
  command -v npm >/dev/null && node -e 'process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)' 2>/dev/null &&
    echo "Node.js $(node --version)"
}
install_node() { "$python" -m pip install -q --require-hashes -r requirements/node.txt >"$log" 2>&1; }

missing=0
log=$(mktemp)
trap 'rm -f "$log"' EXIT
need PostgreSQL find_postgres install_postgres \
  "apt install postgresql (macOS: brew install postgresql), or CONSENT_TEST_POSTGRES_URL=postgresql://… of a server where databases may be created"
need Chromium find_chromium install_chromium \
  "apt install chromium (Ubuntu: a Chrome or Chromium that is not a snap), or CONSENT_TEST_CHROMIUM=/path/to/chromium"
need Node.js find_node install_node "install Node.js 20 or newer with npm"
exit "$missing"

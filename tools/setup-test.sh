#!/usr/bin/env bash
# Makes sure of what the tests need beyond Python: PostgreSQL, Chromium, Node.js, nginx and OpenSSL.
# Says for each whether it was found or installed; where it can do neither, names the mend and fails.
# Apache and Caddy are used where they can be had.
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

# Takes a package's files without installing it: an installed web server would begin to serve this machine.
unpack() {
  command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || return 1
  echo "  unpacking the package $1 into .venv ..."
  local into=$PWD/.venv/debian place
  place=$(mktemp -d)
  (
    cd "$place"
    apt-get download -q "$1" || { as_root apt-get update -q && apt-get download -q "$1"; }
    mkdir -p "$into"
    dpkg-deb -x ./*.deb "$into"
  ) >"$log" 2>&1 || { tail -n 5 "$log" >&2; rm -rf "$place"; return 1; }
  rm -rf "$place"
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

# want NAME FIND INSTALL FILE: as need, but only the tests of FILE go without it.
want() {
  local name=$1 find=$2 install=$3 file=$4 where
  if where=$($find); then
    echo "$name: found ($where)"
  elif $install && where=$($find); then
    echo "$name: installed ($where)"
  else
    echo "$name: not found and not installable from here; $file goes untested"
  fi
}

find_postgres() { "$python" -m tests.postgres; }
install_postgres() { apt_install postgresql; }

find_openssl() { command -v openssl; }
install_openssl() { apt_install openssl; }

# It must start too: an unpacked program may miss a library.
find_nginx() { local it; it=$("$python" -m tests.proxies nginx) && "$it" -v 2>/dev/null && echo "$it"; }
install_nginx() { unpack nginx; }

find_apache() { local it; it=$("$python" -m tests.proxies apache) && "$it" -v >/dev/null 2>&1 && echo "$it"; }
install_apache() { apt_install apache2-bin; }

find_caddy() { local it; it=$("$python" -m tests.proxies caddy) && "$it" version >/dev/null 2>&1 && echo "$it"; }
install_caddy() { unpack caddy; }

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
need OpenSSL find_openssl install_openssl "apt install openssl (macOS: brew install openssl)"
need nginx find_nginx install_nginx "apt install nginx (macOS: brew install nginx)"
want Apache find_apache install_apache docs/proxies/apache.conf
want Caddy find_caddy install_caddy docs/proxies/Caddyfile
exit "$missing"

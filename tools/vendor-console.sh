#!/usr/bin/env bash
# Fetches the console's chart library from npm into static/console/vendor, pinned by version and hash.
set -euo pipefail

version=1.6.32
sha256=4b8a8191e425658e3ea8c8c1314b0fc679c861ee3a1af2b20c7b16ba50b5133d

here=$(cd "$(dirname "$0")/.." && pwd)
into="$here/static/console/vendor/uplot"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

(cd "$work" && npm pack --silent "uplot@$version" >/dev/null)
echo "$sha256  $work/uplot-$version.tgz" | sha256sum --check --quiet
tar -xzf "$work/uplot-$version.tgz" -C "$work"
mkdir -p "$into"
cp "$work/package/LICENSE" "$work/package/dist/uPlot.iife.min.js" "$work/package/dist/uPlot.min.css" "$into/"
echo "uplot $version is in static/console/vendor/uplot"

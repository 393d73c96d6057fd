#!/usr/bin/env bash
# Run the tests side by side. What fails there runs once more, alone: a test that waits for a busy machine longer than it
# allows is not a fault of the product. One that fails alone too ends this with an error; so does more than a handful.
set -euo pipefail
cd "$(dirname "$0")/.."

python=$1
shift
few=8
log=$(mktemp)
trap 'rm -f "$log"' EXIT

status=0
"$python" -m pytest -n auto --maxprocesses 4 --dist loadfile "$@" | tee "$log" || status=$?
failed=$(grep -cE '^(FAILED|ERROR) ' "$log" || true)
# 1: tests failed. Anything else is no result: interrupted, wrong usage, nothing collected.
if [ "$status" -ne 1 ] || [ "$failed" -gt "$few" ]; then
    exit "$status"
fi
printf '\n== %s failed beside others; once more, alone\n' "$failed"
"$python" -m pytest --last-failed --last-failed-no-failures none "$@"
printf '== passed alone, failed beside others (a wait too short, or a race: look for it):\n'
grep -E '^(FAILED|ERROR) ' "$log"

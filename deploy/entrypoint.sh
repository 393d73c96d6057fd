#!/bin/sh
# Runs consent-service. Hosts of one deployment sign with the same keys: those in /keys are taken where there are none yet.
set -eu
for name in secrets.json ledger.json; do
  if [ -f "/keys/$name" ] && [ ! -f "$CONSENT_SERVICE_DATA_DIR/$name" ]; then
    install -m 600 "/keys/$name" "$CONSENT_SERVICE_DATA_DIR/$name"
  fi
done
exec consent-service "$@"

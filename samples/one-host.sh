#!/usr/bin/env bash
# A whole migration on one host: list, look, copy. Run it again after an interruption.
source "$(dirname "$0")/settings.sh"

"$(dirname "$0")/list.sh"
if [ ! -s "$WORK/logs/migrate.log" ]; then
    migrate "$WORK/source-lists" "$WORK/logs" --dry-run --first 10000
fi
migrate "$WORK/source-lists" "$WORK/logs" || {
    status=$?
    [ $status != 1 ] || echo "some objects failed: mend the cause, then run retry-failed.sh"
    exit $status
}

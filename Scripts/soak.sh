#!/usr/bin/env bash
# One long run between two fast endpoints: Scripts/soak.sh [MINUTES] (20). Fails where its memory or its descriptors did
# not stay flat. S3MIGRATE names another program than the release build.
set -euo pipefail
top=$(cd "$(dirname "$0")/.." && pwd)
cd "$top"
exec .build-tools/venv/bin/python bench/soak.py "${1:-20}" --s3migrate "${S3MIGRATE:-.build/release/s3migrate}"

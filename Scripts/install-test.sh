#!/usr/bin/env bash
# What the end-to-end tests need beyond the build: real S3 servers, and Python packages.
# A server that cannot be had is an error here, and no reason for a test to be skipped later.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
"$here/install-packages.sh" radosgw ceph-mon ceph-osd ceph-common memcached openssl util-linux
"$here/install-venv.sh"
"$here/install-venv.sh" swift
"$here/install-venv.sh" localstack

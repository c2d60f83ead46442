#!/usr/bin/env bash
# One host's share of a migration: several-hosts.sh HOSTS THIS_HOST, where THIS_HOST counts from 0.
# Run list.sh first, on one host, and give all hosts the same lists (WORK on a shared file system).
source "$(dirname "$0")/settings.sh"
hosts=${1:?how many hosts} this=${2:?which of them, from 0}

migrate "$WORK/source-lists" "$WORK/logs-$this" --hash-count "$hosts" --hash-value "$this"

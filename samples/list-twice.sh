#!/bin/sh
# Lists a mounted bucket twice: all of it for the first pass of a migration, and later what has
# changed since, for the second. Each listing has a folder of its own.
#
#   samples/list-twice.sh /mnt/bucket /var/tmp/lists
set -eu

bucket=$1
lists=$2
mkdir -p "$lists"

s3find "$bucket" "$lists/all"

# ... s3migrate --src-folder "$lists/all" ..., while clients go on writing; then, within a day:

s3find "$bucket" "$lists/changed" --later-than 1

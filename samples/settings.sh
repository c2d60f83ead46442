# What the sample scripts have in common; they source it. Set these in the environment, or edit them here:
#
#   SRC_DIRECTORY   where the source bucket is mounted, for s3find
#   SRC_URL, SRC_BUCKET, S3MIGRATE_SRC_KEY, S3MIGRATE_SRC_SECRET
#   DEST_URL, DEST_BUCKET, S3MIGRATE_DEST_KEY, S3MIGRATE_DEST_SECRET
#   WORK            a folder for lists and logs; the same one on every run of a migration
#
# The secrets stay in the environment: a flag would be visible to every user of the host.
set -euo pipefail

S3FIND=${S3FIND:-s3find}
S3MIGRATE=${S3MIGRATE:-s3migrate}
: "${SRC_URL:?}" "${SRC_BUCKET:?}" "${DEST_URL:?}" "${DEST_BUCKET:?}" "${WORK:?}"
mkdir -p "$WORK/target-lists" # empty: nothing is known of the target

# migrate SOURCE_LISTS LOG_FOLDER [OPTION...]: one run; the same call again goes on where that run was stopped.
migrate() {
    local lists=$1 logs=$2
    shift 2
    mkdir -p "$logs"
    if [ -s "$logs/migrate.log" ]; then set -- --resume "$@"; fi
    "$S3MIGRATE" \
        --src-url "$SRC_URL" --src-bucket "$SRC_BUCKET" --src-key "$S3MIGRATE_SRC_KEY" --src-folder "$lists" \
        --dest-url "$DEST_URL" --dest-bucket "$DEST_BUCKET" --dest-key "$S3MIGRATE_DEST_KEY" \
        --dest-folder "$WORK/target-lists" \
        --log-folder "$logs" "$@"
}

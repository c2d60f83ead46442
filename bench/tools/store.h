//! What a target was given: keys, sizes and ETags, and multipart uploads. The bytes are gone.
#ifndef BENCH_STORE_H
#define BENCH_STORE_H

#include "content.h"

#define MTIME_CHARS 40
#define TAGGING_CHARS 256
#define PARTS_MAX 10000

struct stored {
    struct object object;
    char mtime[MTIME_CHARS];     ///< rclone's x-amz-meta-mtime; without it a second pass would copy again
    char tagging[TAGGING_CHARS]; ///< as in x-amz-tagging
};

/// Remembers an object by its path ("/bucket/key"). With `only_if_absent` nothing is replaced, and false says that it is
/// there. Beyond the bound nothing new is remembered.
bool store_put(struct text path, const struct stored *stored, bool only_if_absent);
bool store_get(struct text path, struct stored *stored);
void store_remove(struct text path);
/// Forgets all objects and uploads.
void store_clear(void);
extern uint64_t store_keys_max;

struct part {
    uint64_t size_bytes;
    uint8_t md5[MD5_BYTES];
    bool is_there;
};

uint64_t upload_create(struct text path, const struct stored *stored);
bool upload_part(uint64_t id, unsigned number, const struct part *part);
/// Ends the upload: gives the object that its parts make, with their composite ETag.
bool upload_complete(uint64_t id, struct stored *stored);
bool upload_abort(uint64_t id);
/// A copy of the parts that are there, PARTS_MAX + 1 of them by number, which the caller frees; NULL: no such upload.
struct part *upload_parts(uint64_t id);
void uploads_clear(void);
/// Calls `each` for every open upload.
void uploads_each(void (*each)(void *context, uint64_t id, const char *path), void *context);

#endif

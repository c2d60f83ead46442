//! Multipart uploads: a handful at a time, so a list with one lock does.
#include "store.h"

#include <openssl/evp.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct upload {
    struct upload *next;
    uint64_t id;
    struct stored stored;
    struct part *parts; ///< by number, from 1
    char path[];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct upload *uploads;
static uint64_t last_id;

static struct upload **find(uint64_t id) {
    struct upload **link = &uploads;
    while (*link && (*link)->id != id) link = &(*link)->next;
    return link;
}

static void drop(struct upload **link) {
    struct upload *upload = *link;
    *link = upload->next;
    free(upload->parts);
    free(upload);
}

uint64_t upload_create(struct text path, const struct stored *stored) {
    struct upload *upload = calloc(1, sizeof *upload + path.length + 1);
    if (!upload || !(upload->parts = calloc(PARTS_MAX + 1, sizeof(struct part)))) fail("an upload");
    upload->stored = *stored;
    memcpy(upload->path, path.at, path.length);
    pthread_mutex_lock(&lock);
    uint64_t id = upload->id = ++last_id;
    upload->next = uploads;
    uploads = upload;
    pthread_mutex_unlock(&lock);
    return id;
}

bool upload_part(uint64_t id, unsigned number, const struct part *part) {
    pthread_mutex_lock(&lock);
    struct upload *upload = *find(id);
    if (upload) upload->parts[number] = *part;
    pthread_mutex_unlock(&lock);
    return upload != NULL;
}

/// The size of all parts, and the MD5 of their MD5s.
static void join(const struct part *parts, struct object *object) {
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    if (!context || EVP_DigestInit_ex(context, EVP_md5(), NULL) != 1) refuse("libcrypto has no", "MD5");
    memset(object, 0, sizeof *object);
    for (int i = 1; i <= PARTS_MAX; i++) {
        if (!parts[i].is_there) continue;
        object->size_bytes += parts[i].size_bytes;
        object->parts++;
        EVP_DigestUpdate(context, parts[i].md5, MD5_BYTES);
    }
    EVP_DigestFinal_ex(context, object->md5, NULL);
    EVP_MD_CTX_free(context);
}

bool upload_complete(uint64_t id, struct stored *stored) {
    pthread_mutex_lock(&lock);
    struct upload **link = find(id);
    bool is_there = *link != NULL;
    if (is_there) {
        *stored = (*link)->stored;
        join((*link)->parts, &stored->object);
        drop(link);
    }
    pthread_mutex_unlock(&lock);
    return is_there;
}

bool upload_abort(uint64_t id) {
    pthread_mutex_lock(&lock);
    struct upload **link = find(id);
    bool is_there = *link != NULL;
    if (is_there) drop(link);
    pthread_mutex_unlock(&lock);
    return is_there;
}

struct part *upload_parts(uint64_t id) {
    size_t bytes = (PARTS_MAX + 1) * sizeof(struct part);
    struct part *copy = NULL;
    pthread_mutex_lock(&lock);
    struct upload *upload = *find(id);
    if (upload && (copy = malloc(bytes))) memcpy(copy, upload->parts, bytes);
    pthread_mutex_unlock(&lock);
    return copy;
}

void uploads_each(void (*each)(void *context, uint64_t id, const char *path), void *context) {
    pthread_mutex_lock(&lock);
    for (struct upload *upload = uploads; upload; upload = upload->next)
        each(context, upload->id, upload->path);
    pthread_mutex_unlock(&lock);
}

void uploads_clear(void) {
    pthread_mutex_lock(&lock);
    while (uploads) drop(&uploads);
    pthread_mutex_unlock(&lock);
}

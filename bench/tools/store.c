//! A hash table of what was stored, in shards that each have a lock.
#define _GNU_SOURCE
#include "store.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define SHARDS 64
#define CHAINS_PER_SHARD 16384

/// `tagging` stands apart: few objects have tags, and all of them have to fit into memory.
struct entry {
    struct entry *next;
    uint64_t hash;
    struct object object;
    char mtime[MTIME_CHARS];
    char *tagging;
    size_t length;
    char path[];
};

static struct shard {
    pthread_mutex_t lock;
    struct entry *chains[CHAINS_PER_SHARD];
} shards[SHARDS] = {[0 ... SHARDS - 1] = {.lock = PTHREAD_MUTEX_INITIALIZER}};

uint64_t store_keys_max = 4000000;
static atomic_uint_fast64_t key_count;

/// FNV-1a, eight bytes at a time, since only this process has to agree with it.
static uint64_t hash_of(struct text path) {
    uint64_t hash = 0xcbf29ce484222325u, word;
    size_t i = 0;
    for (; i + 8 <= path.length; i += 8) {
        memcpy(&word, path.at + i, 8);
        hash = (hash ^ word) * 0x100000001b3u;
        hash ^= hash >> 32;
    }
    for (; i < path.length; i++) hash = (hash ^ (uint8_t)path.at[i]) * 0x100000001b3u;
    return hash ^ (hash >> 29);
}

/// The link that points at the entry, or the chain's last one.
static struct entry **find(struct shard *shard, uint64_t hash, struct text path) {
    struct entry **link = &shard->chains[(hash / SHARDS) % CHAINS_PER_SHARD];
    while (*link && !((*link)->hash == hash && (*link)->length == path.length &&
                      memcmp((*link)->path, path.at, path.length) == 0))
        link = &(*link)->next;
    return link;
}

static struct entry *new_entry(uint64_t hash, struct text path) {
    if (atomic_fetch_add(&key_count, 1) >= store_keys_max) {
        atomic_fetch_sub(&key_count, 1);
        return NULL;
    }
    struct entry *entry = calloc(1, sizeof *entry + path.length);
    if (!entry) fail("memory for a key");
    entry->hash = hash;
    entry->length = path.length;
    memcpy(entry->path, path.at, path.length);
    return entry;
}

static void fill(struct entry *entry, const struct stored *stored) {
    entry->object = stored->object;
    memcpy(entry->mtime, stored->mtime, MTIME_CHARS);
    free(entry->tagging);
    entry->tagging = stored->tagging[0] ? strdup(stored->tagging) : NULL;
}

static void drop(struct entry **link) {
    struct entry *entry = *link;
    *link = entry->next;
    free(entry->tagging);
    free(entry);
    atomic_fetch_sub(&key_count, 1);
}

bool store_put(struct text path, const struct stored *stored, bool only_if_absent) {
    uint64_t hash = hash_of(path);
    struct shard *shard = &shards[hash % SHARDS];
    pthread_mutex_lock(&shard->lock);
    struct entry **link = find(shard, hash, path);
    bool may = !*link || !only_if_absent;
    if (!*link) *link = new_entry(hash, path);
    if (may && *link) fill(*link, stored);
    pthread_mutex_unlock(&shard->lock);
    return may;
}

bool store_get(struct text path, struct stored *stored) {
    uint64_t hash = hash_of(path);
    struct shard *shard = &shards[hash % SHARDS];
    pthread_mutex_lock(&shard->lock);
    struct entry *entry = *find(shard, hash, path);
    if (entry) {
        stored->object = entry->object;
        memcpy(stored->mtime, entry->mtime, MTIME_CHARS);
        strcpy(stored->tagging, entry->tagging ? entry->tagging : "");
    }
    pthread_mutex_unlock(&shard->lock);
    return entry != NULL;
}

void store_remove(struct text path) {
    uint64_t hash = hash_of(path);
    struct shard *shard = &shards[hash % SHARDS];
    pthread_mutex_lock(&shard->lock);
    struct entry **link = find(shard, hash, path);
    if (*link) drop(link);
    pthread_mutex_unlock(&shard->lock);
}

void store_clear(void) {
    for (int i = 0; i < SHARDS; i++) {
        pthread_mutex_lock(&shards[i].lock);
        for (int j = 0; j < CHAINS_PER_SHARD; j++)
            while (shards[i].chains[j]) drop(&shards[i].chains[j]);
        pthread_mutex_unlock(&shards[i].lock);
    }
    uploads_clear();
}

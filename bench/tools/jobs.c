//! Jobs are counted, not kept: object after object, and each object's parts in turn.
#define _GNU_SOURCE
#include "jobs.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

static struct catalogue all;
static atomic_uint_fast64_t next_job;
static uint64_t parts_max = 1;

void take_sizes(struct catalogue *catalogue, char *list) {
    catalogue->size_count = 0;
    for (char *size; (size = strsep(&list, ","));) {
        if (catalogue->size_count == SIZES_MAX) refuse("too many sizes", size);
        catalogue->sizes[catalogue->size_count++] = size_argument(size);
    }
}

void prepare_jobs(const struct catalogue *catalogue) {
    all = *catalogue;
    for (unsigned i = 0; all.part_bytes && i < all.size_count; i++) {
        uint64_t parts = (all.sizes[i] + all.part_bytes - 1) / all.part_bytes;
        if (parts > parts_max) parts_max = parts;
    }
}

/// Objects have different numbers of parts, so some numbers are of none.
bool take_job(struct job *job) {
    for (;;) {
        uint64_t turn = atomic_fetch_add(&next_job, 1), number = turn / parts_max;
        if (number >= all.count) return false;
        uint64_t size = all.sizes[number % all.size_count], part = all.part_bytes ? all.part_bytes : size;
        job->offset = turn % parts_max * part;
        if (job->offset >= size && job->offset > 0) continue;
        job->length = size - job->offset < part ? size - job->offset : part;
        job->is_part = parts_max > 1 && job->length > 0; // nothing has no first byte
        content_key(&all, number, job->key);
        snprintf(job->path, sizeof job->path, job->is_part ? "%s/part-%lu" : "%s", job->key, job->offset);
        return true;
    }
}

uint64_t longest_job(void) {
    uint64_t longest = 0;
    for (unsigned i = 0; i < all.size_count; i++)
        if (all.sizes[i] > longest) longest = all.sizes[i];
    return all.part_bytes && all.part_bytes < longest ? all.part_bytes : longest;
}

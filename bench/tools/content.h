//! What the objects hold, and which objects a source has: all of it follows from a few numbers.
#ifndef BENCH_CONTENT_H
#define BENCH_CONTENT_H

#include "text.h"

/// Byte x of every object is byte x modulo this of one pattern. It is a prime, so that no part begins like another one:
/// a swapped part shows in any digest.
#define PATTERN_BYTES 1048573u
#define SIZES_MAX 64
#define KEY_CHARS 64

/// Objects of a bucket: number i has the key "d000012/000012345-4096" (a folder for each thousand, the number, the size)
/// and the size sizes[i % size_count]. Their order is the order of their keys.
struct catalogue {
    uint64_t count;
    uint64_t sizes[SIZES_MAX];
    unsigned size_count;
    uint64_t part_bytes; ///< objects above it look as if they had been written in such parts; 0: none do
};

struct object {
    uint64_t size_bytes;
    uint8_t md5[MD5_BYTES];
    unsigned parts; ///< 0: written at once
};

/// Lays out the pattern and, where they are wanted, computes the ETags of the catalogue's sizes, which takes seconds for
/// large ones; once, before any thread runs.
void content_prepare(const struct catalogue *catalogue, bool wants_etags);
/// Contiguous bytes of an object from `offset` on: their address, and in `*available` how many at most.
const uint8_t *content_at(uint64_t offset, size_t *available);

/// An object of the catalogue by its key (without the bucket); the size in the key is believed.
bool content_find(struct text key, struct object *object);
size_t content_key(const struct catalogue *catalogue, uint64_t number, char key[KEY_CHARS]);
void content_object(uint64_t size_bytes, struct object *object);

#endif

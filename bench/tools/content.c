//! One pattern, from which every object is served, and the digests of what it gives.
#define _GNU_SOURCE
#include "content.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// The pattern stands twice in a row, so that a range that crosses its end is contiguous all the same.
#define LAID_OUT_BYTES (2 * (size_t)PATTERN_BYTES)

static uint8_t *bytes;
static uint64_t part_bytes;
static struct object known[SIZES_MAX];
static unsigned known_count;

static void fill(void) {
    uint64_t state = 0x9e3779b97f4a7c15u;
    for (size_t i = 0; i < PATTERN_BYTES; i++) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes[i] = bytes[PATTERN_BYTES + i] = (uint8_t)(state >> 32);
    }
}

static void md5_of_range(uint64_t offset, uint64_t length, uint8_t md5[MD5_BYTES]) {
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    if (!context || EVP_DigestInit_ex(context, EVP_md5(), NULL) != 1) refuse("libcrypto has no", "MD5");
    while (length > 0) {
        size_t available;
        const uint8_t *at = content_at(offset, &available);
        if (available > length) available = length;
        EVP_DigestUpdate(context, at, available);
        offset += available;
        length -= available;
    }
    EVP_DigestFinal_ex(context, md5, NULL);
    EVP_MD_CTX_free(context);
}

/// The MD5 of the parts' MD5s, as S3 has it.
static void composite(struct object *object) {
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    if (!context || EVP_DigestInit_ex(context, EVP_md5(), NULL) != 1) refuse("libcrypto has no", "MD5");
    for (uint64_t offset = 0; offset < object->size_bytes; offset += part_bytes) {
        uint64_t rest = object->size_bytes - offset;
        uint8_t md5[MD5_BYTES];
        md5_of_range(offset, rest < part_bytes ? rest : part_bytes, md5);
        EVP_DigestUpdate(context, md5, MD5_BYTES);
        object->parts++;
    }
    EVP_DigestFinal_ex(context, object->md5, NULL);
    EVP_MD_CTX_free(context);
}

void content_prepare(const struct catalogue *catalogue, bool wants_etags) {
    bytes = malloc(LAID_OUT_BYTES);
    if (!bytes) fail("memory for the content");
    fill();
    part_bytes = catalogue->part_bytes;
    if (!wants_etags) return;
    for (unsigned i = 0; i < catalogue->size_count; i++) {
        struct object *object = &known[i];
        object->size_bytes = catalogue->sizes[i];
        if (part_bytes && object->size_bytes > part_bytes)
            composite(object);
        else
            md5_of_range(0, object->size_bytes, object->md5);
    }
    known_count = catalogue->size_count;
}

const uint8_t *content_at(uint64_t offset, size_t *available) {
    size_t place = offset % PATTERN_BYTES;
    *available = LAID_OUT_BYTES - place;
    return bytes + place;
}

/// A size that is not the catalogue's has an ETag that looks right and is not.
void content_object(uint64_t size_bytes, struct object *object) {
    for (unsigned i = 0; i < known_count; i++) {
        if (known[i].size_bytes != size_bytes) continue;
        *object = known[i];
        return;
    }
    memset(object, 0, sizeof *object);
    object->size_bytes = size_bytes;
    memset(object->md5, 0xbe, MD5_BYTES);
}

bool content_find(struct text key, struct object *object) {
    const char *dash = key.at ? memrchr(key.at, '-', key.length) : NULL;
    if (!dash) return false;
    struct text digits = {dash + 1, (size_t)(key.at + key.length - dash - 1)};
    uint64_t size_bytes;
    if (!text_number(digits, &size_bytes)) return false;
    for (size_t i = 0; i < digits.length; i++)
        if (digits.at[i] < '0' || digits.at[i] > '9') return false;
    content_object(size_bytes, object);
    return true;
}

size_t content_key(const struct catalogue *catalogue, uint64_t number, char key[KEY_CHARS]) {
    return (size_t)snprintf(key, KEY_CHARS, "d%06lu/%09lu-%lu", number / 1000, number,
                            catalogue->sizes[number % catalogue->size_count]);
}

//! Pieces of text, sizes and digests.
#include "text.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool text_is(struct text text, const char *word) {
    size_t length = strlen(word);
    return text.length == length && memcmp(text.at, word, length) == 0;
}

bool text_begins(struct text text, const char *word) {
    size_t length = strlen(word);
    return text.length >= length && memcmp(text.at, word, length) == 0;
}

bool text_number(struct text text, uint64_t *number) {
    uint64_t value = 0;
    size_t index = 0;
    for (; index < text.length && text.at[index] >= '0' && text.at[index] <= '9'; index++)
        value = value * 10 + (uint64_t)(text.at[index] - '0');
    *number = value;
    return index > 0 && index < 20;
}

struct text query_value(struct text query, const char *name) {
    size_t name_length = strlen(name);
    const char *at = query.at, *end = query.at + query.length;
    while (at < end) {
        const char *stop = memchr(at, '&', (size_t)(end - at));
        if (!stop) stop = end;
        size_t length = (size_t)(stop - at);
        if (length >= name_length && memcmp(at, name, name_length) == 0) {
            if (length == name_length) return (struct text){stop, 0};
            if (at[name_length] == '=')
                return (struct text){at + name_length + 1, length - name_length - 1};
        }
        at = stop + 1;
    }
    return (struct text){NULL, 0};
}

static int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

size_t percent_decoded(struct text text, char *out, size_t size) {
    size_t used = 0;
    for (size_t i = 0; i < text.length && used < size; i++) {
        char c = text.at[i];
        if (c == '%' && i + 2 < text.length && hex_digit(text.at[i + 1]) >= 0 &&
            hex_digit(text.at[i + 2]) >= 0) {
            c = (char)(hex_digit(text.at[i + 1]) * 16 + hex_digit(text.at[i + 2]));
            i += 2;
        } else if (c == '+') {
            c = ' ';
        }
        out[used++] = c;
    }
    out[used] = 0;
    return used;
}

uint64_t number_argument(const char *argument) {
    uint64_t number;
    struct text text = {argument, strlen(argument)};
    if (!text_number(text, &number) || strspn(argument, "0123456789") != text.length)
        refuse("not a number", argument);
    return number;
}

uint64_t size_argument(const char *argument) {
    static const struct {
        const char *unit;
        unsigned shift;
    } units[] = {{"", 0}, {"KiB", 10}, {"MiB", 20}, {"GiB", 30}};
    uint64_t number;
    if (!text_number((struct text){argument, strlen(argument)}, &number))
        refuse("not a size", argument);
    const char *unit = argument + strspn(argument, "0123456789");
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (strcmp(unit, units[i].unit) == 0) return number << units[i].shift;
    refuse("not a size (bytes, KiB, MiB or GiB)", argument);
}

void fail(const char *what) {
    fprintf(stderr, "error: %s: %s\n", what, strerror(errno));
    exit(1);
}

void refuse(const char *what, const char *argument) {
    fprintf(stderr, "error: %s: %s\n", what, argument);
    exit(2);
}

void md5_of(const void *bytes, size_t length, uint8_t md5[MD5_BYTES]) {
    static const EVP_MD *kind; // fetched once: looking it up costs more than a small body's digest
    if (!kind) kind = EVP_MD_fetch(NULL, "MD5", NULL);
    if (EVP_Digest(bytes, length, md5, NULL, kind, NULL) != 1) refuse("libcrypto has no", "MD5");
}

uint32_t crc32c_of(uint32_t crc, const void *bytes, size_t length) {
    const uint8_t *byte = bytes;
    crc = ~crc;
    for (size_t i = 0; i < length; i++) {
        crc ^= byte[i];
        for (int bit = 0; bit < 8; bit++) crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78 : 0);
    }
    return ~crc;
}

bool crc32c_from_base64(struct text text, uint32_t *crc) {
    uint8_t bytes[6]; // 8 characters; the last two bytes are padding
    if (text.length != 8) return false;
    if (EVP_DecodeBlock(bytes, (const uint8_t *)text.at, 8) != 6) return false;
    *crc = (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
    return true;
}

bool md5_from_base64(struct text text, uint8_t md5[MD5_BYTES]) {
    uint8_t bytes[18]; // 24 characters; the last two are padding
    if (text.length != 24) return false;
    if (EVP_DecodeBlock(bytes, (const uint8_t *)text.at, 24) != 18) return false;
    memcpy(md5, bytes, MD5_BYTES);
    return true;
}

void etag_text(const uint8_t md5[MD5_BYTES], unsigned parts, char out[ETAG_CHARS]) {
    static const char digits[] = "0123456789abcdef";
    for (int i = 0; i < MD5_BYTES; i++) {
        out[2 * i] = digits[md5[i] >> 4];
        out[2 * i + 1] = digits[md5[i] & 15];
    }
    out[32] = 0;
    if (parts) snprintf(out + 32, ETAG_CHARS - 32, "-%u", parts);
}

//! Pieces of text that belong to somebody else, sizes, and digests: what all tools read and write.
#ifndef BENCH_TEXT_H
#define BENCH_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MD5_BYTES 16
#define ETAG_CHARS 48 // 32 digits, "-10000", quotes and the zero

/// A piece of a buffer that somebody else keeps alive; `at` is NULL where there is none.
struct text {
    const char *at;
    size_t length;
};

bool text_is(struct text text, const char *word);
bool text_begins(struct text text, const char *word);
/// Reads the digits at the beginning; false where there are none or too many.
bool text_number(struct text text, uint64_t *number);
/// The value of `name` in a URL's query, still percent-encoded; `at` is NULL where it is not named. A name without "="
/// has an empty value.
struct text query_value(struct text query, const char *name);
/// Decodes %HH and "+" into `out`, which has room for `size` bytes and a zero. Gives the length.
size_t percent_decoded(struct text text, char *out, size_t size);

/// "8MiB", "64KiB", "4GiB" or plain bytes; ends the program where it is none of these.
uint64_t size_argument(const char *argument);
uint64_t number_argument(const char *argument);
/// Ends the program with a message and errno's reason.
_Noreturn void fail(const char *what);
_Noreturn void refuse(const char *what, const char *argument);

void md5_of(const void *bytes, size_t length, uint8_t md5[MD5_BYTES]);
/// Goes on with a CRC32C (RFC 3720, appendix B.4), bit by bit: what a probe sends is small.
uint32_t crc32c_of(uint32_t crc, const void *bytes, size_t length);

/// The big-endian value of `x-amz-checksum-crc32c`; false where it is none.
bool crc32c_from_base64(struct text text, uint32_t *crc);

bool md5_from_base64(struct text text, uint8_t md5[MD5_BYTES]);
/// The ETag without quotes: the digits of `md5`, and `-parts` where there are parts.
void etag_text(const uint8_t md5[MD5_BYTES], unsigned parts, char out[ETAG_CHARS]);

#endif

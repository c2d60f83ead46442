//! Reads a request's head. Whatever S3 does not need is passed over.
#define _GNU_SOURCE
#include "http.h"

#include <string.h>
#include <strings.h>

static enum method method_of(struct text word) {
    static const char *const names[] = {"GET", "HEAD", "PUT", "POST", "DELETE"};
    for (int i = 0; i < METHOD_OTHER; i++)
        if (text_is(word, names[i])) return (enum method)i;
    return METHOD_OTHER;
}

static bool is_named(const char *line, size_t length, const char *name) {
    return strlen(name) == length && strncasecmp(line, name, length) == 0;
}

static void take_header(struct request *request, const char *name, size_t length, struct text value) {
    static const struct {
        const char *name;
        size_t offset;
    } wanted[] = {
        {"range", offsetof(struct request, range)},
        {"content-md5", offsetof(struct request, content_md5)},
        {"x-amz-checksum-crc32c", offsetof(struct request, crc32c)},
        {"if-none-match", offsetof(struct request, if_none_match)},
        {"if-match", offsetof(struct request, if_match)},
        {"x-amz-tagging", offsetof(struct request, tagging)},
        {"x-amz-meta-mtime", offsetof(struct request, mtime)},
        {"x-amz-decoded-content-length", offsetof(struct request, decoded_length)},
        {"expect", offsetof(struct request, expect)},
    };
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        if (!is_named(name, length, wanted[i].name)) continue;
        *(struct text *)((char *)request + wanted[i].offset) = value;
        return;
    }
    if (is_named(name, length, "content-length"))
        text_number(value, &request->body_bytes);
    else if (is_named(name, length, "transfer-encoding"))
        request->is_chunked = true;
    else if (is_named(name, length, "connection"))
        request->closes = value.length == 5 && strncasecmp(value.at, "close", 5) == 0;
}

static void parse_headers(const char *at, const char *end, struct request *request) {
    while (at < end) {
        const char *stop = memchr(at, '\r', (size_t)(end - at));
        if (!stop) stop = end;
        const char *colon = memchr(at, ':', (size_t)(stop - at));
        if (colon) {
            const char *value = colon + 1;
            while (value < stop && *value == ' ') value++;
            take_header(request, at, (size_t)(colon - at), (struct text){value, (size_t)(stop - value)});
        }
        at = stop + 2;
    }
}

static bool parse_target(const char *at, const char *end, struct request *request) {
    if (at == end || *at != '/') return false;
    const char *mark = memchr(at, '?', (size_t)(end - at));
    request->path = (struct text){at, (size_t)((mark ? mark : end) - at)};
    request->query = mark ? (struct text){mark + 1, (size_t)(end - mark - 1)} : (struct text){end, 0};
    return true;
}

ssize_t parse_request(const char *buffer, size_t length, struct request *request) {
    const char *end = memmem(buffer, length, "\r\n\r\n", 4);
    if (!end) return 0;
    memset(request, 0, sizeof *request);
    const char *line_end = memchr(buffer, '\r', length);
    const char *first = memchr(buffer, ' ', (size_t)(line_end - buffer));
    if (!first) return -1;
    const char *second = memchr(first + 1, ' ', (size_t)(line_end - first - 1));
    if (!second || !parse_target(first + 1, second, request)) return -1;
    request->method = method_of((struct text){buffer, (size_t)(first - buffer)});
    if (line_end < end) parse_headers(line_end + 2, end, request);
    return end + 4 - buffer;
}

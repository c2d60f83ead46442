//! Requests for objects: which answer a request gets, and whether its body matters.
#define _GNU_SOURCE
#include "s3.h"

#include "counts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LAST_MODIFIED "Wed, 01 Jan 2025 00:00:00 GMT"

/// The key behind "/bucket/"; its `at` is NULL where the path names a bucket, or nothing.
static struct text key_of(struct text path) {
    const char *slash = path.length > 1 ? memchr(path.at + 1, '/', path.length - 1) : NULL;
    size_t length = slash ? (size_t)(path.at + path.length - slash - 1) : 0;
    return length ? (struct text){slash + 1, length} : (struct text){NULL, 0};
}

static bool find_object(const struct service *service, const struct request *request,
                        struct stored *found) {
    found->mtime[0] = found->tagging[0] = 0;
    if (!service->is_source && store_get(request->path, found)) return true;
    return (service->is_source || service->all_exist) &&
           content_find(key_of(request->path), &found->object);
}

// MARK: - Reading

struct range {
    uint64_t from, to; ///< half-open
    bool is_partial;
};

/// "bytes=A-B", "bytes=A-" or "bytes=-N"; what is none of these asks for everything.
static bool parse_range(struct text text, uint64_t size, struct range *range) {
    *range = (struct range){0, size, false};
    if (!text_begins(text, "bytes=")) return true;
    struct text first = {text.at + 6, text.length - 6};
    const char *dash = memchr(first.at, '-', first.length);
    if (!dash) return true;
    struct text last = {dash + 1, (size_t)(text.at + text.length - dash - 1)};
    uint64_t from, to;
    bool has_to = text_number(last, &to);
    range->is_partial = true;
    if (text_number(first, &from)) {
        range->from = from;
        if (has_to && to + 1 < size) range->to = to + 1;
    } else if (has_to) {
        range->from = to < size ? size - to : 0;
    }
    return range->from < range->to;
}

/// The range of a part of an object that was written in parts; one that was not has one part.
static bool part_range(const struct service *service, uint64_t number, const struct object *object,
                       struct range *range) {
    uint64_t part_bytes = object->parts ? service->catalogue.part_bytes : object->size_bytes;
    uint64_t from = (number - 1) * part_bytes, to = from + part_bytes;
    if (number == 0 || (number > 1 && from >= object->size_bytes)) return false;
    *range = (struct range){from, to < object->size_bytes ? to : object->size_bytes, true};
    return true;
}

static void object_head(const struct range *range, const struct stored *found, bool tells_parts,
                        struct answer *answer) {
    char etag[ETAG_CHARS], more[256];
    etag_text(found->object.md5, found->object.parts, etag);
    int used = 0;
    more[0] = 0;
    if (range->is_partial)
        used = snprintf(more, sizeof more, "Content-Range: bytes %lu-%lu/%lu\r\n", range->from,
                        range->to - 1, found->object.size_bytes);
    if (found->mtime[0])
        used += snprintf(more + used, sizeof more - (size_t)used, "x-amz-meta-mtime: %s\r\n", found->mtime);
    if (tells_parts && found->object.parts)
        snprintf(more + used, sizeof more - (size_t)used, "x-amz-mp-parts-count: %u\r\n",
                 found->object.parts);
    answer->head_length = (size_t)snprintf(
        answer->head, HEAD_CHARS,
        "HTTP/1.1 %s\r\nDate: %s\r\nContent-Length: %lu\r\n%sETag: \"%s\"\r\n"
        "Last-Modified: " LAST_MODIFIED "\r\nContent-Type: application/octet-stream\r\n"
        "Accept-Ranges: bytes\r\n\r\n",
        range->is_partial ? "206 Partial Content" : "200 OK", http_date(), range->to - range->from, more,
        etag);
}

static bool is_refused(const struct request *request, const struct object *object) {
    if (!request->if_match.at) return false;
    char etag[ETAG_CHARS];
    etag_text(object->md5, object->parts, etag);
    return !memmem(request->if_match.at, request->if_match.length, etag, strlen(etag));
}

/// GET and HEAD of an object.
static void answer_object(const struct service *service, const struct request *request,
                          struct answer *answer) {
    struct stored found;
    if (!find_object(service, request, &found)) return answer_error(answer, request, 404, "NoSuchKey");
    if (is_refused(request, &found.object))
        return answer_error(answer, request, 412, "PreconditionFailed");
    struct text part = query_value(request->query, "partNumber");
    uint64_t number = 0;
    struct range range;
    bool is_good = part.at && text_number(part, &number)
                       ? part_range(service, number, &found.object, &range)
                       : parse_range(request->range, found.object.size_bytes, &range);
    if (!is_good) return answer_error(answer, request, 416, "InvalidRange");
    object_head(&range, &found, part.at != NULL, answer);
    if (request->method == METHOD_HEAD) return;
    answer->content_offset = range.from;
    answer->content_length = range.to - range.from;
}

static void answer_tagging(const struct service *service, const struct request *request,
                           struct answer *answer) {
    struct stored found;
    counts.tagging++;
    if (request->method != METHOD_GET) return answer_status(answer, 200);
    if (!find_object(service, request, &found)) return answer_error(answer, request, 404, "NoSuchKey");
    char *text;
    size_t length;
    FILE *xml = open_memstream(&text, &length);
    fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?><Tagging><TagSet>", xml);
    char *rest = found.tagging, *tag;
    while ((tag = strsep(&rest, "&"))) { // "k=v&k=v"; enough for the words of a probe
        char *value = strchr(tag, '=');
        if (!value) continue;
        *value++ = 0;
        fprintf(xml, "<Tag><Key>%s</Key><Value>%s</Value></Tag>", tag, value);
    }
    fputs("</TagSet></Tagging>", xml);
    fclose(xml);
    answer_xml(answer, request, 200, text, length);
}

// MARK: - Writing

enum body_use s3_body_use(const struct service *service, const struct request *request) {
    bool has_object = request->method == METHOD_PUT;
    if (!has_object || request->body_bytes == 0) return BODY_DROP;
    if (service->hashes) return BODY_HASH;
    // What a probe sends is this small, and nothing that a bench sends.
    bool has_digest = request->content_md5.at || request->crc32c.at;
    return has_digest && request->body_bytes <= SMALL_BODY_BYTES ? BODY_HASH : BODY_DROP;
}

struct part s3_part(const struct request *request, const struct body *body) {
    struct part part = {.is_there = true, .size_bytes = body->bytes};
    uint64_t decoded; // without the frames of aws-chunked
    if (text_number(request->decoded_length, &decoded)) part.size_bytes = decoded;
    if (body->has_md5)
        memcpy(part.md5, body->md5, MD5_BYTES);
    else if (!md5_from_base64(request->content_md5, part.md5))
        memset(part.md5, 0xbe, MD5_BYTES);
    return part;
}

static void copy_text(struct text text, char *out, size_t size) {
    size_t length = text.length < size ? text.length : size - 1;
    if (length) memcpy(out, text.at, length);
    out[length] = 0;
}

void s3_take_metadata(const struct request *request, struct stored *stored) {
    copy_text(request->mtime, stored->mtime, sizeof stored->mtime);
    copy_text(request->tagging, stored->tagging, sizeof stored->tagging);
}

static bool is_damaged(const struct request *request, const struct body *body) {
    uint8_t promised[MD5_BYTES];
    uint32_t crc;
    if (body->has_md5 && crc32c_from_base64(request->crc32c, &crc) && crc != body->crc32c) return true;
    return body->has_md5 && md5_from_base64(request->content_md5, promised) &&
           memcmp(promised, body->md5, MD5_BYTES) != 0;
}

static void answer_put(const struct service *service, const struct request *request,
                       const struct body *body, struct answer *answer) {
    struct stored stored;
    struct part part = s3_part(request, body);
    bool only_if_absent = text_is(request->if_none_match, "*");
    stored.object = (struct object){.size_bytes = part.size_bytes};
    memcpy(stored.object.md5, part.md5, MD5_BYTES);
    s3_take_metadata(request, &stored);
    struct stored found;
    bool is_there = only_if_absent && service->all_exist && find_object(service, request, &found);
    if (is_there || !store_put(request->path, &stored, only_if_absent))
        return answer_error(answer, request, 412, "PreconditionFailed");
    char etag[ETAG_CHARS];
    etag_text(part.md5, 0, etag);
    answer->head_length = (size_t)snprintf(
        answer->head, HEAD_CHARS, "HTTP/1.1 200 OK\r\nDate: %s\r\nETag: \"%s\"\r\nContent-Length: 0\r\n\r\n",
        http_date(), etag);
}

// MARK: - Which answer

static void answer_bucket(const struct service *service, const struct request *request,
                          struct answer *answer) {
    bool asks_list = request->method == METHOD_GET;
    if (!asks_list) return answer_status(answer, request->method == METHOD_DELETE ? 204 : 200);
    s3_list(service, request, answer);
}

static void answer_key(const struct service *service, const struct request *request,
                       const struct body *body, struct answer *answer) {
    if (query_value(request->query, "tagging").at) return answer_tagging(service, request, answer);
    switch (request->method) {
    case METHOD_GET:
        counts.get++;
        return answer_object(service, request, answer);
    case METHOD_HEAD:
        counts.head++;
        return answer_object(service, request, answer);
    case METHOD_PUT:
        counts.put++;
        return answer_put(service, request, body, answer);
    case METHOD_DELETE:
        counts.remove++;
        store_remove(request->path);
        return answer_status(answer, 204);
    default:
        counts.other++;
        return answer_error(answer, request, 501, "NotImplemented");
    }
}

/// "/-/counts" and "/-/forget" are for the bench; no bucket can be called "-".
static void answer_bench(const struct request *request, struct answer *answer) {
    char *text;
    size_t length;
    if (text_is(request->path, "/-/forget")) store_clear();
    FILE *json = open_memstream(&text, &length);
    counts_print(json);
    fclose(json);
    answer_xml(answer, request, 200, text, length);
}

void s3_answer(const struct service *service, const struct request *request, const struct body *body,
               struct answer *answer) {
    answer->text = NULL;
    answer->text_length = answer->content_length = 0;
    if (request->is_chunked) return answer_error(answer, request, 411, "MissingContentLength");
    if (text_begins(request->path, "/-/")) return answer_bench(request, answer);
    if (!key_of(request->path).at) return answer_bucket(service, request, answer);
    if (is_damaged(request, body)) return answer_error(answer, request, 400, "BadDigest");
    if (request->query.length && s3_is_multipart(request))
        return s3_multipart(request, body, answer);
    answer_key(service, request, body, answer);
}

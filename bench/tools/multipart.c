//! Multipart uploads: Create, UploadPart, ListParts, Complete, Abort.
#define _GNU_SOURCE
#include "s3.h"

#include "counts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define XML "<?xml version=\"1.0\" encoding=\"UTF-8\"?>"

bool s3_is_multipart(const struct request *request) {
    return query_value(request->query, "uploadId").at || query_value(request->query, "uploads").at;
}

static void answer_create(const struct request *request, struct answer *answer) {
    struct stored stored = {0};
    char *text;
    counts.create++;
    s3_take_metadata(request, &stored);
    uint64_t id = upload_create(request->path, &stored);
    int length = asprintf(&text, XML "<InitiateMultipartUploadResult><UploadId>%lu</UploadId>"
                                     "</InitiateMultipartUploadResult>", id);
    answer_xml(answer, request, 200, text, (size_t)length);
}

static void answer_part(const struct request *request, uint64_t id, const struct body *body,
                        struct answer *answer) {
    uint64_t number;
    counts.part++;
    if (!text_number(query_value(request->query, "partNumber"), &number) || number == 0 ||
        number > PARTS_MAX)
        return answer_error(answer, request, 400, "InvalidArgument");
    struct part part = s3_part(request, body);
    if (!upload_part(id, (unsigned)number, &part))
        return answer_error(answer, request, 404, "NoSuchUpload");
    char etag[ETAG_CHARS];
    etag_text(part.md5, 0, etag);
    answer->head_length = (size_t)snprintf(
        answer->head, HEAD_CHARS, "HTTP/1.1 200 OK\r\nDate: %s\r\nETag: \"%s\"\r\nContent-Length: 0\r\n\r\n",
        http_date(), etag);
}

static void answer_complete(const struct request *request, uint64_t id, struct answer *answer) {
    struct stored stored;
    char *text, etag[ETAG_CHARS];
    counts.complete++;
    struct stored already;
    bool only_if_absent = text_is(request->if_none_match, "*");
    if (only_if_absent && store_get(request->path, &already))
        return answer_error(answer, request, 412, "PreconditionFailed");
    if (!upload_complete(id, &stored)) return answer_error(answer, request, 404, "NoSuchUpload");
    store_put(request->path, &stored, false);
    etag_text(stored.object.md5, stored.object.parts, etag);
    int length = asprintf(&text, XML "<CompleteMultipartUploadResult><ETag>&quot;%s&quot;</ETag>"
                                     "</CompleteMultipartUploadResult>", etag);
    answer_xml(answer, request, 200, text, (size_t)length);
}

/// All parts on one page: what resumes an upload asks for pages, and gets the first and last at once.
static void answer_parts(const struct request *request, uint64_t id, struct answer *answer) {
    struct part *parts = upload_parts(id);
    char *text, etag[ETAG_CHARS];
    size_t length;
    uint64_t after = 0;
    if (!parts) return answer_error(answer, request, 404, "NoSuchUpload");
    text_number(query_value(request->query, "part-number-marker"), &after);
    FILE *xml = open_memstream(&text, &length);
    fprintf(xml, XML "<ListPartsResult><UploadId>%lu</UploadId><IsTruncated>false</IsTruncated>", id);
    for (unsigned i = (unsigned)after + 1; i <= PARTS_MAX; i++) {
        if (!parts[i].is_there) continue;
        etag_text(parts[i].md5, 0, etag);
        fprintf(xml, "<Part><PartNumber>%u</PartNumber><ETag>&quot;%s&quot;</ETag><Size>%lu</Size></Part>",
                i, etag, parts[i].size_bytes);
    }
    fputs("</ListPartsResult>", xml);
    fclose(xml);
    free(parts);
    answer_xml(answer, request, 200, text, length);
}

void s3_multipart(const struct request *request, const struct body *body, struct answer *answer) {
    uint64_t id = 0;
    struct text upload = query_value(request->query, "uploadId");
    if (!upload.at && request->method == METHOD_POST) return answer_create(request, answer);
    text_number(upload, &id);
    switch (request->method) {
    case METHOD_PUT: return answer_part(request, id, body, answer);
    case METHOD_POST: return answer_complete(request, id, answer);
    case METHOD_GET: return answer_parts(request, id, answer);
    case METHOD_DELETE:
        counts.abort++;
        if (!upload_abort(id)) return answer_error(answer, request, 404, "NoSuchUpload");
        return answer_status(answer, 204);
    default: return answer_error(answer, request, 501, "NotImplemented");
    }
}

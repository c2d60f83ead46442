//! Listings of the catalogue, version 1 and 2, with prefix and delimiter; and the lists of buckets and uploads.
#define _GNU_SOURCE
#include "s3.h"

#include "counts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define XML "<?xml version=\"1.0\" encoding=\"UTF-8\"?>"
#define PAGE_KEYS 1000
#define QUERY_CHARS 1024

/// A page that is being written.
struct page {
    const struct catalogue *catalogue;
    char prefix[QUERY_CHARS + 1], after[QUERY_CHARS + 1], delimiter[8];
    uint64_t wanted;
    FILE *xml;
    uint64_t number;             ///< the next object
    uint64_t written;
    char last[QUERY_CHARS + 1]; ///< the last key or common prefix: the next page begins behind it
};

/// The first object whose key is not below `key`; keys are in the order of their numbers.
static uint64_t lower_bound(const struct catalogue *catalogue, const char *key) {
    uint64_t low = 0, high = catalogue->count;
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        char at[KEY_CHARS];
        content_key(catalogue, middle, at);
        if (strcmp(at, key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/// The first object behind all that begin with `prefix`.
static uint64_t behind(const struct catalogue *catalogue, const char *prefix) {
    char next[QUERY_CHARS + 1];
    size_t length = strlen(prefix);
    if (length == 0) return catalogue->count;
    memcpy(next, prefix, length + 1);
    next[length - 1]++; // no key of ours has a byte 0xff
    return lower_bound(catalogue, next);
}

static uint64_t beginning(const struct page *page) {
    uint64_t number = lower_bound(page->catalogue, page->prefix);
    size_t length = strlen(page->after);
    if (length == 0) return number;
    uint64_t next = lower_bound(page->catalogue, page->after);
    char key[KEY_CHARS];
    bool is_folder = page->delimiter[0] && strchr(page->delimiter, page->after[length - 1]);
    if (is_folder)
        next = behind(page->catalogue, page->after);
    else if (next < page->catalogue->count) {
        content_key(page->catalogue, next, key);
        if (strcmp(key, page->after) == 0) next++;
    }
    return next > number ? next : number;
}

static void write_object(struct page *page, const char *key) {
    struct object object;
    char etag[ETAG_CHARS];
    content_find((struct text){key, strlen(key)}, &object);
    etag_text(object.md5, object.parts, etag);
    fprintf(page->xml,
            "<Contents><Key>%s</Key><LastModified>2025-01-01T00:00:00.000Z</LastModified>"
            "<ETag>&quot;%s&quot;</ETag><Size>%lu</Size><StorageClass>STANDARD</StorageClass></Contents>",
            key, etag, object.size_bytes);
    page->number++;
}

/// Writes the next key or common prefix; false at the end of what was asked for.
static bool write_next(struct page *page) {
    char key[KEY_CHARS];
    size_t prefix_length = strlen(page->prefix);
    if (page->number >= page->catalogue->count) return false;
    content_key(page->catalogue, page->number, key);
    if (strncmp(key, page->prefix, prefix_length) != 0) return false;
    if (page->written == page->wanted) return true;
    char *stop = page->delimiter[0] ? strstr(key + prefix_length, page->delimiter) : NULL;
    if (stop) {
        stop[strlen(page->delimiter)] = 0;
        fprintf(page->xml, "<CommonPrefixes><Prefix>%s</Prefix></CommonPrefixes>", key);
        page->number = behind(page->catalogue, key);
    } else {
        write_object(page, key);
    }
    strcpy(page->last, key);
    page->written++;
    return true;
}

/// Writes as many as were asked for; true where there are more.
static bool write_page(struct page *page) {
    page->number = beginning(page);
    while (page->written < page->wanted)
        if (!write_next(page)) return false;
    return write_next(page);
}

static void list_objects(const struct service *service, const struct request *request,
                         struct answer *answer) {
    struct page page = {.catalogue = &service->catalogue, .wanted = PAGE_KEYS};
    bool is_second = query_value(request->query, "list-type").at != NULL;
    const char *const names[] = {is_second ? "start-after" : "marker", "continuation-token"};
    percent_decoded(query_value(request->query, "prefix"), page.prefix, QUERY_CHARS);
    percent_decoded(query_value(request->query, "delimiter"), page.delimiter, sizeof page.delimiter - 1);
    for (int i = 0; i < 2; i++) {
        struct text value = query_value(request->query, names[i]);
        if (value.at) percent_decoded(value, page.after, QUERY_CHARS);
    }
    uint64_t wanted;
    if (text_number(query_value(request->query, "max-keys"), &wanted) && wanted < PAGE_KEYS)
        page.wanted = wanted;
    char *text;
    size_t length;
    page.xml = open_memstream(&text, &length);
    fputs(XML "<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">", page.xml);
    bool has = service->is_source || service->all_exist;
    bool is_truncated = has && page.wanted > 0 && write_page(&page);
    fprintf(page.xml, "<KeyCount>%lu</KeyCount><MaxKeys>%lu</MaxKeys><IsTruncated>%s</IsTruncated>",
            page.written, page.wanted, is_truncated ? "true" : "false");
    const char *next = is_second ? "NextContinuationToken" : "NextMarker";
    if (is_truncated) fprintf(page.xml, "<%s>%s</%s>", next, page.last, next);
    fputs("</ListBucketResult>", page.xml);
    fclose(page.xml);
    answer_xml(answer, request, 200, text, length);
}

static void write_upload(void *xml, uint64_t id, const char *path) {
    const char *key = strchr(path + 1, '/');
    fprintf(xml, "<Upload><Key>%s</Key><UploadId>%lu</UploadId></Upload>", key ? key + 1 : "", id);
}

static void list_uploads(const struct request *request, struct answer *answer) {
    char *text;
    size_t length;
    FILE *xml = open_memstream(&text, &length);
    fputs(XML "<ListMultipartUploadsResult><IsTruncated>false</IsTruncated>", xml);
    uploads_each(write_upload, xml);
    fputs("</ListMultipartUploadsResult>", xml);
    fclose(xml);
    answer_xml(answer, request, 200, text, length);
}

static void fixed(const struct request *request, const char *xml, struct answer *answer) {
    char *text = strdup(xml);
    if (!text) fail("memory for an answer");
    answer_xml(answer, request, 200, text, strlen(text));
}

void s3_list(const struct service *service, const struct request *request, struct answer *answer) {
    counts.list++;
    if (request->path.length == 1)
        return fixed(request, XML "<ListAllMyBucketsResult><Owner><ID>bench</ID></Owner><Buckets><Bucket>"
                                  "<Name>bench</Name><CreationDate>2025-01-01T00:00:00.000Z</CreationDate>"
                                  "</Bucket></Buckets></ListAllMyBucketsResult>", answer);
    if (query_value(request->query, "location").at)
        return fixed(request, XML "<LocationConstraint>us-east-1</LocationConstraint>", answer);
    if (query_value(request->query, "uploads").at) return list_uploads(request, answer);
    list_objects(service, request, answer);
}

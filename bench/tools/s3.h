//! S3's answers, as far as a migration asks for them. Nothing is checked that costs anything: no signature, no
//! digest of a body above SMALL_BODY_BYTES.
#ifndef BENCH_S3_H
#define BENCH_S3_H

#include "content.h"
#include "http.h"
#include "store.h"

#define SMALL_BODY_BYTES 512
#define HEAD_CHARS 1024

/// What this endpoint is.
struct service {
    struct catalogue catalogue;
    bool is_source;  ///< serves the catalogue; else it swallows, and has only what it was given
    bool all_exist;  ///< a target that has the catalogue already
    bool hashes;     ///< computes the MD5 of every body
};

/// What is done with a request's body while it comes in.
enum body_use { BODY_DROP, BODY_KEEP, BODY_HASH };

struct body {
    uint64_t bytes;
    bool has_md5;
    uint8_t md5[MD5_BYTES];
    uint32_t crc32c; // with has_md5
};

struct answer {
    char head[HEAD_CHARS];
    size_t head_length;
    char *text; ///< a body of XML, which the receiver frees; NULL: none
    size_t text_length;
    uint64_t content_offset, content_length; ///< or else a range of the content
};

enum body_use s3_body_use(const struct service *service, const struct request *request);
void s3_answer(const struct service *service, const struct request *request, const struct body *body,
               struct answer *answer);

/// The parts of it that have files of their own.
void answer_status(struct answer *answer, int status);
void answer_xml(struct answer *answer, const struct request *request, int status, char *text, size_t length);
void answer_error(struct answer *answer, const struct request *request, int status, const char *code);
void s3_list(const struct service *service, const struct request *request, struct answer *answer);
bool s3_is_multipart(const struct request *request);
void s3_multipart(const struct request *request, const struct body *body, struct answer *answer);
/// Size and MD5 of a body: what the client promises, what was computed, or something that only looks right.
struct part s3_part(const struct request *request, const struct body *body);
/// What is kept of an object besides.
void s3_take_metadata(const struct request *request, struct stored *stored);
/// The time for Date headers, renewed once a second.
const char *http_date(void);

#endif

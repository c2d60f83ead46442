//! A request's head, as far as S3 needs it.
#ifndef BENCH_HTTP_H
#define BENCH_HTTP_H

#include "text.h"

#include <sys/types.h>

enum method { METHOD_GET, METHOD_HEAD, METHOD_PUT, METHOD_POST, METHOD_DELETE, METHOD_OTHER };

/// All texts point into the buffer that was parsed.
struct request {
    enum method method;
    struct text path;   ///< percent-encoded, as it came
    struct text query;  ///< what stands after "?"
    struct text range, content_md5, crc32c, if_none_match, if_match, tagging, mtime, decoded_length, expect;
    uint64_t body_bytes;
    bool is_chunked;
    bool closes; ///< the client wants the connection closed afterwards
};

/// Gives the head's length, 0 where its end has not come yet, -1 where it is none.
ssize_t parse_request(const char *buffer, size_t length, struct request *request);

#endif

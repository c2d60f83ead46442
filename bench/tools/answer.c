//! The frames of answers: heads, XML, errors.
#define _GNU_SOURCE
#include "s3.h"

#include "counts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

const char *http_date(void) {
    static _Thread_local time_t second;
    static _Thread_local char date[40];
    time_t now = time(NULL);
    if (now != second) {
        struct tm parts;
        strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&now, &parts));
        second = now;
    }
    return date;
}

static const char *reason(int status) {
    switch (status) {
    case 200: return "OK";
    case 204: return "No Content";
    case 206: return "Partial Content";
    case 400: return "Bad Request";
    case 404: return "Not Found";
    case 411: return "Length Required";
    case 412: return "Precondition Failed";
    case 416: return "Range Not Satisfiable";
    default: return "Not Implemented";
    }
}

/// A head without a body.
void answer_status(struct answer *answer, int status) {
    const char *length = status == 204 ? "" : "Content-Length: 0\r\n";
    answer->head_length = (size_t)snprintf(answer->head, HEAD_CHARS, "HTTP/1.1 %d %s\r\nDate: %s\r\n%s\r\n",
                                           status, reason(status), http_date(), length);
}

void answer_xml(struct answer *answer, const struct request *request, int status, char *text,
                size_t length) {
    answer->head_length =
        (size_t)snprintf(answer->head, HEAD_CHARS,
                         "HTTP/1.1 %d %s\r\nDate: %s\r\nContent-Type: application/xml\r\n"
                         "Content-Length: %zu\r\n\r\n",
                         status, reason(status), http_date(), length);
    if (request->method == METHOD_HEAD) {
        free(text);
        return;
    }
    answer->text = text;
    answer->text_length = length;
}

void answer_error(struct answer *answer, const struct request *request, int status, const char *code) {
    char *text;
    int length = asprintf(&text, "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Error><Code>%s</Code>"
                                 "<Message>the fast endpoint says so</Message></Error>", code);
    if (length < 0) fail("memory for an answer");
    counts.refused++;
    answer_xml(answer, request, status, text, (size_t)length);
}

//! The states of a connection: head, body, answer, and again.
#define _GNU_SOURCE
#include "connection.h"

#include "counts.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#define IN_BYTES 16384
#define SCRATCH_BYTES 65536
#define DROP_BYTES (4u << 20)

enum phase { PHASE_HEAD, PHASE_BODY, PHASE_ANSWER };

struct connection {
    int socket;
    SSL *tls;
    enum phase phase;
    bool is_drained; ///< the last read gave less than it could: another would give nothing
    char in[IN_BYTES];
    size_t in_used, in_taken; ///< bytes in `in`, and how many of them belong to this request
    struct request request;
    enum body_use use;
    struct body body;
    uint64_t body_left;
    EVP_MD_CTX *digest;
    struct answer answer;
    size_t head_sent, text_sent;
};

static _Thread_local uint8_t scratch[SCRATCH_BYTES];

struct connection *connection_open(int socket, SSL_CTX *tls) {
    struct connection *connection = calloc(1, sizeof *connection);
    if (!connection) fail("memory for a connection");
    connection->socket = socket;
    if (tls) {
        connection->tls = SSL_new(tls);
        if (!connection->tls || SSL_set_fd(connection->tls, socket) != 1) refuse("TLS", "no session");
        SSL_set_accept_state(connection->tls);
    }
    return connection;
}

void connection_close(struct connection *connection) {
    SSL_free(connection->tls);
    EVP_MD_CTX_free(connection->digest);
    free(connection->answer.text);
    close(connection->socket);
    free(connection);
}

int connection_socket(const struct connection *connection) { return connection->socket; }

// MARK: - The socket, with TLS or without

/// Like recv and send: -1 with errno EAGAIN where it would have to wait. An orderly end is 0.
static ssize_t tls_result(SSL *tls, int result) {
    if (result > 0) return result;
    int error = SSL_get_error(tls, result);
    errno = error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ? EAGAIN : EPIPE;
    return error == SSL_ERROR_ZERO_RETURN ? 0 : -1;
}

// OpenSSL's queue of errors is the thread's. What another connection has left in it would be taken for an error of this
// one, so it is cleared before each call.

static ssize_t tls_receive(SSL *tls, void *bytes, size_t size) {
    ERR_clear_error();
    return tls_result(tls, SSL_read(tls, bytes, (int)size));
}

static ssize_t tls_send(SSL *tls, const void *bytes, size_t size) {
    ERR_clear_error();
    return tls_result(tls, SSL_write(tls, bytes, (int)size));
}

static ssize_t receive(struct connection *connection, void *bytes, size_t size) {
    if (connection->tls) return tls_receive(connection->tls, bytes, size);
    ssize_t count = recv(connection->socket, bytes, size, 0);
    connection->is_drained = count < (ssize_t)size;
    return count;
}

/// Without TLS the kernel drops what nobody wants to see, and copies nothing.
static ssize_t drop(struct connection *connection) {
    uint64_t left = connection->body_left;
    if (connection->tls)
        return receive(connection, scratch, left < SCRATCH_BYTES ? left : SCRATCH_BYTES);
    size_t size = left < DROP_BYTES ? left : DROP_BYTES;
    ssize_t count = recv(connection->socket, NULL, size, MSG_TRUNC);
    connection->is_drained = count < (ssize_t)size;
    return count;
}

// MARK: - Reading a request

static void take_body(struct connection *connection, const void *bytes, size_t length) {
    connection->body_left -= length;
    if (connection->use != BODY_HASH) return;
    EVP_DigestUpdate(connection->digest, bytes, length);
    if (connection->request.crc32c.at)
        connection->body.crc32c = crc32c_of(connection->body.crc32c, bytes, length);
}

static void send_continue(struct connection *connection) {
    static const char text[] = "HTTP/1.1 100 Continue\r\n\r\n";
    if (connection->tls)
        tls_send(connection->tls, text, sizeof text - 1);
    else
        send(connection->socket, text, sizeof text - 1, MSG_NOSIGNAL);
}

static void begin_digest(struct connection *connection) {
    if (!connection->digest) connection->digest = EVP_MD_CTX_new();
    if (!connection->digest || EVP_DigestInit_ex(connection->digest, EVP_md5(), NULL) != 1)
        refuse("libcrypto has no", "MD5");
}

static void begin_body(struct connection *connection, size_t head_length, const struct service *service) {
    const struct request *request = &connection->request;
    connection->body = (struct body){.bytes = request->body_bytes};
    connection->body_left = request->body_bytes;
    connection->use = s3_body_use(service, request);
    if (connection->use == BODY_HASH) begin_digest(connection);
    size_t here = connection->in_used - head_length;
    if (here > connection->body_left) here = connection->body_left;
    take_body(connection, connection->in + head_length, here);
    connection->in_taken = head_length + here;
    if (request->expect.length && connection->body_left > 0) send_continue(connection);
    connection->phase = PHASE_BODY;
}

/// False where more has to come, or nothing will.
static bool read_head(struct connection *connection, const struct service *service, enum wish *wish) {
    for (;;) {
        ssize_t length =
            parse_request(connection->in, connection->in_used, &connection->request);
        if (length > 0) {
            begin_body(connection, (size_t)length, service);
            return true;
        }
        size_t room = IN_BYTES - connection->in_used;
        *wish = length < 0 || room == 0 ? WISH_CLOSE : WISH_READ;
        if (*wish == WISH_CLOSE || connection->is_drained) return false;
        ssize_t count = receive(connection, connection->in + connection->in_used, room);
        if (count <= 0) {
            if (count == 0 || errno != EAGAIN) *wish = WISH_CLOSE;
            return false;
        }
        connection->in_used += (size_t)count;
    }
}

static void begin_answer(struct connection *connection, const struct service *service) {
    if (connection->use == BODY_HASH) {
        EVP_DigestFinal_ex(connection->digest, connection->body.md5, NULL);
        connection->body.has_md5 = true;
    }
    s3_answer(service, &connection->request, &connection->body, &connection->answer);
    counts.body_bytes_in += connection->body.bytes;
    counts.body_bytes_out += connection->answer.content_length;
    connection->in_used -= connection->in_taken;
    memmove(connection->in, connection->in + connection->in_taken, connection->in_used);
    connection->head_sent = connection->text_sent = 0;
    connection->phase = PHASE_ANSWER;
}

static bool read_body(struct connection *connection, const struct service *service, enum wish *wish) {
    while (connection->body_left > 0) {
        *wish = WISH_READ;
        if (connection->is_drained) return false;
        uint64_t left = connection->body_left;
        bool is_dropped = connection->use == BODY_DROP;
        ssize_t count = is_dropped ? drop(connection)
                                   : receive(connection, scratch, left < SCRATCH_BYTES ? left : SCRATCH_BYTES);
        if (count <= 0) {
            if (count == 0 || errno != EAGAIN) *wish = WISH_CLOSE;
            return false;
        }
        take_body(connection, scratch, (size_t)count);
    }
    begin_answer(connection, service);
    return true;
}

// MARK: - Writing an answer

/// What is left of the answer, as far as it is contiguous: the head, then text or content.
static int gather(const struct connection *connection, struct iovec pieces[2]) {
    const struct answer *answer = &connection->answer;
    int count = 0;
    if (connection->head_sent < answer->head_length)
        pieces[count++] = (struct iovec){(char *)answer->head + connection->head_sent,
                                         answer->head_length - connection->head_sent};
    if (connection->text_sent < answer->text_length)
        pieces[count++] = (struct iovec){answer->text + connection->text_sent,
                                         answer->text_length - connection->text_sent};
    if (answer->content_length > 0) {
        size_t available;
        const uint8_t *at = content_at(answer->content_offset, &available);
        if (available > answer->content_length) available = answer->content_length;
        pieces[count++] = (struct iovec){(uint8_t *)at, available};
    }
    return count;
}

static void advance(struct connection *connection, size_t count) {
    struct answer *answer = &connection->answer;
    size_t head = answer->head_length - connection->head_sent;
    if (head > count) head = count;
    connection->head_sent += head;
    count -= head;
    size_t text = answer->text_length - connection->text_sent;
    if (text > count) text = count;
    connection->text_sent += text;
    count -= text;
    answer->content_offset += count;
    answer->content_length -= count;
}

/// As much as makes one record: a small answer goes out as one, and so in one packet.
static ssize_t send_record(struct connection *connection, const struct iovec *pieces, int count) {
    enum { RECORD_BYTES = 16384 };
    if (count == 1 || pieces[0].iov_len >= RECORD_BYTES)
        return tls_send(connection->tls, pieces[0].iov_base, pieces[0].iov_len);
    size_t first = pieces[0].iov_len, second = pieces[1].iov_len;
    if (second > RECORD_BYTES - first) second = RECORD_BYTES - first;
    memcpy(scratch, pieces[0].iov_base, first);
    memcpy(scratch + first, pieces[1].iov_base, second);
    return tls_send(connection->tls, scratch, first + second);
}

/// Without TLS a plain sendmsg. (sendfile from a file in memory was a third slower, for the receiver too: it hands
/// over single pages.)
static ssize_t send_some(struct connection *connection) {
    struct iovec pieces[2];
    int count = gather(connection, pieces);
    if (connection->tls) return send_record(connection, pieces, count);
    struct msghdr message = {.msg_iov = pieces, .msg_iovlen = (size_t)count};
    return sendmsg(connection->socket, &message, MSG_NOSIGNAL);
}

static bool is_sent(const struct connection *connection) {
    const struct answer *answer = &connection->answer;
    return connection->head_sent == answer->head_length &&
           connection->text_sent == answer->text_length && answer->content_length == 0;
}

/// False where the socket is full, or the connection at its end.
static bool write_answer(struct connection *connection, enum wish *wish) {
    while (!is_sent(connection)) {
        ssize_t count = send_some(connection);
        if (count < 0) {
            *wish = errno == EAGAIN ? WISH_WRITE : WISH_CLOSE;
            return false;
        }
        advance(connection, (size_t)count);
    }
    free(connection->answer.text);
    connection->answer.text = NULL;
    connection->phase = PHASE_HEAD;
    *wish = connection->request.closes ? WISH_CLOSE : WISH_READ;
    return !connection->request.closes;
}

static bool has_pending(const struct connection *connection) {
    return connection->tls && SSL_has_pending(connection->tls);
}

enum wish connection_turn(struct connection *connection, const struct service *service) {
    enum wish wish = WISH_READ;
    bool goes_on = true;
    connection->is_drained = false;
    while (goes_on) {
        switch (connection->phase) {
        case PHASE_HEAD: goes_on = read_head(connection, service, &wish); break;
        case PHASE_BODY: goes_on = read_body(connection, service, &wish); break;
        case PHASE_ANSWER:
            goes_on = write_answer(connection, &wish);
            // A client sends its next request after our answer: looking for it now would be in vain.
            if (goes_on && connection->in_used == 0 && !has_pending(connection)) return wish;
            break;
        }
    }
    return wish;
}

//! One client's connection: requests in, answers out, whatever pieces they come and go in.
#ifndef BENCH_CONNECTION_H
#define BENCH_CONNECTION_H

#include "s3.h"

#include <openssl/ssl.h>

struct connection;

struct connection *connection_open(int socket, SSL_CTX *tls);
void connection_close(struct connection *connection);
int connection_socket(const struct connection *connection);

/// What the connection waits for after its turn.
enum wish { WISH_READ, WISH_WRITE, WISH_CLOSE };
/// Goes on as far as it can without waiting.
enum wish connection_turn(struct connection *connection, const struct service *service);

#endif

//! The fast endpoint: an S3 server that serves and swallows objects at memory speed and checks nothing.
#define _GNU_SOURCE
#include "connection.h"
#include "counts.h"

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

static const char usage[] =
    "endpoint --role source|target --port PORT [OPTION...]\n"
    "  --objects N          the source has N objects (default 1000)\n"
    "  --object-size SIZES  their sizes in turn, with commas: 4KiB or 4KiB,1MiB (default 4KiB)\n"
    "  --part-size SIZE     objects above it look as if they had been written in such parts\n"
    "  --all-exist          the target has the source's objects already\n"
    "  --hash               compute the MD5 of every body (else the ETag is what Content-MD5 promises)\n"
    "  --keys-max N         remember so many keys at most (default 4000000)\n"
    "  --threads N          (default 1)\n"
    "  --certificate FILE --key FILE   speak https\n"
    "Prints its counts as JSON at SIGTERM. GET /-/counts shows them too; GET /-/forget also empties the target.\n";

static struct service service = {.catalogue = {.count = 1000, .sizes = {4096}, .size_count = 1}};
static SSL_CTX *tls;
static uint16_t port;

// MARK: - A thread

static int new_listener(void) {
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), yes = 1;
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    setsockopt(listener, SOL_SOCKET, SO_REUSEPORT, &yes, sizeof yes);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) != 0) fail("bind");
    if (listen(listener, 4096) != 0) fail("listen");
    return listener;
}

static void watch(int epoll, int operation, int socket, uint32_t events, void *context) {
    struct epoll_event event = {.events = events, .data.ptr = context};
    if (epoll_ctl(epoll, operation, socket, &event) != 0) fail("epoll_ctl");
}

static void accept_all(int epoll, int listener) {
    int socket, yes = 1;
    while ((socket = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
        counts.connections++;
        watch(epoll, EPOLL_CTL_ADD, socket, EPOLLIN, connection_open(socket, tls));
    }
}

static void turn(int epoll, struct connection *connection, bool was_writing) {
    enum wish wish = connection_turn(connection, &service);
    if (wish == WISH_CLOSE) return connection_close(connection);
    bool is_writing = wish == WISH_WRITE;
    if (is_writing != was_writing)
        watch(epoll, EPOLL_CTL_MOD, connection_socket(connection), is_writing ? EPOLLOUT : EPOLLIN,
              connection);
}

static void *serve(void *nothing) {
    (void)nothing;
    int epoll = epoll_create1(EPOLL_CLOEXEC), listener = new_listener();
    struct epoll_event events[256];
    counts_register();
    watch(epoll, EPOLL_CTL_ADD, listener, EPOLLIN, NULL);
    for (;;) {
        int count = epoll_wait(epoll, events, 256, -1);
        if (count < 0 && errno != EINTR) fail("epoll_wait");
        for (int i = 0; i < count; i++) {
            if (events[i].data.ptr)
                turn(epoll, events[i].data.ptr, events[i].events & EPOLLOUT);
            else
                accept_all(epoll, listener);
        }
    }
}

// MARK: - Options

static void take_sizes(char *list) {
    struct catalogue *catalogue = &service.catalogue;
    catalogue->size_count = 0;
    for (char *size; (size = strsep(&list, ","));) {
        if (catalogue->size_count == SIZES_MAX) refuse("too many sizes", size);
        catalogue->sizes[catalogue->size_count++] = size_argument(size);
    }
}

static SSL_CTX *new_tls(const char *certificate, const char *key) {
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    if (!context) refuse("TLS", "no context");
    if (SSL_CTX_use_certificate_chain_file(context, certificate) != 1)
        refuse("not a certificate (PEM)", certificate);
    if (SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) != 1)
        refuse("not a key (PEM)", key);
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_read_ahead(context, 1); // fewer calls; our loop reads until there is nothing more
    return context;
}

static void take_role(const char *role) {
    if (strcmp(role, "source") != 0 && strcmp(role, "target") != 0) refuse("not a role", role);
    service.is_source = strcmp(role, "source") == 0;
}

static unsigned take_options(int argc, char **argv) {
    static const struct option options[] = {
        {"role", 1, 0, 'r'},       {"port", 1, 0, 'p'},      {"objects", 1, 0, 'n'},
        {"object-size", 1, 0, 's'}, {"part-size", 1, 0, 'b'}, {"all-exist", 0, 0, 'e'},
        {"hash", 0, 0, 'h'},       {"keys-max", 1, 0, 'm'},  {"threads", 1, 0, 't'},
        {"certificate", 1, 0, 'c'}, {"key", 1, 0, 'k'},       {0}};
    unsigned threads = 1;
    const char *certificate = NULL, *key = NULL;
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        switch (option) {
        case 'r': take_role(optarg); break;
        case 'p': port = (uint16_t)number_argument(optarg); break;
        case 'n': service.catalogue.count = number_argument(optarg); break;
        case 's': take_sizes(optarg); break;
        case 'b': service.catalogue.part_bytes = size_argument(optarg); break;
        case 'e': service.all_exist = true; break;
        case 'h': service.hashes = true; break;
        case 'm': store_keys_max = number_argument(optarg); break;
        case 't': threads = (unsigned)number_argument(optarg); break;
        case 'c': certificate = optarg; break;
        case 'k': key = optarg; break;
        default: fputs(usage, stderr), exit(2);
        }
    }
    if (!port || !threads || optind < argc) fputs(usage, stderr), exit(2);
    if (certificate && key) tls = new_tls(certificate, key);
    return threads;
}

int main(int argc, char **argv) {
    unsigned threads = take_options(argc, argv);
    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    sigprocmask(SIG_BLOCK, &ends, NULL); // the threads inherit it; only sigwait sees them
    signal(SIGPIPE, SIG_IGN);
    content_prepare(&service.catalogue, service.is_source || service.all_exist);
    for (unsigned i = 0; i < threads; i++) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, serve, NULL) != 0) fail("a thread");
    }
    int signal;
    sigwait(&ends, &signal);
    counts_print(stdout);
    return 0;
}

//! The delaying relay: passes TCP on after a fixed time in each direction, with no other limit. It stands in for a
//! network with latency where the kernel has no netem.
#define _GNU_SOURCE
#include "text.h"

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define CHUNK_BYTES 131072
/// What a direction may hold: the product of delay and rate up to 6 GB/s at 10 ms. Beyond it the sender waits.
#define HELD_BYTES_MAX (64u << 20)

static const char usage[] = "delay --port PORT --to PORT --milliseconds N   (one way)\n";

/// Bytes on their way. All wait equally long, so the order of arrival is the order of departure.
struct chunk {
    struct chunk *next;
    int64_t due;
    struct way *way;
    size_t from, to;
    char bytes[CHUNK_BYTES];
};

struct queue {
    struct chunk *first, **last;
};

/// One direction of a connection. An empty chunk is the sender's end.
struct way {
    int in, out;
    struct way *other;
    struct queue ready; ///< due, and waiting for the socket
    size_t held_bytes;
    unsigned in_flight; ///< chunks of ours in `underway`
    bool is_ended, is_passed_on, is_dead;
    uint32_t events;    ///< what epoll watches `in` for
    int64_t opens_at;   ///< before it the handshake would not have come back: nothing is read
    struct way *next_opening, *next_dead;
};

static int epoll, timer, listener;
static uint16_t to_port;
static int64_t delay_ns;
static struct queue underway;
static struct chunk *spare;
static struct way *first_opening, **last_opening = &first_opening, *dead;

static int64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

// MARK: - Chunks

static void append(struct queue *queue, struct chunk *chunk) {
    if (!queue->first) queue->last = &queue->first;
    chunk->next = NULL;
    *queue->last = chunk;
    queue->last = &chunk->next;
}

static struct chunk *take_first(struct queue *queue) {
    struct chunk *chunk = queue->first;
    queue->first = chunk->next;
    return chunk;
}

static struct chunk *new_chunk(void) {
    struct chunk *chunk = spare;
    if (chunk)
        spare = chunk->next;
    else if (!(chunk = malloc(sizeof *chunk)))
        fail("memory for a chunk");
    return chunk;
}

static void free_chunk(struct chunk *chunk) {
    chunk->next = spare;
    spare = chunk;
}

// MARK: - Connections

/// A way is watched at the socket that it reads from; its events also say whether the way back may write there.
static void watch(struct way *way) {
    bool reads = !way->is_ended && way->opens_at == 0 && way->held_bytes < HELD_BYTES_MAX;
    uint32_t events = (reads ? EPOLLIN : 0) | (way->other->ready.first ? EPOLLOUT : 0);
    if (events == way->events) return;
    struct epoll_event event = {.events = events, .data.ptr = way};
    if (epoll_ctl(epoll, EPOLL_CTL_MOD, way->in, &event) != 0) fail("epoll_ctl");
    way->events = events;
}

static struct way *new_way(int in, int out) {
    struct way *way = calloc(1, sizeof *way);
    int yes = 1;
    if (!way) fail("memory for a connection");
    way->in = in;
    way->out = out;
    setsockopt(in, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    struct epoll_event event = {.events = 0, .data.ptr = way};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, in, &event) != 0) fail("epoll_ctl");
    return way;
}

static int connected(void) {
    int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(to_port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (connect(server, (struct sockaddr *)&address, sizeof address) != 0) fail("connect");
    return server;
}

/// The kernel shakes hands with the client at once; the round trip that it would take is made up for before the first
/// byte is read.
static void open_connection(int client) {
    int server = connected();
    struct way *there = new_way(client, server), *back = new_way(server, client);
    there->other = back;
    back->other = there;
    there->opens_at = now() + 2 * delay_ns;
    *last_opening = there;
    last_opening = &there->next_opening;
    watch(back);
}

/// Frees the dead connections of which nothing is under way any more. Not earlier: an event may still name one.
static void bury(void) {
    struct way **link = &dead;
    while (*link) {
        struct way *way = *link, *other = way->other;
        if (way->in_flight || other->in_flight || way->opens_at || other->opens_at) {
            link = &way->next_dead;
            continue;
        }
        *link = way->next_dead;
        free(way);
        free(other);
    }
}

static void drop_ready(struct way *way) {
    while (way->ready.first) free_chunk(take_first(&way->ready));
}

/// Closes both sides; what is still under way of it is thrown away when it is due.
static void kill_connection(struct way *way) {
    if (way->is_dead) return;
    way->is_dead = way->other->is_dead = true;
    way->next_dead = dead;
    dead = way;
    drop_ready(way);
    drop_ready(way->other);
    close(way->in);
    close(way->out);
}

// MARK: - Bytes

/// True where there may be more to read.
static bool read_chunk(struct way *way) {
    struct chunk *chunk = new_chunk();
    ssize_t count = recv(way->in, chunk->bytes, CHUNK_BYTES, MSG_DONTWAIT);
    if (count < 0) {
        free_chunk(chunk);
        if (errno != EAGAIN) kill_connection(way);
        return false;
    }
    chunk->due = now() + delay_ns;
    chunk->way = way;
    chunk->from = 0;
    chunk->to = (size_t)count;
    way->held_bytes += (size_t)count;
    way->in_flight++;
    way->is_ended = count == 0;
    append(&underway, chunk);
    return count == CHUNK_BYTES && way->held_bytes < HELD_BYTES_MAX;
}

/// Writes what is due, as far as the socket takes it.
static void write_ready(struct way *way) {
    while (!way->is_dead && way->ready.first) {
        struct chunk *chunk = way->ready.first;
        size_t rest = chunk->to - chunk->from;
        if (rest > 0) {
            ssize_t count = send(way->out, chunk->bytes + chunk->from, rest, MSG_NOSIGNAL | MSG_DONTWAIT);
            if (count < 0) {
                if (errno != EAGAIN) kill_connection(way);
                return;
            }
            chunk->from += (size_t)count;
            way->held_bytes -= (size_t)count;
            if ((size_t)count < rest) return;
        } else {
            shutdown(way->out, SHUT_WR);
            way->is_passed_on = true;
        }
        free_chunk(take_first(&way->ready));
    }
    if (way->is_passed_on && way->other->is_passed_on) kill_connection(way);
}

static void settle(struct way *way) {
    if (way->is_dead) return;
    watch(way);
    watch(way->other);
}

static void release_due(void) {
    int64_t time = now();
    while (underway.first && underway.first->due <= time) {
        struct chunk *chunk = take_first(&underway);
        struct way *way = chunk->way;
        way->in_flight--;
        if (way->is_dead) {
            free_chunk(chunk);
        } else {
            append(&way->ready, chunk);
            if (way->ready.first == chunk) write_ready(way);
        }
        settle(way);
    }
    while (first_opening && first_opening->opens_at <= time) {
        struct way *way = first_opening;
        first_opening = way->next_opening;
        if (!first_opening) last_opening = &first_opening;
        way->opens_at = 0;
        settle(way);
    }
}

static void set_timer(void) {
    int64_t next = underway.first ? underway.first->due : 0;
    if (first_opening && (!next || first_opening->opens_at < next)) next = first_opening->opens_at;
    struct itimerspec spec = {.it_value = {next / 1000000000, next % 1000000000}};
    if (timerfd_settime(timer, TFD_TIMER_ABSTIME, &spec, NULL) != 0) fail("timerfd_settime");
}

// MARK: - The loop

static void turn(struct way *way, uint32_t events) {
    if (way->is_dead) return;
    if (events & EPOLLOUT) write_ready(way->other);
    if (events & EPOLLERR) kill_connection(way);
    if (events & EPOLLIN)
        while (!way->is_dead && read_chunk(way)) {}
    settle(way);
}

static void accept_all(void) {
    int client;
    while ((client = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) >= 0) open_connection(client);
}

static void listen_at(uint16_t port) {
    int yes = 1;
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) != 0) fail("bind");
    if (listen(listener, 4096) != 0) fail("listen");
}

static uint16_t take_options(int argc, char **argv) {
    static const struct option options[] = {
        {"port", 1, 0, 'p'}, {"to", 1, 0, 't'}, {"milliseconds", 1, 0, 'm'}, {0}};
    uint16_t port = 0;
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        switch (option) {
        case 'p': port = (uint16_t)number_argument(optarg); break;
        case 't': to_port = (uint16_t)number_argument(optarg); break;
        case 'm': delay_ns = (int64_t)number_argument(optarg) * 1000000; break;
        default: fputs(usage, stderr), exit(2);
        }
    }
    if (!port || !to_port) fputs(usage, stderr), exit(2);
    return port;
}

int main(int argc, char **argv) {
    listen_at(take_options(argc, argv));
    signal(SIGPIPE, SIG_IGN);
    epoll = epoll_create1(EPOLL_CLOEXEC);
    timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = &listener}, events[64];
    epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event);
    event.data.ptr = &timer;
    event.events = EPOLLIN | EPOLLET; // it is set anew before each wait: nobody reads it
    epoll_ctl(epoll, EPOLL_CTL_ADD, timer, &event);
    for (;;) {
        set_timer();
        int count = epoll_wait(epoll, events, 64, -1);
        if (count < 0 && errno != EINTR) fail("epoll_wait");
        for (int i = 0; i < count; i++) {
            if (events[i].data.ptr == &listener)
                accept_all();
            else if (events[i].data.ptr != &timer)
                turn(events[i].data.ptr, events[i].events);
        }
        release_due();
        bury();
    }
}

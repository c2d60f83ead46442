//! The raw relay: the least program that moves the same bytes from one endpoint to another. No TLS, no signatures, no
//! checks, no logs; what it reaches is what this machine can.
#define _GNU_SOURCE
#include "jobs.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define HEAD_BYTES 1024

static const char usage[] =
    "relay --source PORT --target PORT [OPTION...]\n"
    "  --bucket NAME        the target's bucket (default raw); the source's is \"bench\"\n"
    "  --objects N --object-size SIZES   as the endpoint's\n"
    "  --part-size SIZE     larger objects go in ranges of this size, each of which becomes an object\n"
    "  --threads N --connections N       threads, and connections of each to each side (default 4, 16)\n"
    "  --buffer SIZE        of each connection (default 256KiB)\n";

static struct catalogue catalogue = {.count = 1000, .sizes = {4096}, .size_count = 1};
static uint16_t ports[2];
static const char *bucket = "raw";
static unsigned threads = 4, connections = 16;
static size_t buffer_bytes = 262144;
static atomic_uint_fast64_t bytes_moved;

// MARK: - A slot: a connection to each side, and the bytes between them

enum phase { PHASE_GET, PHASE_BODY, PHASE_PUT_ANSWER, PHASE_DONE };

struct slot {
    int source, target;
    enum phase phase;
    char path[PATH_CHARS];
    uint64_t left;        ///< bytes of the body that have not been received
    size_t from, to;      ///< what of the buffer is still to be sent
    bool is_target_full;
    char *buffer;
};

static void check(bool is_good, const char *what) {
    if (!is_good) fail(what);
}

static void begin(struct slot *slot) {
    char head[HEAD_BYTES], range[80] = "";
    struct job job;
    if (!take_job(&job)) {
        slot->phase = PHASE_DONE;
        return;
    }
    if (job.is_part)
        snprintf(range, sizeof range, "Range: bytes=%lu-%lu\r\n", job.offset, job.offset + job.length - 1);
    memcpy(slot->path, job.path, sizeof slot->path);
    int used = snprintf(head, sizeof head, "GET /bench/%s HTTP/1.1\r\nHost: 127.0.0.1\r\n%s\r\n", job.key, range);
    check(send(slot->source, head, (size_t)used, MSG_NOSIGNAL) == used, "send");
    slot->phase = PHASE_GET;
    slot->from = slot->to = 0;
}

/// The head of an answer, once it is there, and its length; an answer that is not good ends the program.
static size_t good_head(char *bytes, size_t length) {
    char *end = memmem(bytes, length, "\r\n\r\n", 4);
    if (!end) return 0;
    if (memcmp(bytes, "HTTP/1.1 20", 11) != 0) {
        *end = 0;
        refuse("an endpoint refused", bytes);
    }
    return (size_t)(end + 4 - bytes);
}

static uint64_t content_length(const char *head, size_t length) {
    static const char name[] = "\r\nContent-Length: ";
    const char *at = memmem(head, length, name, sizeof name - 1);
    uint64_t bytes = 0;
    if (!at || !text_number((struct text){at + sizeof name - 1, 20}, &bytes))
        refuse("an answer without", "Content-Length");
    return bytes;
}

/// Sends the PUT's head, together with what is there of the body.
static void begin_put(struct slot *slot, uint64_t length) {
    char head[HEAD_BYTES];
    int used = snprintf(head, sizeof head,
                        "PUT /%s/%s HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: %lu\r\n\r\n", bucket,
                        slot->path, length);
    struct iovec pieces[] = {{head, (size_t)used}, {slot->buffer + slot->from, slot->to - slot->from}};
    struct msghdr message = {.msg_iov = pieces, .msg_iovlen = 2};
    ssize_t sent = sendmsg(slot->target, &message, MSG_NOSIGNAL);
    check(sent >= used, "sendmsg"); // an idle connection has room for a head
    slot->from += (size_t)(sent - used);
    slot->phase = PHASE_BODY;
    atomic_fetch_add_explicit(&bytes_moved, length, memory_order_relaxed);
}

/// Receives into the free rest of the buffer; false where nothing came.
static bool receive(struct slot *slot, int socket, size_t room) {
    ssize_t count = recv(socket, slot->buffer + slot->to, room, 0);
    if (count < 0 && errno == EAGAIN) return false;
    if (count == 0) errno = ECONNRESET;
    check(count > 0, "recv");
    slot->to += (size_t)count;
    return true;
}

static bool turn_get(struct slot *slot) {
    if (!receive(slot, slot->source, buffer_bytes - slot->to)) return false;
    size_t head = good_head(slot->buffer, slot->to);
    if (!head) return true;
    uint64_t length = content_length(slot->buffer, head);
    slot->from = head;
    slot->left = length - (slot->to - head);
    begin_put(slot, length);
    return true;
}

static bool turn_body(struct slot *slot) {
    if (slot->from < slot->to) {
        if (slot->is_target_full) return false;
        ssize_t sent = send(slot->target, slot->buffer + slot->from, slot->to - slot->from, MSG_NOSIGNAL);
        check(sent > 0 || errno == EAGAIN, "send");
        if (sent < 0) slot->is_target_full = true;
        if (sent > 0) slot->from += (size_t)sent;
        return sent > 0;
    }
    slot->from = slot->to = 0;
    if (slot->left == 0) {
        slot->phase = PHASE_PUT_ANSWER;
        return false;
    }
    size_t room = slot->left < buffer_bytes ? slot->left : buffer_bytes;
    if (!receive(slot, slot->source, room)) return false;
    slot->left -= slot->to;
    return true;
}

static bool turn_answer(struct slot *slot) {
    if (!receive(slot, slot->target, HEAD_BYTES)) return false;
    if (good_head(slot->buffer, slot->to)) begin(slot);
    return false;
}

static void turn(struct slot *slot) {
    bool goes_on = true;
    while (goes_on) {
        switch (slot->phase) {
        case PHASE_GET: goes_on = turn_get(slot); break;
        case PHASE_BODY: goes_on = turn_body(slot); break;
        case PHASE_PUT_ANSWER: goes_on = turn_answer(slot); break;
        case PHASE_DONE: goes_on = false; break;
        }
    }
}

// MARK: - Threads

static int connected(uint16_t port, int epoll, struct slot *slot) {
    int side = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), yes = 1;
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    check(connect(side, (struct sockaddr *)&address, sizeof address) == 0, "connect");
    setsockopt(side, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    check(fcntl(side, F_SETFL, O_NONBLOCK) == 0, "fcntl");
    // Edges, so that a side that has to wait for the other costs nothing.
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = slot};
    check(epoll_ctl(epoll, EPOLL_CTL_ADD, side, &event) == 0, "epoll_ctl");
    return side;
}

static void open_slot(struct slot *slot, int epoll) {
    slot->buffer = malloc(buffer_bytes);
    check(slot->buffer != NULL, "memory for a buffer");
    slot->source = connected(ports[0], epoll, slot);
    slot->target = connected(ports[1], epoll, slot);
    begin(slot);
}

static unsigned count_busy(const struct slot *slots) {
    unsigned busy = 0;
    for (unsigned i = 0; i < connections; i++) busy += slots[i].phase != PHASE_DONE;
    return busy;
}

static void *move(void *nothing) {
    (void)nothing;
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    struct slot *slots = calloc(connections, sizeof *slots);
    check(slots != NULL, "memory for slots");
    for (unsigned i = 0; i < connections; i++) open_slot(&slots[i], epoll);
    struct epoll_event events[64];
    while (count_busy(slots) > 0) {
        int count = epoll_wait(epoll, events, 64, -1);
        check(count >= 0 || errno == EINTR, "epoll_wait");
        for (int i = 0; i < count; i++) {
            struct slot *slot = events[i].data.ptr;
            if (events[i].events & EPOLLOUT) slot->is_target_full = false;
            turn(slot);
        }
    }
    return NULL;
}

// MARK: - Options and result

static void take_options(int argc, char **argv) {
    static const struct option options[] = {
        {"source", 1, 0, 'a'},      {"target", 1, 0, 'z'},    {"bucket", 1, 0, 'u'},
        {"objects", 1, 0, 'n'},     {"object-size", 1, 0, 's'}, {"part-size", 1, 0, 'b'},
        {"threads", 1, 0, 't'},     {"connections", 1, 0, 'c'}, {"buffer", 1, 0, 'm'}, {0}};
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        switch (option) {
        case 'a': ports[0] = (uint16_t)number_argument(optarg); break;
        case 'z': ports[1] = (uint16_t)number_argument(optarg); break;
        case 'u': bucket = optarg; break;
        case 'n': catalogue.count = number_argument(optarg); break;
        case 's': take_sizes(&catalogue, optarg); break;
        case 'b': catalogue.part_bytes = size_argument(optarg); break;
        case 't': threads = (unsigned)number_argument(optarg); break;
        case 'c': connections = (unsigned)number_argument(optarg); break;
        case 'm': buffer_bytes = size_argument(optarg); break;
        default: fputs(usage, stderr), exit(2);
        }
    }
    if (!ports[0] || !ports[1] || !threads || !connections || buffer_bytes < 2 * HEAD_BYTES)
        fputs(usage, stderr), exit(2);
    prepare_jobs(&catalogue);
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static double cpu_seconds(void) {
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
           (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

int main(int argc, char **argv) {
    take_options(argc, argv);
    double begin_time = now();
    pthread_t *workers = calloc(threads, sizeof *workers);
    check(workers != NULL, "memory for threads");
    for (unsigned i = 0; i < threads; i++)
        check(pthread_create(&workers[i], NULL, move, NULL) == 0, "a thread");
    for (unsigned i = 0; i < threads; i++) pthread_join(workers[i], NULL);
    double seconds = now() - begin_time;
    printf("{\"seconds\": %.6f, \"objects_per_second\": %.1f, \"mb_per_second\": %.1f, "
           "\"cpu_seconds\": %.3f}\n",
           seconds, (double)catalogue.count / seconds, (double)bytes_moved / seconds / 1e6, cpu_seconds());
    return 0;
}

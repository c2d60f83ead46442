//! With epoll each transfer costs its own events, however many wait; with curl_multi_poll all are asked each time, and
//! libcurl asks once more before it reads.
#define _GNU_SOURCE
#include "curl-loop.h"
#include "text.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define SOCKETS_MAX 65536

static void check(bool is_good, const char *what) {
    if (!is_good) fail(what);
}

static void check_multi(CURLMcode code) {
    if (code != CURLM_OK) refuse("libcurl refused", curl_multi_strerror(code));
}

static int64_t now_ms(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

/// A connection that rests stays watched, for the next exchange uses it: so most exchanges need no epoll_ctl.
static int watch(CURL *easy, curl_socket_t side, int what, void *context, void *of_socket) {
    (void)easy, (void)of_socket;
    struct loop *loop = context;
    if (side >= SOCKETS_MAX) refuse("too many connections", "use fewer transfers");
    if (what == CURL_POLL_REMOVE) return 0;
    struct epoll_event event = {.data.fd = side};
    if (what & CURL_POLL_IN) event.events |= EPOLLIN;
    if (what & CURL_POLL_OUT) event.events |= EPOLLOUT;
    if (loop->watched[side] == event.events) return 0;
    int action = loop->watched[side] ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
    check(epoll_ctl(loop->epoll, action, side, &event) == 0, "epoll_ctl");
    loop->watched[side] = event.events;
    return 0;
}

static int forget(void *context, curl_socket_t side) {
    struct loop *loop = context;
    if (side < SOCKETS_MAX) loop->watched[side] = 0;
    return close(side);
}

static int set_timer(CURLM *multi, long wait_ms, void *context) {
    (void)multi;
    struct loop *loop = context;
    loop->wake_ms = wait_ms < 0 ? -1 : now_ms() + wait_ms;
    return 0;
}

void loop_open(struct loop *loop, bool uses_epoll) {
    *loop = (struct loop){.multi = curl_multi_init(), .epoll = -1, .wake_ms = -1};
    check(loop->multi != NULL, "memory for a thread");
    if (!uses_epoll) return;
    loop->epoll = epoll_create1(EPOLL_CLOEXEC);
    loop->watched = calloc(SOCKETS_MAX, sizeof *loop->watched);
    check(loop->epoll >= 0 && loop->watched, "epoll");
    curl_multi_setopt(loop->multi, CURLMOPT_SOCKETFUNCTION, watch);
    curl_multi_setopt(loop->multi, CURLMOPT_SOCKETDATA, loop);
    curl_multi_setopt(loop->multi, CURLMOPT_TIMERFUNCTION, set_timer);
    curl_multi_setopt(loop->multi, CURLMOPT_TIMERDATA, loop);
}

void loop_adopt(struct loop *loop, CURL *easy) {
    if (loop->epoll < 0) return;
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, forget);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, loop);
}

/// A resting connection that has something to tell was closed by the other side: libcurl finds out when it needs it.
static void unwatch(struct loop *loop, int side) {
    epoll_ctl(loop->epoll, EPOLL_CTL_DEL, side, NULL);
    loop->watched[side] = 0;
}

static void act(struct loop *loop, const struct epoll_event *event) {
    int mask = 0, running;
    if (event->events & EPOLLIN) mask |= CURL_CSELECT_IN;
    if (event->events & EPOLLOUT) mask |= CURL_CSELECT_OUT;
    if (event->events & (EPOLLERR | EPOLLHUP)) {
        mask |= CURL_CSELECT_ERR;
        unwatch(loop, event->data.fd);
    }
    check_multi(curl_multi_socket_action(loop->multi, event->data.fd, mask, &running));
}

void loop_perform(struct loop *loop) {
    int running;
    if (loop->epoll < 0) {
        check_multi(curl_multi_perform(loop->multi, &running));
        return;
    }
    for (int i = 0; i < loop->event_count; i++) act(loop, &loop->events[i]);
    loop->event_count = 0;
    if (loop->wake_ms < 0 || now_ms() < loop->wake_ms) return;
    loop->wake_ms = -1;
    check_multi(curl_multi_socket_action(loop->multi, CURL_SOCKET_TIMEOUT, 0, &running));
}

void loop_wait(struct loop *loop) {
    if (loop->epoll < 0) {
        check_multi(curl_multi_poll(loop->multi, NULL, 0, 1000, NULL));
        return;
    }
    int64_t wait_ms = 1000;
    if (loop->wake_ms >= 0) wait_ms = loop->wake_ms > now_ms() ? loop->wake_ms - now_ms() : 0;
    loop->event_count = epoll_wait(loop->epoll, loop->events, EVENTS_MAX, (int)wait_ms);
    check(loop->event_count >= 0 || errno == EINTR, "epoll_wait");
    if (loop->event_count < 0) loop->event_count = 0;
}

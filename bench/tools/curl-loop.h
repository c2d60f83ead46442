//! The two ways to drive libcurl's transfers: curl_multi_poll, and epoll with curl_multi_socket_action.
#ifndef BENCH_CURL_LOOP_H
#define BENCH_CURL_LOOP_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>

#define EVENTS_MAX 256

struct loop {
    CURLM *multi;
    int epoll; ///< -1 where libcurl polls
    struct epoll_event events[EVENTS_MAX];
    int event_count;
    int64_t wake_ms; ///< when libcurl wants to be called, by the monotonic clock; -1 for never
    uint32_t *watched; ///< what epoll was told to look for, by socket
};

void loop_open(struct loop *loop, bool uses_epoll);
/// For each transfer, once: the loop has to know when libcurl closes a connection.
void loop_adopt(struct loop *loop, CURL *easy);
/// Does all that can be done without waiting.
void loop_perform(struct loop *loop);
/// Waits until there is something to do.
void loop_wait(struct loop *loop);

#endif

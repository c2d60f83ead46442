//! The curl relay: the least program that moves objects with libcurl, by requests as long as s3migrate's. No signatures, no
//! checks, no logs; what it reaches is what libcurl leaves on this machine.
#define _GNU_SOURCE
#include "curl-loop.h"
#include "jobs.h"

#include <getopt.h>
#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/// What is not longer leaves in one packet with its head, as s3migrate's does.
#define ONE_PACKET_BYTES 65536

static const char usage[] =
    "curl-relay --source PORT --target PORT [OPTION...]\n"
    "  --bucket NAME        the target's bucket (default curl); the source's is \"bench\"\n"
    "  --objects N --object-size SIZES   as the endpoint's; each is held in memory as a whole\n"
    "  --part-size SIZE     larger objects go in ranges of this size, each of which becomes an object\n"
    "  --threads N --transfers N         threads, and transfers of each at once (default 2, 32)\n"
    "  --buffer SIZE        libcurl's, each way (default 256KiB)\n"
    "  --ca-file FILE       speak https, and trust this certificate\n"
    "  --epoll              epoll and curl_multi_socket_action instead of curl_multi_poll\n";

/// What s3migrate sends besides: a signature's length and form decide what it costs, not its truth.
static const char *const fields[] = {
    "x-amz-content-sha256: UNSIGNED-PAYLOAD",
    "x-amz-date: 20000101T000000Z",
    "authorization: AWS4-HMAC-SHA256 Credential=key/20000101/us-east-1/s3/aws4_request, "
    "SignedHeaders=host;x-amz-content-sha256;x-amz-date, "
    "Signature=0000000000000000000000000000000000000000000000000000000000000000",
    "Accept:",
};
static const char *const upload_fields[] = {
    "content-md5: 1B2M2Y8AsgTpgAmY7PhCfg==",
    "content-type: application/octet-stream",
    "if-none-match: *",
    "Expect:",
};

static struct catalogue catalogue = {.count = 1000, .sizes = {4096}, .size_count = 1};
static uint16_t ports[2];
static const char *bucket = "curl", *ca_file;
static unsigned threads = 2, transfers = 32;
static long buffer_bytes = 262144;
static bool uses_epoll;
static struct curl_slist *download_list, *upload_list;

struct slot {
    CURL *download, *upload;
    bool is_uploading;
    struct job job;
    char target[PATH_CHARS + 64], range[64];
    char *body;
    size_t received, sent;
};

static void check(bool is_good, const char *what) {
    if (!is_good) refuse("libcurl refused", what);
}

static void set(CURL *easy, CURLoption option, const void *value) {
    check(curl_easy_setopt(easy, option, value) == CURLE_OK, "a setting");
}

static void set_number(CURL *easy, CURLoption option, long value) {
    check(curl_easy_setopt(easy, option, value) == CURLE_OK, "a setting");
}

// MARK: - What libcurl calls

static size_t take_body(char *bytes, size_t size, size_t count, void *context) {
    struct slot *slot = context;
    if (slot->is_uploading) return size * count;
    if (slot->received + size * count > slot->job.length) return 0;
    memcpy(slot->body + slot->received, bytes, size * count);
    slot->received += size * count;
    return size * count;
}

static size_t give_body(char *bytes, size_t size, size_t count, void *context) {
    struct slot *slot = context;
    size_t left = slot->received - slot->sent, given = left < size * count ? left : size * count;
    memcpy(bytes, slot->body + slot->sent, given);
    slot->sent += given;
    return given;
}

// MARK: - Exchanges

static CURL *new_easy(struct slot *slot, struct loop *loop, uint16_t port, struct curl_slist *list) {
    CURL *easy = curl_easy_init();
    check(easy != NULL, "memory for a transfer");
    // Taken apart once: libcurl would take a text apart for each exchange.
    char url[64];
    snprintf(url, sizeof url, "%s://127.0.0.1:%u/", ca_file ? "https" : "http", port);
    CURLU *parts = curl_url();
    check(parts && curl_url_set(parts, CURLUPART_URL, url, 0) == CURLUE_OK, "an address");
    set(easy, CURLOPT_CURLU, parts);
    set(easy, CURLOPT_HTTPHEADER, list);
    set(easy, CURLOPT_USERAGENT, "s3migrate");
    set(easy, CURLOPT_PROXY, "");
    set(easy, CURLOPT_CAINFO, ca_file);
    set(easy, CURLOPT_CAPATH, NULL);
    set(easy, CURLOPT_TLS13_CIPHERS, "TLS_AES_128_GCM_SHA256");
    set(easy, CURLOPT_PRIVATE, slot);
    set(easy, CURLOPT_WRITEDATA, slot);
    set(easy, CURLOPT_READDATA, slot);
    check(curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body) == CURLE_OK, "a setting");
    check(curl_easy_setopt(easy, CURLOPT_READFUNCTION, give_body) == CURLE_OK, "a setting");
    set_number(easy, CURLOPT_BUFFERSIZE, buffer_bytes);
    set_number(easy, CURLOPT_UPLOAD_BUFFERSIZE, buffer_bytes);
    set_number(easy, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
    set_number(easy, CURLOPT_PATH_AS_IS, 1);
    set_number(easy, CURLOPT_NOSIGNAL, 1);
    set_number(easy, CURLOPT_FAILONERROR, 1);
    loop_adopt(loop, easy);
    return easy;
}

static void start(CURLM *multi, CURL *easy, struct slot *slot, const char *place, const char *path) {
    snprintf(slot->target, sizeof slot->target, "/%s/%s", place, path);
    set(easy, CURLOPT_REQUEST_TARGET, slot->target);
    check(curl_multi_add_handle(multi, easy) == CURLM_OK, "a transfer");
}

/// False when there are no more objects.
static bool begin(CURLM *multi, struct slot *slot) {
    if (!take_job(&slot->job)) return false;
    slot->is_uploading = false;
    slot->received = slot->sent = 0;
    if (slot->job.is_part) {
        uint64_t last = slot->job.offset + slot->job.length - 1;
        snprintf(slot->range, sizeof slot->range, "%lu-%lu", slot->job.offset, last);
        set(slot->download, CURLOPT_RANGE, slot->range);
    }
    start(multi, slot->download, slot, "bench", slot->job.key);
    return true;
}

static void begin_upload(CURLM *multi, struct slot *slot) {
    slot->is_uploading = true;
    if (slot->received <= ONE_PACKET_BYTES) {
        set(slot->upload, CURLOPT_POSTFIELDS, slot->body);
        set_number(slot->upload, CURLOPT_POSTFIELDSIZE, (long)slot->received);
        set(slot->upload, CURLOPT_CUSTOMREQUEST, "PUT");
    } else {
        curl_off_t length = (curl_off_t)slot->received;
        set(slot->upload, CURLOPT_POSTFIELDS, NULL);
        set_number(slot->upload, CURLOPT_UPLOAD, 1);
        check(curl_easy_setopt(slot->upload, CURLOPT_INFILESIZE_LARGE, length) == CURLE_OK, "a length");
    }
    start(multi, slot->upload, slot, bucket, slot->job.path);
}

/// Goes on with what is finished; gives how many slots have nothing more to do.
static unsigned take_finished(CURLM *multi) {
    unsigned idle = 0;
    int waiting;
    for (CURLMsg *message; (message = curl_multi_info_read(multi, &waiting));) {
        if (message->data.result != CURLE_OK)
            refuse("an exchange failed", curl_easy_strerror(message->data.result));
        CURL *easy = message->easy_handle;
        struct slot *slot;
        check(curl_easy_getinfo(easy, CURLINFO_PRIVATE, &slot) == CURLE_OK, "a question");
        check(curl_multi_remove_handle(multi, easy) == CURLM_OK, "a transfer's end");
        if (!slot->is_uploading)
            begin_upload(multi, slot);
        else if (!begin(multi, slot))
            idle++;
    }
    return idle;
}

static void *move(void *nothing) {
    (void)nothing;
    struct loop *loop = malloc(sizeof *loop);
    struct slot *slots = calloc(transfers, sizeof *slots);
    check(loop && slots, "memory for a thread");
    loop_open(loop, uses_epoll);
    curl_multi_setopt(loop->multi, CURLMOPT_MAXCONNECTS, 2L * transfers + 8);
    unsigned busy = 0;
    for (unsigned i = 0; i < transfers; i++) {
        slots[i].body = malloc(longest_job() + 1);
        check(slots[i].body != NULL, "memory for a body");
        slots[i].download = new_easy(&slots[i], loop, ports[0], download_list);
        slots[i].upload = new_easy(&slots[i], loop, ports[1], upload_list);
        busy += begin(loop->multi, &slots[i]);
    }
    while (busy) {
        loop_perform(loop);
        busy -= take_finished(loop->multi);
        if (busy) loop_wait(loop);
    }
    return NULL;
}

static void take_options(int argc, char **argv) {
    static const struct option options[] = {
        {"source", 1, 0, 'a'},    {"target", 1, 0, 'z'},      {"bucket", 1, 0, 'u'},    {"objects", 1, 0, 'n'},
        {"object-size", 1, 0, 's'}, {"part-size", 1, 0, 'b'}, {"threads", 1, 0, 't'},   {"transfers", 1, 0, 'c'},
        {"buffer", 1, 0, 'm'},    {"ca-file", 1, 0, 'f'},     {"epoll", 0, 0, 'e'},     {0}};
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        switch (option) {
        case 'a': ports[0] = (uint16_t)number_argument(optarg); break;
        case 'z': ports[1] = (uint16_t)number_argument(optarg); break;
        case 'u': bucket = optarg; break;
        case 'n': catalogue.count = number_argument(optarg); break;
        case 's': take_sizes(&catalogue, optarg); break;
        case 'b': catalogue.part_bytes = size_argument(optarg); break;
        case 't': threads = (unsigned)number_argument(optarg); break;
        case 'c': transfers = (unsigned)number_argument(optarg); break;
        case 'm': buffer_bytes = (long)size_argument(optarg); break;
        case 'f': ca_file = optarg; break;
        case 'e': uses_epoll = true; break;
        default: fputs(usage, stderr), exit(2);
        }
    }
    if (!ports[0] || !ports[1] || !threads || !transfers || buffer_bytes <= 0) fputs(usage, stderr), exit(2);
    prepare_jobs(&catalogue);
}

int main(int argc, char **argv) {
    take_options(argc, argv);
    // libcurl frees its buffers after each exchange; given back, the kernel would clear the pages of the next.
    check(mallopt(M_MMAP_THRESHOLD, 32 << 20) && mallopt(M_TRIM_THRESHOLD, INT32_MAX), "memory that stays");
    check(curl_global_init(CURL_GLOBAL_ALL) == CURLE_OK, "to start");
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        download_list = curl_slist_append(download_list, fields[i]);
        upload_list = curl_slist_append(upload_list, fields[i]);
    }
    for (size_t i = 0; i < sizeof upload_fields / sizeof *upload_fields; i++)
        upload_list = curl_slist_append(upload_list, upload_fields[i]);
    pthread_t *workers = calloc(threads, sizeof *workers);
    check(workers != NULL, "memory for threads");
    for (unsigned i = 0; i < threads; i++)
        if (pthread_create(&workers[i], NULL, move, NULL)) fail("a thread");
    for (unsigned i = 0; i < threads; i++) pthread_join(workers[i], NULL);
    return 0;
}

//! The curl relay: the least program that moves objects with libcurl, by requests as long as s3migrate's. No signatures, no
//! checks, no logs; what it reaches is what libcurl leaves on this machine.
#define _GNU_SOURCE
#include "content.h"

#include <curl/curl.h>
#include <getopt.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATH_CHARS (KEY_CHARS + 64)

static const char usage[] =
    "curl-relay --source PORT --target PORT --object-size SIZE [OPTION...]\n"
    "  --bucket NAME        the target's bucket (default curl); the source's is \"bench\"\n"
    "  --objects N          as the endpoint's; all of one size, held in memory as a whole\n"
    "  --threads N --transfers N         threads, and transfers of each at once (default 2, 32)\n";

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

static struct catalogue catalogue = {.count = 1000, .sizes = {0}, .size_count = 1};
static uint16_t ports[2];
static const char *bucket = "curl";
static unsigned threads = 2, transfers = 32;
static atomic_uint_fast64_t next_object;
static struct curl_slist *download_list, *upload_list;

struct slot {
    CURL *download, *upload;
    bool is_uploading;
    char key[KEY_CHARS], path[PATH_CHARS];
    char *body;
    size_t length;
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

static size_t take_body(char *bytes, size_t size, size_t count, void *context) {
    struct slot *slot = context;
    if (slot->is_uploading) return size * count;
    if (slot->length + size * count > catalogue.sizes[0]) return 0;
    memcpy(slot->body + slot->length, bytes, size * count);
    slot->length += size * count;
    return size * count;
}

static CURL *new_easy(struct slot *slot, uint16_t port, struct curl_slist *list) {
    CURL *easy = curl_easy_init();
    check(easy != NULL, "memory for a transfer");
    char url[64];
    snprintf(url, sizeof url, "http://127.0.0.1:%u/", port);
    set(easy, CURLOPT_URL, url);
    set(easy, CURLOPT_HTTPHEADER, list);
    set(easy, CURLOPT_USERAGENT, "s3migrate");
    set(easy, CURLOPT_PROXY, "");
    set(easy, CURLOPT_PRIVATE, slot);
    set(easy, CURLOPT_WRITEDATA, slot);
    check(curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body) == CURLE_OK, "a setting");
    set_number(easy, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
    set_number(easy, CURLOPT_PATH_AS_IS, 1);
    set_number(easy, CURLOPT_NOSIGNAL, 1);
    set_number(easy, CURLOPT_FAILONERROR, 1);
    return easy;
}

static void start(CURLM *multi, CURL *easy, struct slot *slot, const char *place) {
    snprintf(slot->path, sizeof slot->path, "/%s/%s", place, slot->key);
    set(easy, CURLOPT_REQUEST_TARGET, slot->path);
    check(curl_multi_add_handle(multi, easy) == CURLM_OK, "a transfer");
}

/// False when there are no more objects.
static bool begin(CURLM *multi, struct slot *slot) {
    uint64_t number = atomic_fetch_add(&next_object, 1);
    if (number >= catalogue.count) return false;
    content_key(&catalogue, number, slot->key);
    slot->is_uploading = false;
    slot->length = 0;
    start(multi, slot->download, slot, "bench");
    return true;
}

/// Head and body leave in one packet this way, as s3migrate's do.
static void begin_upload(CURLM *multi, struct slot *slot) {
    slot->is_uploading = true;
    set(slot->upload, CURLOPT_POSTFIELDS, slot->body);
    set_number(slot->upload, CURLOPT_POSTFIELDSIZE, (long)slot->length);
    set(slot->upload, CURLOPT_CUSTOMREQUEST, "PUT");
    start(multi, slot->upload, slot, bucket);
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

static void *move(void *context) {
    (void)context;
    CURLM *multi = curl_multi_init();
    struct slot *slots = calloc(transfers, sizeof *slots);
    check(multi && slots, "memory for a thread");
    curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, 2L * transfers + 8);
    unsigned busy = 0;
    for (unsigned i = 0; i < transfers; i++) {
        slots[i].body = malloc(catalogue.sizes[0] + 1);
        check(slots[i].body != NULL, "memory for a body");
        slots[i].download = new_easy(&slots[i], ports[0], download_list);
        slots[i].upload = new_easy(&slots[i], ports[1], upload_list);
        busy += begin(multi, &slots[i]);
    }
    while (busy) {
        int running;
        check(curl_multi_perform(multi, &running) == CURLM_OK, "to go on");
        unsigned idle = take_finished(multi);
        busy -= idle;
        if (busy) check(curl_multi_poll(multi, NULL, 0, 1000, NULL) == CURLM_OK, "to wait");
    }
    return NULL;
}

static void take_options(int argc, char **argv) {
    static const struct option options[] = {
        {"source", 1, 0, 'a'},  {"target", 1, 0, 'z'},    {"bucket", 1, 0, 'u'},   {"objects", 1, 0, 'n'},
        {"object-size", 1, 0, 's'}, {"threads", 1, 0, 't'}, {"transfers", 1, 0, 'c'}, {0}};
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        switch (option) {
        case 'a': ports[0] = (uint16_t)number_argument(optarg); break;
        case 'z': ports[1] = (uint16_t)number_argument(optarg); break;
        case 'u': bucket = optarg; break;
        case 'n': catalogue.count = number_argument(optarg); break;
        case 's': catalogue.sizes[0] = size_argument(optarg); break;
        case 't': threads = (unsigned)number_argument(optarg); break;
        case 'c': transfers = (unsigned)number_argument(optarg); break;
        default: fputs(usage, stderr), exit(2);
        }
    }
    if (!ports[0] || !ports[1] || !catalogue.sizes[0] || !threads || !transfers) fputs(usage, stderr), exit(2);
}

int main(int argc, char **argv) {
    take_options(argc, argv);
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

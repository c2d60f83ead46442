// The door to libcurl. Swift cannot call variadic functions, so each C type that an option or a
// piece of information may have gets one inline function here; Swift's `EasyOption` chooses among
// them.
#pragma once
#include <curl/curl.h>
#include <stdint.h>

// Options of type long: passing an int through the dots would be undefined behaviour.
static inline CURLcode ccurl_easy_setopt_long(CURL *easy, CURLoption option, long value) {
    return curl_easy_setopt(easy, option, value);
}

// Options of type curl_off_t, the ..._LARGE ones: 64 bits wherever long is not.
static inline CURLcode ccurl_easy_setopt_offset(CURL *easy, CURLoption option, curl_off_t value) {
    return curl_easy_setopt(easy, option, value);
}

// Options of type char *; libcurl copies the text, NULL restores the default.
static inline CURLcode ccurl_easy_setopt_string(CURL *easy, CURLoption option, const char *value) {
    return curl_easy_setopt(easy, option, value);
}

// Options of type void *; libcurl keeps the pointer and copies nothing.
static inline CURLcode ccurl_easy_setopt_pointer(CURL *easy, CURLoption option, const void *value) {
    return curl_easy_setopt(easy, option, value);
}

// Options of type curl_slist *; libcurl keeps the pointer and copies nothing.
static inline CURLcode ccurl_easy_setopt_list(
    CURL *easy, CURLoption option, const struct curl_slist *value) {
    return curl_easy_setopt(easy, option, value);
}

// The callbacks for header, body and upload: C gives all three the same type.
static inline CURLcode ccurl_easy_setopt_data_function(
    CURL *easy, CURLoption option, curl_write_callback value) {
    return curl_easy_setopt(easy, option, value);
}

// The callback that winds an upload back.
static inline CURLcode ccurl_easy_setopt_seek_function(
    CURL *easy, CURLoption option, curl_seek_callback value) {
    return curl_easy_setopt(easy, option, value);
}

// The callback before each request that goes out.
static inline CURLcode ccurl_easy_setopt_prereq_function(
    CURL *easy, CURLoption option, curl_prereq_callback value) {
    return curl_easy_setopt(easy, option, value);
}

// Information of type long.
static inline CURLcode ccurl_easy_getinfo_long(CURL *easy, CURLINFO info, long *value) {
    return curl_easy_getinfo(easy, info, value);
}

// Information of type curl_off_t.
static inline CURLcode ccurl_easy_getinfo_offset(CURL *easy, CURLINFO info, curl_off_t *value) {
    return curl_easy_getinfo(easy, info, value);
}

// Information of type char *; the text belongs to libcurl.
static inline CURLcode ccurl_easy_getinfo_string(CURL *easy, CURLINFO info, const char **value) {
    return curl_easy_getinfo(easy, info, value);
}

// Information of type void *: what was given with CURLOPT_PRIVATE (C says char *, Swift would bind
// it).
static inline CURLcode ccurl_easy_getinfo_pointer(CURL *easy, CURLINFO info, void **value) {
    return curl_easy_getinfo(easy, info, (char **)value);
}

// Options of a multi handle of type long.
static inline CURLMcode ccurl_multi_setopt_long(CURLM *multi, CURLMoption option, long value) {
    return curl_multi_setopt(multi, option, value);
}

// Of OpenSSL only this is wanted here, so its headers stay out: libcurl's TLS is libcrypto's user.
struct ossl_init_settings_st;
extern int OPENSSL_init_crypto(uint64_t options, const struct ossl_init_settings_st *settings);

// OPENSSL_INIT_NO_ATEXIT of <openssl/crypto.h>.
static const uint64_t CCURL_OPENSSL_INIT_NO_ATEXIT = 0x00080000;

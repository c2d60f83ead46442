#pragma once
#include <openssl/crypto.h>
#include <openssl/evp.h>

// Keeps OpenSSL from cleaning up at exit, while other threads may still hold TLS objects. The flag
// is a macro with a cast, which Swift does not import.
static inline int s3_crypto_init(void) {
    return OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, NULL);
}

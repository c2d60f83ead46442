#pragma once
#include <stddef.h>
#include <stdint.h>

// Folding: a long message is replaced by 16 bytes that have the same CRC, by the processor's multiplication of
// polynomials ("Fast CRC Computation for Generic Polynomials Using PCLMULQDQ Instruction", Intel, 2009). Swift has no
// such instruction, and what has one (libisal) is too old in Debian 12 to know CRC64NVME.

#define S3_FOLD_MIN 64

#if defined(__x86_64__)
#include <immintrin.h>

#define S3_FOLDING __attribute__((target("sse4.1,pclmul"))) static inline

static inline int s3_can_fold(void) {
    __builtin_cpu_init();
    return __builtin_cpu_supports("sse4.1") && __builtin_cpu_supports("pclmul");
}

// `sum` moved up by the distance that `powers` are for, plus `next`.
S3_FOLDING __m128i s3_fold_16(__m128i sum, __m128i powers, __m128i next) {
    __m128i low = _mm_clmulepi64_si128(sum, powers, 0x00);
    __m128i high = _mm_clmulepi64_si128(sum, powers, 0x11);
    return _mm_xor_si128(next, _mm_xor_si128(low, high));
}

// Folds `count` bytes, a multiple of 16 and at least S3_FOLD_MIN, into the 16 of `folded`. `crc` is the state before
// them; `far` and `near` are the powers of x that move 16 bytes up by 64 and by 16. Four sums, since a multiplication
// takes four times as long as it keeps its unit busy.
S3_FOLDING void s3_fold(
    const void *bytes, size_t count, uint64_t crc, const uint64_t far[2], const uint64_t near[2], void *folded
) {
    const __m128i *next = (const __m128i *)bytes, *end = next + count / 16;
    __m128i powers = _mm_loadu_si128((const __m128i *)far);
    __m128i a = _mm_xor_si128(_mm_loadu_si128(next), _mm_cvtsi64_si128((long long)crc));
    __m128i b = _mm_loadu_si128(next + 1), c = _mm_loadu_si128(next + 2), d = _mm_loadu_si128(next + 3);
    for (next += 4; end - next >= 4; next += 4) {
        a = s3_fold_16(a, powers, _mm_loadu_si128(next));
        b = s3_fold_16(b, powers, _mm_loadu_si128(next + 1));
        c = s3_fold_16(c, powers, _mm_loadu_si128(next + 2));
        d = s3_fold_16(d, powers, _mm_loadu_si128(next + 3));
    }
    powers = _mm_loadu_si128((const __m128i *)near);
    a = s3_fold_16(s3_fold_16(s3_fold_16(a, powers, b), powers, c), powers, d);
    for (; next < end; next++) a = s3_fold_16(a, powers, _mm_loadu_si128(next));
    _mm_storeu_si128((__m128i *)folded, a);
}

#else

static inline int s3_can_fold(void) { return 0; }

// Never called.
static inline void s3_fold(
    const void *bytes, size_t count, uint64_t crc, const uint64_t far[2], const uint64_t near[2], void *folded
) {}

#endif

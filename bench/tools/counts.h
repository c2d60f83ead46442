//! What was asked, by kind. Each thread counts for itself; the sums are printed.
#ifndef BENCH_COUNTS_H
#define BENCH_COUNTS_H

#include <stdint.h>
#include <stdio.h>

#define COUNTS(COUNT) \
    COUNT(connections) COUNT(get) COUNT(head) COUNT(put) COUNT(part) COUNT(create) COUNT(complete) COUNT(abort) \
    COUNT(remove) COUNT(list) COUNT(tagging) COUNT(other) COUNT(refused) COUNT(body_bytes_in) COUNT(body_bytes_out)

struct counts {
#define COUNT(name) uint64_t name;
    COUNTS(COUNT)
#undef COUNT
};

extern _Thread_local struct counts counts;

/// Every thread calls it once, before it counts.
void counts_register(void);
/// One line of JSON. Threads may be counting meanwhile: no count is torn, but the sum is of no one moment.
void counts_print(FILE *file);

#endif

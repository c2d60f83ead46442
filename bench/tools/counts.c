//! Sums of the threads' counts.
#include "counts.h"

#include "text.h"

#include <pthread.h>

#define THREADS_MAX 256

_Thread_local struct counts counts;
static struct counts *of_threads[THREADS_MAX];
static int thread_count;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

void counts_register(void) {
    pthread_mutex_lock(&lock);
    if (thread_count == THREADS_MAX) refuse("too many threads", "256 at most");
    of_threads[thread_count++] = &counts;
    pthread_mutex_unlock(&lock);
}

void counts_print(FILE *file) {
    struct counts sum = {0};
    pthread_mutex_lock(&lock);
    for (int i = 0; i < thread_count; i++) {
#define COUNT(name) sum.name += __atomic_load_n(&of_threads[i]->name, __ATOMIC_RELAXED);
        COUNTS(COUNT)
#undef COUNT
    }
    pthread_mutex_unlock(&lock);
    const char *comma = "{";
#define COUNT(name) fprintf(file, "%s\"" #name "\": %lu", comma, sum.name), comma = ", ";
    COUNTS(COUNT)
#undef COUNT
    fputs("}\n", file);
}

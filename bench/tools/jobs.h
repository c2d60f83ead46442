//! What a relay has to move, and how its threads share it.
#ifndef BENCH_JOBS_H
#define BENCH_JOBS_H

#include "content.h"

#define PATH_CHARS (KEY_CHARS + 64)

/// An object, or a range of a larger one, which becomes an object of its own.
struct job {
    char key[KEY_CHARS];   ///< at the source
    char path[PATH_CHARS]; ///< at the target
    uint64_t offset, length;
    bool is_part;
};

/// Reads "4KiB,1MiB" into the catalogue; ends the program where it is no such list.
void take_sizes(struct catalogue *catalogue, char *list);
/// The catalogue is complete; once, before any thread takes a job.
void prepare_jobs(const struct catalogue *catalogue);
/// The next job, for any thread; false when there is none.
bool take_job(struct job *job);
/// How long the longest job is.
uint64_t longest_job(void);

#endif

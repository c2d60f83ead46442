//! A disk that fails: preloaded into a program, it lets calls on files below a folder fail from the n-th on.
//!
//! FAIL_FOLDER: whose files. FAIL_CALLS: which calls, of "write sync rename truncate". FAIL_AFTER: so many succeed.
//! FAIL_TIMES: so many fail, then all is as if nothing had been. FAIL_ERRNO: with which errno. FAIL_RECORD: a file that
//! gets a line for each such call: "sync failed /logs/migrate.log".
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

static atomic_long calls;

static long number_of(const char *name) {
    const char *text = getenv(name);
    return text ? atol(text) : 0;
}

static int is_below(const char *path) {
    const char *folder = getenv("FAIL_FOLDER");
    return folder && strncmp(path, folder, strlen(folder)) == 0;
}

static void record(const char *call, const char *what, const char *path) {
    char line[PATH_MAX + 64];
    int length = snprintf(line, sizeof line, "%s %s %s\n", call, what, path);
    int file = open(getenv("FAIL_RECORD"), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
    syscall(SYS_write, file, line, (size_t)length); // write() is ours
    close(file);
}

/// Whether this call fails; errno is set then.
static int strikes(const char *call, const char *path) {
    if (!is_below(path) || !strstr(getenv("FAIL_CALLS"), call)) return 0;
    long number = atomic_fetch_add(&calls, 1) - number_of("FAIL_AFTER");
    int fails = number >= 0 && number < number_of("FAIL_TIMES");
    record(call, fails ? "failed" : "done", path);
    if (fails) errno = (int)number_of("FAIL_ERRNO");
    return fails;
}

static int strikes_file(const char *call, int file) {
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return strikes(call, path);
}

ssize_t write(int file, const void *bytes, size_t count) {
    return strikes_file("write", file) ? -1 : syscall(SYS_write, file, bytes, count);
}

int fsync(int file) {
    return strikes_file("sync", file) ? -1 : (int)syscall(SYS_fsync, file);
}

int fdatasync(int file) {
    return strikes_file("sync", file) ? -1 : (int)syscall(SYS_fdatasync, file);
}

int ftruncate(int file, off_t length) {
    return strikes_file("truncate", file) ? -1 : (int)syscall(SYS_ftruncate, file, length);
}

int rename(const char *from, const char *to) {
    return strikes("rename", to) ? -1 : (int)syscall(SYS_rename, from, to);
}

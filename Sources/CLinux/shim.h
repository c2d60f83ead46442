#pragma once
#include <dirent.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <malloc.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>

// O_PATH is behind _GNU_SOURCE, which a module cannot count on.
static const int linux_path_only = __O_PATH;

// So is O_NOATIME.
static const int linux_no_access_time = __O_NOATIME;

// PTHREAD_MUTEX_ADAPTIVE_NP is behind _GNU_SOURCE too (bits/pthreadtypes, glibc's ABI).
static const int linux_mutex_adaptive = 3;

// syscall() is variadic, which Swift cannot call; glibc has no openat2 at all.
static inline int linux_openat2(int directory, const char *path, uint64_t flags, uint64_t resolve) {
    struct open_how how = {.flags = flags, .resolve = resolve};
    return (int)syscall(SYS_openat2, directory, path, &how, sizeof how);
}

// glibc declares getdents64 behind _GNU_SOURCE, and readdir allocates a stream for every directory.
static inline ssize_t linux_getdents64(int directory, void *buffer, size_t size) {
    return syscall(SYS_getdents64, directory, buffer, size);
}

// open is variadic, which Swift cannot call; its overlay has no openat that creates.
static inline int linux_create_exclusively(int directory, const char *name, mode_t mode) {
    return openat(directory, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
}

/* Writes down every change that a process makes to the files below one folder, and can kill it before any of them.
 *
 * Preloaded (LD_PRELOAD) into a real process: Python, and SQLite's own C code. powercut/log.py reads what it writes,
 * powercut/replay.py builds from it what a disk may hold after a power cut. Nothing happens until powercut_watch().
 *
 * A record holds what a disk would be told: the inode and the bytes, never the file descriptor, so that descriptors
 * may be duplicated, inherited or closed unseen. A change and its record are made under one lock: their order is the
 * same. What cannot be written down (a shared writable mapping, an exchange of names) is recorded as "unsupported",
 * and the reader refuses the log; only SQLite's -shm is let through, which is rebuilt whenever a database is opened.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { CREATE = 1, WRITE, TRUNCATE, SYNC, RENAME, LINK, UNLINK, MKDIR, RMDIR, MARK, UNSUPPORTED };

struct record {
    uint32_t kind, first, second, unused; /* lengths of two names */
    uint64_t inode;
    int64_t offset;
    uint64_t size; /* of the bytes that follow the names */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char root[PATH_MAX];
static size_t root_length;
static int log_fd = -1;
static long count, kill_at;
static int torn;

/* Which file a descriptor is: its inode, 0 if it is none of ours. */
static uint64_t ours(int fd, char *name) {
    char link[64];
    struct stat status;
    if (log_fd < 0 || fd < 0) return 0;
    int error = errno;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, name, PATH_MAX - 1);
    uint64_t inode = 0;
    if (length >= (ssize_t)root_length) {
        name[length] = 0;
        if (!strncmp(name, root, root_length) && (name[root_length] == '/' || !name[root_length]) &&
            !fstat(fd, &status) && (S_ISREG(status.st_mode) || S_ISDIR(status.st_mode)))
            inode = status.st_ino;
    }
    errno = error;
    return inode;
}

/* Whether a name is below the root, and what it is in full; its last part need not exist. */
static int below(int folder, const char *path, char *full) {
    char joined[PATH_MAX], parent[PATH_MAX], *slash;
    if (log_fd < 0 || !path || !*path) return 0;
    int error = errno;
    if (path[0] == '/' || folder == AT_FDCWD)
        snprintf(joined, sizeof joined, "%s", path);
    else
        snprintf(joined, sizeof joined, "/proc/self/fd/%d/%s", folder, path);
    size_t length = strlen(joined);
    while (length > 1 && joined[length - 1] == '/') joined[--length] = 0;
    slash = strrchr(joined, '/');
    const char *last = slash ? slash + 1 : joined;
    char before[PATH_MAX] = ".";
    if (slash) snprintf(before, sizeof before, "%.*s", slash == joined ? 1 : (int)(slash - joined), joined);
    int found = 0;
    if (realpath(before, parent)) {
        int written = snprintf(full, PATH_MAX, "%s/%s", strcmp(parent, "/") ? parent : "", last);
        found = written < PATH_MAX && !strncmp(full, root, root_length) &&
                (full[root_length] == '/' || !full[root_length]);
    }
    errno = error;
    return found;
}

static void record(uint32_t kind, uint64_t inode, int64_t offset, const char *first, const char *second,
                   const void *bytes, size_t size) {
    struct record head = {kind, strlen(first), strlen(second), 0, inode, offset, size};
    struct iovec parts[4] = {{&head, sizeof head},
                             {(void *)first, head.first},
                             {(void *)second, head.second},
                             {(void *)bytes, size}};
    size_t total = sizeof head + head.first + head.second + size;
    int error = errno;
    if (syscall(SYS_writev, log_fd, parts, 4) != (long)total) abort();
    errno = error;
}

/* Called before every change, with the lock held. */
static int due(void) { return ++count == kill_at; }

static void die(void) {
    syscall(SYS_kill, getpid(), SIGKILL);
    for (;;) pause();
}

/* Begin to watch; kill the process before its change number `kill` (0: never), `half` of a write done if asked for. */
void powercut_watch(const char *folder, const char *log, long kill, int half) {
    root_length = snprintf(root, sizeof root, "%s", folder);
    count = 0;
    kill_at = kill;
    torn = half;
    log_fd = syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (log_fd < 0) abort();
}

/* Say in the log where the process is. */
void powercut_mark(const char *what) {
    pthread_mutex_lock(&lock);
    if (log_fd >= 0) record(MARK, 0, count, what, "", "", 0);
    pthread_mutex_unlock(&lock);
}

__attribute__((constructor)) static void begin(void) {
    const char *folder = getenv("POWERCUT_ROOT"), *log = getenv("POWERCUT_LOG"), *kill = getenv("POWERCUT_KILL");
    if (folder && log) powercut_watch(folder, log, kill ? atol(kill) : 0, 0);
}

static int opened(int folder, const char *path, int flags, mode_t mode) {
    char full[PATH_MAX];
    struct stat status;
    if (!(flags & (O_CREAT | O_TRUNC | O_TMPFILE)) || !below(folder, path, full))
        return syscall(SYS_openat, folder, path, flags, mode);
    pthread_mutex_lock(&lock);
    int anonymous = (flags & O_TMPFILE) == O_TMPFILE, error = errno;
    int there = !anonymous && !fstatat(folder, path, &status, 0);
    errno = error;
    int changes = anonymous || !there || (flags & O_TRUNC);
    if (changes && due()) die();
    int fd = syscall(SYS_openat, folder, path, flags, mode);
    if (fd >= 0 && changes && !fstat(fd, &status)) {
        if (anonymous || !there) record(CREATE, status.st_ino, 0, anonymous ? "" : full, "", "", 0);
        if (there) record(TRUNCATE, status.st_ino, 0, full, "", "", 0);
    }
    pthread_mutex_unlock(&lock);
    return fd;
}

#define MODE(flags)                                      \
    mode_t mode = 0;                                     \
    if ((flags) & (O_CREAT | O_TMPFILE)) {               \
        va_list rest;                                    \
        va_start(rest, flags);                           \
        mode = va_arg(rest, mode_t);                     \
        va_end(rest);                                    \
    }
int open(const char *path, int flags, ...) { MODE(flags) return opened(AT_FDCWD, path, flags, mode); }
int open64(const char *path, int flags, ...) { MODE(flags) return opened(AT_FDCWD, path, flags | O_LARGEFILE, mode); }
int openat(int folder, const char *path, int flags, ...) { MODE(flags) return opened(folder, path, flags, mode); }
int openat64(int folder, const char *path, int flags, ...) { MODE(flags) return opened(folder, path, flags, mode); }
int __open_2(const char *path, int flags) { return opened(AT_FDCWD, path, flags, 0); }
int __open64_2(const char *path, int flags) { return opened(AT_FDCWD, path, flags, 0); }
int __openat_2(int folder, const char *path, int flags) { return opened(folder, path, flags, 0); }
int __openat64_2(int folder, const char *path, int flags) { return opened(folder, path, flags, 0); }
int creat(const char *path, mode_t mode) { return opened(AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC, mode); }
int creat64(const char *path, mode_t mode) { return creat(path, mode); }

/* A write of one piece of memory; `at` < 0: where the descriptor stands. */
static ssize_t written(int fd, const void *bytes, size_t size, off_t at) {
    char name[PATH_MAX];
    uint64_t inode = ours(fd, name);
    if (!inode) return at < 0 ? syscall(SYS_write, fd, bytes, size) : syscall(SYS_pwrite64, fd, bytes, size, at);
    pthread_mutex_lock(&lock);
    int last = due();
    if (last && !torn) die();
    if (last) size /= 2;
    ssize_t done = at < 0 ? syscall(SYS_write, fd, bytes, size) : syscall(SYS_pwrite64, fd, bytes, size, at);
    if (last) die();
    if (done > 0) record(WRITE, inode, at < 0 ? lseek(fd, 0, SEEK_CUR) - done : at, name, "", bytes, done);
    pthread_mutex_unlock(&lock);
    return done;
}

/* A write of several: as one, which is what a caller may see anyway. */
static ssize_t gathered(int fd, const struct iovec *parts, int number, off_t at) {
    size_t size = 0;
    for (int part = 0; part < number; part++) size += parts[part].iov_len;
    char *bytes = malloc(size + 1), *next = bytes;
    if (!bytes) abort();
    for (int part = 0; part < number; part++) {
        memcpy(next, parts[part].iov_base, parts[part].iov_len);
        next += parts[part].iov_len;
    }
    ssize_t done = written(fd, bytes, size, at);
    int error = errno;
    free(bytes);
    errno = error;
    return done;
}

ssize_t write(int fd, const void *bytes, size_t size) { return written(fd, bytes, size, -1); }
ssize_t pwrite(int fd, const void *bytes, size_t size, off_t at) { return written(fd, bytes, size, at); }
ssize_t pwrite64(int fd, const void *bytes, size_t size, off64_t at) { return written(fd, bytes, size, at); }
ssize_t writev(int fd, const struct iovec *parts, int number) {
    char name[PATH_MAX];
    return ours(fd, name) ? gathered(fd, parts, number, -1) : syscall(SYS_writev, fd, parts, number);
}
ssize_t pwritev(int fd, const struct iovec *parts, int number, off_t at) { return gathered(fd, parts, number, at); }
ssize_t pwritev64(int fd, const struct iovec *parts, int number, off64_t at) { return gathered(fd, parts, number, at); }
ssize_t pwritev2(int fd, const struct iovec *parts, int number, off_t at, int flags) {
    (void)flags;
    return gathered(fd, parts, number, at);
}

/* Copies inside the kernel: done here by reading and writing, so that the bytes are seen. */
static ssize_t copied(int from, off64_t *from_at, int to, off64_t *to_at, size_t size) {
    static char bytes[1 << 16];
    static pthread_mutex_t one = PTHREAD_MUTEX_INITIALIZER;
    pthread_mutex_lock(&one);
    size_t piece = size < sizeof bytes ? size : sizeof bytes;
    ssize_t got = from_at ? pread64(from, bytes, piece, *from_at) : read(from, bytes, piece);
    ssize_t done = got > 0 ? written(to, bytes, got, to_at ? *to_at : -1) : got;
    if (done > 0 && from_at) *from_at += done;
    if (done > 0 && to_at) *to_at += done;
    pthread_mutex_unlock(&one);
    return done;
}
ssize_t copy_file_range(int from, off64_t *from_at, int to, off64_t *to_at, size_t size, unsigned flags) {
    char name[PATH_MAX];
    if (!ours(to, name)) return syscall(SYS_copy_file_range, from, from_at, to, to_at, size, flags);
    return copied(from, from_at, to, to_at, size);
}
ssize_t sendfile64(int to, int from, off64_t *from_at, size_t size) {
    char name[PATH_MAX];
    if (!ours(to, name)) return syscall(SYS_sendfile, to, from, from_at, size);
    return copied(from, from_at, to, NULL, size);
}
ssize_t sendfile(int to, int from, off_t *from_at, size_t size) { return sendfile64(to, from, from_at, size); }

/* What changes the length of an open file, or makes it durable. */
static int changed(uint32_t kind, int fd, off_t length, long number) {
    char name[PATH_MAX];
    uint64_t inode = ours(fd, name);
    if (!inode) return syscall(number, fd, length);
    pthread_mutex_lock(&lock);
    if (due()) die();
    int done = syscall(number, fd, length);
    if (!done) record(kind, inode, length, name, "", "", 0);
    pthread_mutex_unlock(&lock);
    return done;
}
int ftruncate(int fd, off_t length) { return changed(TRUNCATE, fd, length, SYS_ftruncate); }
int ftruncate64(int fd, off64_t length) { return changed(TRUNCATE, fd, length, SYS_ftruncate); }
int fsync(int fd) { return changed(SYNC, fd, 0, SYS_fsync); }
int fdatasync(int fd) { return changed(SYNC, fd, 0, SYS_fdatasync); }

static int unsupported(int fd, const char *what) {
    char name[PATH_MAX];
    if (!ours(fd, name)) return 0;
    pthread_mutex_lock(&lock);
    record(UNSUPPORTED, 0, 0, what, name, "", 0);
    pthread_mutex_unlock(&lock);
    return 1;
}
int fallocate(int fd, int how, off_t from, off_t size) {
    unsupported(fd, "fallocate");
    return syscall(SYS_fallocate, fd, how, from, size);
}
int fallocate64(int fd, int how, off64_t from, off64_t size) { return fallocate(fd, how, from, size); }
int posix_fallocate(int fd, off_t from, off_t size) { return fallocate(fd, 0, from, size) ? errno : 0; }
int posix_fallocate64(int fd, off64_t from, off64_t size) { return fallocate(fd, 0, from, size) ? errno : 0; }
static void *mapped(void *where, size_t size, int protection, int flags, int fd, off64_t from) {
    char name[PATH_MAX];
    if (log_fd >= 0 && fd >= 0 && (flags & MAP_SHARED) && (protection & PROT_WRITE) && ours(fd, name)) {
        size_t length = strlen(name);
        if (length < 4 || strcmp(name + length - 4, "-shm")) unsupported(fd, "mmap");
    }
    return (void *)syscall(SYS_mmap, where, size, protection, flags, fd, from);
}
void *mmap(void *where, size_t size, int protection, int flags, int fd, off_t from) {
    return mapped(where, size, protection, flags, fd, from);
}
void *mmap64(void *where, size_t size, int protection, int flags, int fd, off64_t from) {
    return mapped(where, size, protection, flags, fd, from);
}

/* Names. A link from /proc/self/fd/N gives an anonymous file its name; the inode says which one it is. */
static int named(uint32_t kind, int from, const char *old, int to, const char *new, int flags) {
    char first[PATH_MAX] = "", second[PATH_MAX] = "";
    struct stat status = {0};
    int descriptor = kind == LINK && !strncmp(old, "/proc/self/fd/", 14);
    int mine = (descriptor || below(from, old, first)) | below(to, new, second);
    long number = kind == RENAME ? SYS_renameat2 : SYS_linkat;
    if (!mine || log_fd < 0 || (descriptor && !*second)) return syscall(number, from, old, to, new, flags);
    pthread_mutex_lock(&lock);
    if (due()) die();
    int done = syscall(number, from, old, to, new, flags);
    if (!done && (!*second || (!*first && !descriptor) || (kind == RENAME && flags & RENAME_EXCHANGE)))
        record(UNSUPPORTED, 0, 0, "a name that enters or leaves the folder, or an exchange", new, "", 0);
    else if (!done && !fstatat(to, new, &status, AT_SYMLINK_NOFOLLOW))
        record(kind, status.st_ino, 0, first, second, "", 0);
    pthread_mutex_unlock(&lock);
    return done;
}
int rename(const char *old, const char *new) { return named(RENAME, AT_FDCWD, old, AT_FDCWD, new, 0); }
int renameat(int from, const char *old, int to, const char *new) { return named(RENAME, from, old, to, new, 0); }
int renameat2(int from, const char *old, int to, const char *new, unsigned flags) {
    return named(RENAME, from, old, to, new, flags);
}
int link(const char *old, const char *new) { return named(LINK, AT_FDCWD, old, AT_FDCWD, new, 0); }
int linkat(int from, const char *old, int to, const char *new, int flags) {
    return named(LINK, from, old, to, new, flags);
}

static int entry(uint32_t kind, int folder, const char *path, mode_t mode) {
    char full[PATH_MAX];
    struct stat status = {0};
    int mine = below(folder, path, full);
    if (mine) pthread_mutex_lock(&lock);
    if (mine && due()) die();
    int done = kind == MKDIR ? syscall(SYS_mkdirat, folder, path, mode)
                             : syscall(SYS_unlinkat, folder, path, kind == RMDIR ? AT_REMOVEDIR : 0);
    if (mine && !done && kind == MKDIR) (void)!fstatat(folder, path, &status, 0);
    if (mine && !done) record(kind, status.st_ino, 0, full, "", "", 0);
    if (mine) pthread_mutex_unlock(&lock);
    return done;
}
int unlink(const char *path) { return entry(UNLINK, AT_FDCWD, path, 0); }
int unlinkat(int folder, const char *path, int flags) {
    return entry(flags & AT_REMOVEDIR ? RMDIR : UNLINK, folder, path, 0);
}
int remove(const char *path) {
    struct stat status;
    return entry(!lstat(path, &status) && S_ISDIR(status.st_mode) ? RMDIR : UNLINK, AT_FDCWD, path, 0);
}
int mkdir(const char *path, mode_t mode) { return entry(MKDIR, AT_FDCWD, path, mode); }
int mkdirat(int folder, const char *path, mode_t mode) { return entry(MKDIR, folder, path, mode); }
int rmdir(const char *path) { return entry(RMDIR, AT_FDCWD, path, 0); }
int symlink(const char *target, const char *path) {
    char full[PATH_MAX];
    if (below(AT_FDCWD, path, full)) {
        pthread_mutex_lock(&lock);
        record(UNSUPPORTED, 0, 0, "symlink", full, "", 0);
        pthread_mutex_unlock(&lock);
    }
    return syscall(SYS_symlinkat, target, AT_FDCWD, path);
}

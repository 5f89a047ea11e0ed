/* Preloaded into a station: makes it possible to lose, after a kill, everything that was not
 * fsynced, as a power cut would.
 *
 * Writes go through to the files, but before each one what it replaces is put into an undo log;
 * fsync and fdatasync only note in the log that the file (or folder) is durable now. After the
 * process was killed, lose_unsynced.py undoes everything that no later fsync covers: content by
 * file, names by folder (a name is durable only once its folder was fsynced, which is stricter than
 * most file systems are).
 *
 * Not seen: writes through stdio (glibc calls itself there) and through shared mappings. The
 * stations use neither for data: SQLite maps only its -shm file, which is made anew after a crash.
 *
 *   LOSE_UNSYNCED_ROOT  absolute folder; what lies elsewhere passes untouched
 *   LOSE_UNSYNCED_SIDE  absolute folder outside of it on the same file system, for the log and for
 *                       replaced files (kept by hard link)
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { chunk_bytes = 1 << 16 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char root[PATH_MAX];
static char side[PATH_MAX];
static int log_fd = -1;
static unsigned long saved_count;

static void* find(void** slot, const char* name) {
    if (*slot == NULL)
        *slot = dlsym(RTLD_NEXT, name);
    return *slot;
}
#define DECLARE(name) static void* real_##name
/* The next definition of the function: that of a sanitizer, or of the C library. */
#define CALL(name) ((__typeof__(&name))find(&real_##name, #name))

DECLARE(open);
DECLARE(open64);
DECLARE(openat);
DECLARE(openat64);
DECLARE(creat);
DECLARE(creat64);
DECLARE(write);
DECLARE(pwrite);
DECLARE(pwrite64);
DECLARE(writev);
DECLARE(pwritev);
DECLARE(ftruncate);
DECLARE(ftruncate64);
DECLARE(truncate);
DECLARE(truncate64);
DECLARE(fallocate);
DECLARE(fallocate64);
DECLARE(posix_fallocate);
DECLARE(posix_fallocate64);
DECLARE(copy_file_range);
DECLARE(sendfile);
DECLARE(sendfile64);
DECLARE(rename);
DECLARE(renameat);
DECLARE(renameat2);
DECLARE(link);
DECLARE(linkat);
DECLARE(unlink);
DECLARE(unlinkat);
DECLARE(remove);
DECLARE(mkdir);
DECLARE(mkdirat);
DECLARE(rmdir);

static void fail(const char* what) {
    dprintf(2, "lose_unsynced: %s: %s\n", what, strerror(errno));
    _exit(99);
}

/* Once, before the first record; with the lock held. */
static int is_on(void) {
    if (log_fd >= 0)
        return 1;
    const char* wanted_root = getenv("LOSE_UNSYNCED_ROOT");
    const char* wanted_side = getenv("LOSE_UNSYNCED_SIDE");
    if (wanted_root == NULL || wanted_side == NULL)
        return 0;
    if (strlen(wanted_root) >= PATH_MAX || strlen(wanted_side) >= PATH_MAX - 32)
        return 0;
    strcpy(root, wanted_root);
    strcpy(side, wanted_side);
    char name[PATH_MAX];
    snprintf(name, sizeof name, "%s/log", side);
    log_fd =
        (int)syscall(SYS_openat, AT_FDCWD, name, O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
    if (log_fd < 0)
        fail(name);
    return 1;
}

/* "op a b c length1 length2\n" payload1 payload2 "\n", in one write: a record is whole or the last
 * one. */
static void record(char op, unsigned long long a, unsigned long long b, unsigned long long c,
                   const void* first, size_t first_bytes, const void* second, size_t second_bytes) {
    char head[128];
    const int head_bytes = snprintf(head, sizeof head, "%c %llu %llu %llu %zu %zu\n", op, a, b, c,
                                    first_bytes, second_bytes);
    struct iovec parts[4] = {{head, (size_t)head_bytes},
                             {(void*)(size_t)first, first_bytes},
                             {(void*)(size_t)second, second_bytes},
                             {(void*)"\n", 1}};
    const size_t whole = (size_t)head_bytes + first_bytes + second_bytes + 1;
    if (syscall(SYS_writev, log_fd, parts, 4) != (long)whole)
        fail("undo log");
}

static void record_path(char op, unsigned long long a, const char* path) {
    record(op, a, 0, 0, path, strlen(path), NULL, 0);
}

static int is_below_root(const char* path) {
    const size_t length = strlen(root);
    return strncmp(path, root, length) == 0 && (path[length] == '/' || path[length] == '\0');
}

/* Absolute path of `path` seen from `folder`, not resolved further. 0 when it is not below the
 * root. */
static int tracked_path(int folder, const char* path, char* absolute) {
    if (!is_on() || path == NULL)
        return 0;
    if (path[0] == '/') {
        if (strlen(path) >= PATH_MAX)
            return 0;
        strcpy(absolute, path);
    } else {
        char base[PATH_MAX];
        if (folder == AT_FDCWD) {
            if (getcwd(base, sizeof base) == NULL)
                return 0;
        } else {
            char link_name[64];
            snprintf(link_name, sizeof link_name, "/proc/self/fd/%d", folder);
            const ssize_t length = readlink(link_name, base, sizeof base - 1);
            if (length < 0)
                return 0;
            base[length] = '\0';
        }
        if (strlen(base) + strlen(path) + 2 > PATH_MAX)
            return 0;
        snprintf(absolute, PATH_MAX, "%s/%s", base, path);
    }
    return is_below_root(absolute);
}

/* Regular file or folder below the root behind a descriptor. */
static int tracked_descriptor(int descriptor, struct stat* status, char* path) {
    if (!is_on() || descriptor == log_fd)
        return 0;
    if (fstat(descriptor, status) != 0)
        return 0;
    if (!S_ISREG(status->st_mode) && !S_ISDIR(status->st_mode))
        return 0;
    char link_name[64];
    snprintf(link_name, sizeof link_name, "/proc/self/fd/%d", descriptor);
    const ssize_t length = readlink(link_name, path, PATH_MAX - 1);
    if (length < 0)
        return 0;
    path[length] = '\0';
    return is_below_root(path);
}

/* Puts what [offset, offset + length) holds now, and the size, into the log. */
static void save_extent(int descriptor, const struct stat* status, off_t offset, off_t length) {
    static char buffer[chunk_bytes];
    const off_t end = offset + length < status->st_size ? offset + length : status->st_size;
    if (end <= offset) {
        record('W', status->st_ino, (unsigned long long)offset, (unsigned long long)status->st_size,
               NULL, 0, NULL, 0);
        return;
    }
    /* Closing any descriptor of a file drops all POSIX locks that the process holds on it, and
     * other programs would take the journal of a running transaction for one that a crash left. So
     * one is opened only beside a descriptor for writing alone: files with locks are open for both.
     */
    const int is_readable = (fcntl(descriptor, F_GETFL) & O_ACCMODE) != O_WRONLY;
    int reader = descriptor;
    if (!is_readable) {
        char name[64];
        snprintf(name, sizeof name, "/proc/self/fd/%d", descriptor);
        reader = (int)syscall(SYS_openat, AT_FDCWD, name, O_RDONLY | O_CLOEXEC, 0);
        if (reader < 0)
            fail("reading what is replaced");
    }
    for (off_t at = offset; at < end;) {
        const size_t wanted = end - at < chunk_bytes ? (size_t)(end - at) : (size_t)chunk_bytes;
        const long got = syscall(SYS_pread64, reader, buffer, wanted, at);
        if (got <= 0)
            break; /* cut off meanwhile by another thread, which has logged it */
        record('W', status->st_ino, (unsigned long long)at, (unsigned long long)status->st_size,
               buffer, (size_t)got, NULL, 0);
        at += got;
    }
    if (!is_readable)
        syscall(SYS_close, reader);
}

static void before_write(int descriptor, off_t offset, off_t length) {
    const int error = errno;
    struct stat status;
    char path[PATH_MAX];
    pthread_mutex_lock(&lock);
    if (tracked_descriptor(descriptor, &status, path) && S_ISREG(status.st_mode)) {
        if (offset < 0) {
            const int flags = fcntl(descriptor, F_GETFL);
            offset = (flags & O_APPEND) != 0 ? status.st_size : lseek(descriptor, 0, SEEK_CUR);
        }
        save_extent(descriptor, &status, offset, length);
    }
    pthread_mutex_unlock(&lock);
    errno = error;
}

static void before_resize(int descriptor, off_t size) {
    struct stat status;
    if (fstat(descriptor, &status) != 0)
        return;
    const off_t from = size < status.st_size ? size : status.st_size;
    before_write(descriptor, from, status.st_size - from);
}

/* Names
 * -------------------------------------------------------------------------------------------- */

static unsigned long save_victim(const char* path, struct stat* status) {
    if (lstat(path, status) != 0 || S_ISDIR(status->st_mode))
        return 0;
    char name[PATH_MAX];
    const unsigned long number = ++saved_count;
    snprintf(name, sizeof name, "%s/saved.%lu", side, number);
    if (syscall(SYS_linkat, AT_FDCWD, path, AT_FDCWD, name, 0) != 0)
        fail("keeping a replaced file");
    return number;
}

static void before_remove(int folder, const char* path) {
    const int error = errno;
    char absolute[PATH_MAX];
    struct stat status;
    pthread_mutex_lock(&lock);
    if (tracked_path(folder, path, absolute)) {
        const unsigned long number = save_victim(absolute, &status);
        if (number != 0)
            record_path('U', number, absolute);
    }
    pthread_mutex_unlock(&lock);
    errno = error;
}

static void before_rename(int from_folder, const char* from, int to_folder, const char* to) {
    const int error = errno;
    char absolute_from[PATH_MAX];
    char absolute_to[PATH_MAX];
    struct stat status;
    struct stat victim;
    pthread_mutex_lock(&lock);
    if (tracked_path(to_folder, to, absolute_to) &&
        tracked_path(from_folder, from, absolute_from) && lstat(absolute_from, &status) == 0) {
        const unsigned long number = save_victim(absolute_to, &victim);
        record('R', number, status.st_ino, 0, absolute_from, strlen(absolute_from), absolute_to,
               strlen(absolute_to));
    }
    pthread_mutex_unlock(&lock);
    errno = error;
}

/* A name that will come into being. */
static void before_create(int folder, const char* path) {
    const int error = errno;
    char absolute[PATH_MAX];
    struct stat status;
    pthread_mutex_lock(&lock);
    if (tracked_path(folder, path, absolute) && lstat(absolute, &status) != 0)
        record_path('C', 0, absolute);
    pthread_mutex_unlock(&lock);
    errno = error;
}

static void before_open(int folder, const char* path, int flags) {
    if ((flags & O_CREAT) != 0)
        before_create(folder, path);
    if ((flags & O_TRUNC) == 0)
        return;
    const int error = errno;
    char absolute[PATH_MAX];
    struct stat status;
    pthread_mutex_lock(&lock);
    if (tracked_path(folder, path, absolute) && stat(absolute, &status) == 0 &&
        S_ISREG(status.st_mode)) {
        const int reader = (int)syscall(SYS_openat, AT_FDCWD, absolute, O_RDONLY | O_CLOEXEC, 0);
        if (reader >= 0) {
            save_extent(reader, &status, 0, status.st_size);
            syscall(SYS_close, reader);
        }
    }
    pthread_mutex_unlock(&lock);
    errno = error;
}

/* Interposed functions
 * ----------------------------------------------------------------------------- */

#define OPEN_MODE(flags, last)                                                                     \
    mode_t mode = 0;                                                                               \
    if (((flags) & (O_CREAT | O_TMPFILE)) != 0) {                                                  \
        va_list list;                                                                              \
        va_start(list, last);                                                                      \
        mode = va_arg(list, mode_t);                                                               \
        va_end(list);                                                                              \
    }

int open(const char* path, int flags, ...) {
    OPEN_MODE(flags, flags)
    before_open(AT_FDCWD, path, flags);
    return CALL(open)(path, flags, mode);
}
int open64(const char* path, int flags, ...) {
    OPEN_MODE(flags, flags)
    before_open(AT_FDCWD, path, flags);
    return CALL(open64)(path, flags, mode);
}
int openat(int folder, const char* path, int flags, ...) {
    OPEN_MODE(flags, flags)
    before_open(folder, path, flags);
    return CALL(openat)(folder, path, flags, mode);
}
int openat64(int folder, const char* path, int flags, ...) {
    OPEN_MODE(flags, flags)
    before_open(folder, path, flags);
    return CALL(openat64)(folder, path, flags, mode);
}
int creat(const char* path, mode_t mode) {
    before_open(AT_FDCWD, path, O_CREAT | O_TRUNC);
    return CALL(creat)(path, mode);
}
int creat64(const char* path, mode_t mode) {
    before_open(AT_FDCWD, path, O_CREAT | O_TRUNC);
    return CALL(creat64)(path, mode);
}

ssize_t write(int descriptor, const void* data, size_t bytes) {
    before_write(descriptor, -1, (off_t)bytes);
    return CALL(write)(descriptor, data, bytes);
}
ssize_t pwrite(int descriptor, const void* data, size_t bytes, off_t offset) {
    before_write(descriptor, offset, (off_t)bytes);
    return CALL(pwrite)(descriptor, data, bytes, offset);
}
ssize_t pwrite64(int descriptor, const void* data, size_t bytes, off64_t offset) {
    before_write(descriptor, offset, (off_t)bytes);
    return CALL(pwrite64)(descriptor, data, bytes, offset);
}

static off_t bytes_of(const struct iovec* parts, int count) {
    off_t bytes = 0;
    for (int i = 0; i < count; ++i)
        bytes += (off_t)parts[i].iov_len;
    return bytes;
}
ssize_t writev(int descriptor, const struct iovec* parts, int count) {
    before_write(descriptor, -1, bytes_of(parts, count));
    return CALL(writev)(descriptor, parts, count);
}
ssize_t pwritev(int descriptor, const struct iovec* parts, int count, off_t offset) {
    before_write(descriptor, offset, bytes_of(parts, count));
    return CALL(pwritev)(descriptor, parts, count, offset);
}

int ftruncate(int descriptor, off_t size) {
    before_resize(descriptor, size);
    return CALL(ftruncate)(descriptor, size);
}
int ftruncate64(int descriptor, off64_t size) {
    before_resize(descriptor, size);
    return CALL(ftruncate64)(descriptor, size);
}

static void before_truncate(const char* path, off_t size) {
    const int descriptor = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
    if (descriptor < 0)
        return;
    before_resize(descriptor, size);
    syscall(SYS_close, descriptor);
}
int truncate(const char* path, off_t size) {
    before_truncate(path, size);
    return CALL(truncate)(path, size);
}
int truncate64(const char* path, off64_t size) {
    before_truncate(path, size);
    return CALL(truncate64)(path, size);
}

int fallocate(int descriptor, int mode, off_t offset, off_t length) {
    before_write(descriptor, offset, length);
    return CALL(fallocate)(descriptor, mode, offset, length);
}
int fallocate64(int descriptor, int mode, off64_t offset, off64_t length) {
    before_write(descriptor, offset, length);
    return CALL(fallocate64)(descriptor, mode, offset, length);
}
int posix_fallocate(int descriptor, off_t offset, off_t length) {
    before_write(descriptor, offset, length);
    return CALL(posix_fallocate)(descriptor, offset, length);
}
int posix_fallocate64(int descriptor, off64_t offset, off64_t length) {
    before_write(descriptor, offset, length);
    return CALL(posix_fallocate64)(descriptor, offset, length);
}

ssize_t copy_file_range(int in, off64_t* in_offset, int out, off64_t* out_offset, size_t bytes,
                        unsigned flags) {
    before_write(out, out_offset != NULL ? *out_offset : -1, (off_t)bytes);
    return CALL(copy_file_range)(in, in_offset, out, out_offset, bytes, flags);
}
ssize_t sendfile(int out, int in, off_t* offset, size_t bytes) {
    before_write(out, -1, (off_t)bytes);
    return CALL(sendfile)(out, in, offset, bytes);
}
ssize_t sendfile64(int out, int in, off64_t* offset, size_t bytes) {
    before_write(out, -1, (off_t)bytes);
    return CALL(sendfile64)(out, in, offset, bytes);
}

int ioctl(int descriptor, unsigned long request, ...) {
    va_list list;
    va_start(list, request);
    void* argument = va_arg(list, void*);
    va_end(list);
    if (request == FICLONE || request == FICLONERANGE)
        before_write(descriptor, 0, LONG_MAX / 2);
    const long result = syscall(SYS_ioctl, descriptor, request, argument);
    return (int)result;
}

int rename(const char* from, const char* to) {
    before_rename(AT_FDCWD, from, AT_FDCWD, to);
    return CALL(rename)(from, to);
}
int renameat(int from_folder, const char* from, int to_folder, const char* to) {
    before_rename(from_folder, from, to_folder, to);
    return CALL(renameat)(from_folder, from, to_folder, to);
}
int renameat2(int from_folder, const char* from, int to_folder, const char* to, unsigned flags) {
    /* RENAME_NOREPLACE fails on a victim and then nothing has changed; the undo sees that by the
     * inode. */
    before_rename(from_folder, from, to_folder, to);
    return CALL(renameat2)(from_folder, from, to_folder, to, flags);
}
int link(const char* from, const char* to) {
    before_create(AT_FDCWD, to);
    return CALL(link)(from, to);
}
int linkat(int from_folder, const char* from, int to_folder, const char* to, int flags) {
    before_create(to_folder, to);
    return CALL(linkat)(from_folder, from, to_folder, to, flags);
}
int unlink(const char* path) {
    before_remove(AT_FDCWD, path);
    return CALL(unlink)(path);
}
int unlinkat(int folder, const char* path, int flags) {
    if ((flags & AT_REMOVEDIR) == 0)
        before_remove(folder, path);
    return CALL(unlinkat)(folder, path, flags);
}
int remove(const char* path) {
    before_remove(AT_FDCWD, path);
    return CALL(remove)(path);
}
int mkdir(const char* path, mode_t mode) {
    before_create(AT_FDCWD, path);
    return CALL(mkdir)(path, mode);
}
int mkdirat(int folder, const char* path, mode_t mode) {
    before_create(folder, path);
    return CALL(mkdirat)(folder, path, mode);
}
int rmdir(const char* path) {
    char absolute[PATH_MAX];
    const int result = CALL(rmdir)(path);
    if (result == 0) {
        pthread_mutex_lock(&lock);
        if (tracked_path(AT_FDCWD, path, absolute))
            record_path('D', 0, absolute);
        pthread_mutex_unlock(&lock);
    }
    return result;
}

static int note_durable(int descriptor) {
    struct stat status;
    char path[PATH_MAX];
    pthread_mutex_lock(&lock);
    const int is_tracked = tracked_descriptor(descriptor, &status, path);
    if (is_tracked && S_ISDIR(status.st_mode))
        record_path('F', 0, path);
    if (is_tracked && S_ISREG(status.st_mode))
        record('S', status.st_ino, 0, 0, NULL, 0, NULL, 0);
    pthread_mutex_unlock(&lock);
    return is_tracked;
}
int fsync(int descriptor) {
    return note_durable(descriptor) ? 0 : (int)syscall(SYS_fsync, descriptor);
}
int fdatasync(int descriptor) {
    return note_durable(descriptor) ? 0 : (int)syscall(SYS_fdatasync, descriptor);
}
static void note_all_durable(void) {
    pthread_mutex_lock(&lock);
    if (is_on())
        record('A', 0, 0, 0, NULL, 0, NULL, 0);
    pthread_mutex_unlock(&lock);
}
int syncfs(int descriptor) {
    (void)descriptor;
    note_all_durable();
    return 0;
}
void sync(void) {
    note_all_durable();
}

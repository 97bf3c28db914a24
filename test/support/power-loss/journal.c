/*
 * Preloaded into a program under test: notes every write, sync, truncation, creation, renaming and removal of files
 * below one folder in a journal, in the order in which they happened, so that a test can work out what a power loss
 * at any moment would have left on the disk (rebuild.ts). Nothing is changed in what the program does.
 *
 * POWER_LOSS_JOURNAL       the journal, appended to
 * POWER_LOSS_ROOT  the folder, as realpath prints it
 *
 * An operation and its entry are made under one lock, so entries of one process have the order of the operations; a
 * process killed between the two loses an operation that nobody had been told of. A sync is noted twice, before and
 * after, and makes durable what stands before its beginning; the lock is free meanwhile. Shared memory of SQLite
 * (-shm) is left out: it is rebuilt after a crash. Not seen: writes through mmap, copy_file_range, sendfile, stdio and
 * io_uring, none of which SQLite or Node's fs use for our files; `unexplained` in rebuild.ts finds such a gap.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

/* Layout of an entry: this head, the path, the data. Kinds and flags are known to format.ts, too. */
enum { OPEN = 1, WRITE, TRUNCATE, SYNC_BEGIN, SYNC_END, UNLINK, RENAME, MKDIR, RMDIR };
enum { CREATED = 1, EMPTIED = 2 };
struct head {
  uint32_t magic, kind;
  uint64_t file; /* inode */
  uint64_t a;    /* offset, size, flags or number of the sync */
  uint32_t path_length, data_length;
};

#define MAGIC 0x4a505457u
#define FDS 65536

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static char root[PATH_MAX];
static size_t root_length;
static int journal = -1;
static uint64_t syncs;
/* Inode of each open file below the root, 0 for all others; the path only for folders, whose syncs are named by it. */
static uint64_t inodes[FDS];
static char *folders[FDS];

#define REAL(name) ((__typeof__(&name))real(#name, &real_##name))
#define DECLARE(name) static void *real_##name
static void *real(const char *name, void **slot) {
  if (!*slot) *slot = dlsym(RTLD_NEXT, name);
  return *slot;
}

DECLARE(open); DECLARE(open64); DECLARE(openat); DECLARE(openat64); DECLARE(close);
DECLARE(write); DECLARE(pwrite); DECLARE(pwrite64); DECLARE(writev); DECLARE(pwritev); DECLARE(pwritev64);
DECLARE(ftruncate); DECLARE(ftruncate64);
DECLARE(fallocate); DECLARE(fallocate64); DECLARE(posix_fallocate); DECLARE(posix_fallocate64);
DECLARE(fsync); DECLARE(fdatasync);
DECLARE(unlink); DECLARE(unlinkat); DECLARE(rename); DECLARE(renameat); DECLARE(renameat2);
DECLARE(mkdir); DECLARE(mkdirat); DECLARE(rmdir);

static void start(void) {
  const char *path = getenv("POWER_LOSS_JOURNAL"), *folder = getenv("POWER_LOSS_ROOT");
  if (!path || !folder || !realpath(folder, root)) return;
  root_length = strlen(root);
  journal = REAL(open)(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
}

static int active(void) {
  pthread_once(&once, start);
  return journal >= 0;
}

static void fatal(void) {
  static const char text[] = "power-loss journal: cannot write the journal\n";
  if (REAL(write)(2, text, sizeof text - 1)) {}
  abort(); /* a journal with a gap would prove anything */
}

/* One system call per entry, so that several processes may share a journal. */
static void note(int kind, uint64_t file, uint64_t a, const char *path, size_t path_length, const struct iovec *data,
                 int count, size_t data_length) {
  struct head head = {MAGIC, (uint32_t)kind, file, a, (uint32_t)path_length, (uint32_t)data_length};
  struct iovec parts[IOV_MAX] = {{&head, sizeof head}, {(void *)path, path_length}};
  size_t left = data_length;
  int used = 2;
  for (int i = 0; i < count && left > 0; i++) {
    if (used == IOV_MAX) fatal();
    parts[used].iov_base = data[i].iov_base;
    parts[used].iov_len = data[i].iov_len < left ? data[i].iov_len : left;
    left -= parts[used++].iov_len;
  }
  if (REAL(writev)(journal, parts, used) != (ssize_t)(sizeof head + path_length + data_length)) fatal();
}

/* Path below the root, or NULL; the root itself is "". The last component may not exist, the folders above it must. */
static const char *below(int at, const char *path, char *buffer) {
  char full[PATH_MAX], parent[PATH_MAX];
  if (!active() || !path || !*path) return NULL;
  int n;
  if (path[0] == '/') n = snprintf(full, sizeof full, "%s", path);
  else {
    char link[64], base[PATH_MAX];
    if (at == AT_FDCWD) {
      if (!getcwd(base, sizeof base)) return NULL;
    } else {
      snprintf(link, sizeof link, "/proc/self/fd/%d", at);
      ssize_t length = readlink(link, base, sizeof base - 1);
      if (length < 0) return NULL;
      base[length] = 0;
    }
    n = snprintf(full, sizeof full, "%s/%s", base, path);
  }
  if (n < 0 || n >= (int)sizeof full) return NULL;
  while (n > 1 && full[n - 1] == '/') full[--n] = 0;
  char *name = strrchr(full, '/');
  if (!name) return NULL;
  if (name == full) snprintf(parent, sizeof parent, "/");
  else {
    *name = 0;
    if (!realpath(full, parent)) return NULL;
  }
  n = snprintf(buffer, PATH_MAX, "%s/%s", strcmp(parent, "/") ? parent : "", name + 1);
  if (n < 0 || n >= PATH_MAX || strncmp(buffer, root, root_length)) return NULL;
  if (buffer[root_length] == 0) return "";
  if (buffer[root_length] != '/') return NULL;
  size_t length = strlen(buffer);
  if (length > 4 && !strcmp(buffer + length - 4, "-shm")) return NULL;
  return buffer + root_length + 1;
}

static int tracked(int fd) { return fd >= 0 && fd < FDS && inodes[fd] != 0; }

static void forget(int fd) {
  if (fd < 0 || fd >= FDS) return;
  inodes[fd] = 0;
  free(folders[fd]);
  folders[fd] = NULL;
}

/* open in all its forms; `call` is the real one. */
typedef int (*open_call)(int at, const char *path, int flags, mode_t mode);

static int note_open(int at, const char *path, int flags, mode_t mode, open_call call) {
  char buffer[PATH_MAX];
  const char *name = below(at, path, buffer);
  if (!name) {
    int fd = call(at, path, flags, mode);
    if (fd >= 0 && active()) forget(fd);
    return fd;
  }
  pthread_mutex_lock(&lock);
  struct stat before, now;
  int existed = fstatat(at, path, &before, 0) == 0;
  int fd = call(at, path, flags, mode), saved = errno;
  if (fd >= 0 && fstat(fd, &now) == 0) {
    forget(fd);
    if (fd < FDS) {
      inodes[fd] = now.st_ino;
      if (S_ISDIR(now.st_mode)) folders[fd] = strdup(name);
    }
    int how = (existed ? 0 : CREATED) | ((flags & O_TRUNC) && (flags & O_ACCMODE) != O_RDONLY ? EMPTIED : 0);
    if (!S_ISDIR(now.st_mode)) note(OPEN, now.st_ino, (uint64_t)how, name, strlen(name), NULL, 0, 0);
  }
  pthread_mutex_unlock(&lock);
  errno = saved;
  return fd;
}

static int call_open(int at, const char *path, int flags, mode_t mode) { (void)at; return REAL(open)(path, flags, mode); }
static int call_open64(int at, const char *path, int flags, mode_t mode) { (void)at; return REAL(open64)(path, flags, mode); }
static int call_openat(int at, const char *path, int flags, mode_t mode) { return REAL(openat)(at, path, flags, mode); }
static int call_openat64(int at, const char *path, int flags, mode_t mode) { return REAL(openat64)(at, path, flags, mode); }

#define MODE(last) \
  mode_t mode = 0; \
  if ((flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE) { \
    va_list list; \
    va_start(list, last); \
    mode = va_arg(list, mode_t); \
    va_end(list); \
  }

int open(const char *path, int flags, ...) { MODE(flags) return note_open(AT_FDCWD, path, flags, mode, call_open); }
int open64(const char *path, int flags, ...) { MODE(flags) return note_open(AT_FDCWD, path, flags, mode, call_open64); }
int openat(int at, const char *path, int flags, ...) { MODE(flags) return note_open(at, path, flags, mode, call_openat); }
int openat64(int at, const char *path, int flags, ...) { MODE(flags) return note_open(at, path, flags, mode, call_openat64); }
int creat(const char *path, mode_t mode) { return note_open(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode, call_open); }

int close(int fd) {
  if (!tracked(fd)) return REAL(close)(fd);
  pthread_mutex_lock(&lock);
  forget(fd);
  int result = REAL(close)(fd);
  pthread_mutex_unlock(&lock);
  return result;
}

/* A write and its entry; `at` < 0 for those that use the file's own position. */
#define WRITES(fd, at, iov, count, call) \
  if (!tracked(fd)) return call; \
  pthread_mutex_lock(&lock); \
  ssize_t written = call; \
  int saved = errno; \
  if (written > 0) { \
    off_t offset = (at) >= 0 ? (off_t)(at) : lseek(fd, 0, SEEK_CUR) - written; \
    note(WRITE, inodes[fd], (uint64_t)offset, NULL, 0, iov, count, (size_t)written); \
  } \
  pthread_mutex_unlock(&lock); \
  errno = saved; \
  return written;

ssize_t write(int fd, const void *data, size_t size) {
  struct iovec one = {(void *)data, size};
  WRITES(fd, -1, &one, 1, REAL(write)(fd, data, size))
}
ssize_t pwrite(int fd, const void *data, size_t size, off_t at) {
  struct iovec one = {(void *)data, size};
  WRITES(fd, at, &one, 1, REAL(pwrite)(fd, data, size, at))
}
ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at) {
  struct iovec one = {(void *)data, size};
  WRITES(fd, at, &one, 1, REAL(pwrite64)(fd, data, size, at))
}
ssize_t writev(int fd, const struct iovec *parts, int count) {
  WRITES(fd, -1, parts, count, REAL(writev)(fd, parts, count))
}
ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t at) {
  WRITES(fd, at, parts, count, REAL(pwritev)(fd, parts, count, at))
}
ssize_t pwritev64(int fd, const struct iovec *parts, int count, off64_t at) {
  WRITES(fd, at, parts, count, REAL(pwritev64)(fd, parts, count, at))
}

/* A call that may change the size: the size that came of it is noted. */
#define RESIZES(fd, ok, call) \
  if (!tracked(fd)) return call; \
  pthread_mutex_lock(&lock); \
  int result = call, saved = errno; \
  struct stat now; \
  if (result == (ok) && fstat(fd, &now) == 0) note(TRUNCATE, inodes[fd], (uint64_t)now.st_size, NULL, 0, NULL, 0, 0); \
  pthread_mutex_unlock(&lock); \
  errno = saved; \
  return result;

int ftruncate(int fd, off_t size) { RESIZES(fd, 0, REAL(ftruncate)(fd, size)) }
int ftruncate64(int fd, off64_t size) { RESIZES(fd, 0, REAL(ftruncate64)(fd, size)) }
int fallocate(int fd, int mode, off_t at, off_t size) { RESIZES(fd, 0, REAL(fallocate)(fd, mode, at, size)) }
int fallocate64(int fd, int mode, off64_t at, off64_t size) { RESIZES(fd, 0, REAL(fallocate64)(fd, mode, at, size)) }
int posix_fallocate(int fd, off_t at, off_t size) { RESIZES(fd, 0, REAL(posix_fallocate)(fd, at, size)) }
int posix_fallocate64(int fd, off64_t at, off64_t size) { RESIZES(fd, 0, REAL(posix_fallocate64)(fd, at, size)) }

static int note_truncate(const char *path, off_t size) {
  int fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return -1;
  int result = ftruncate(fd, size), saved = errno;
  close(fd);
  errno = saved;
  return result;
}
int truncate(const char *path, off_t size) { return note_truncate(path, size); }
int truncate64(const char *path, off64_t size) { return note_truncate(path, size); }

static int note_sync(int fd, int (*call)(int)) {
  if (!tracked(fd)) return call(fd);
  pthread_mutex_lock(&lock);
  uint64_t file = inodes[fd], number = ((uint64_t)getpid() << 32) | ++syncs;
  char *folder = folders[fd] ? strdup(folders[fd]) : NULL;
  size_t length = folder ? strlen(folder) : 0;
  /* A folder is named by its path and inode 0; "." stands for the root, so that no path means a file. */
  const char *path = folder && length == 0 ? "." : folder;
  if (folder && length == 0) length = 1;
  note(SYNC_BEGIN, folder ? 0 : file, number, path, length, NULL, 0, 0);
  pthread_mutex_unlock(&lock);
  int result = call(fd), saved = errno;
  if (result == 0) {
    pthread_mutex_lock(&lock);
    note(SYNC_END, folder ? 0 : file, number, NULL, 0, NULL, 0, 0);
    pthread_mutex_unlock(&lock);
  }
  free(folder);
  errno = saved;
  return result;
}
int fsync(int fd) { return note_sync(fd, REAL(fsync)); }
int fdatasync(int fd) { return note_sync(fd, REAL(fdatasync)); }

#define REMOVES(kind, at, path, call) \
  char buffer[PATH_MAX]; \
  const char *name = below(at, path, buffer); \
  if (!name) return call; \
  pthread_mutex_lock(&lock); \
  int result = call, saved = errno; \
  if (result == 0) note(kind, 0, 0, name, strlen(name), NULL, 0, 0); \
  pthread_mutex_unlock(&lock); \
  errno = saved; \
  return result;

int unlink(const char *path) { REMOVES(UNLINK, AT_FDCWD, path, REAL(unlink)(path)) }
int unlinkat(int at, const char *path, int flags) {
  REMOVES((flags & AT_REMOVEDIR) ? RMDIR : UNLINK, at, path, REAL(unlinkat)(at, path, flags))
}
int rmdir(const char *path) { REMOVES(RMDIR, AT_FDCWD, path, REAL(rmdir)(path)) }
int mkdir(const char *path, mode_t mode) { REMOVES(MKDIR, AT_FDCWD, path, REAL(mkdir)(path, mode)) }
int mkdirat(int at, const char *path, mode_t mode) { REMOVES(MKDIR, at, path, REAL(mkdirat)(at, path, mode)) }

/* Both names in one entry, parted by a zero byte. Files that come from or go outside the folder are not followed. */
#define RENAMES(from_at, from, to_at, to, call) \
  char old_buffer[PATH_MAX], new_buffer[PATH_MAX], both[2 * PATH_MAX]; \
  const char *old_name = below(from_at, from, old_buffer), *new_name = below(to_at, to, new_buffer); \
  if (!old_name || !new_name) return call; \
  size_t old_length = strlen(old_name), new_length = strlen(new_name); \
  memcpy(both, old_name, old_length + 1); \
  memcpy(both + old_length + 1, new_name, new_length); \
  pthread_mutex_lock(&lock); \
  int result = call, saved = errno; \
  if (result == 0) note(RENAME, 0, 0, both, old_length + 1 + new_length, NULL, 0, 0); \
  pthread_mutex_unlock(&lock); \
  errno = saved; \
  return result;

int rename(const char *from, const char *to) { RENAMES(AT_FDCWD, from, AT_FDCWD, to, REAL(rename)(from, to)) }
int renameat(int from_at, const char *from, int to_at, const char *to) {
  RENAMES(from_at, from, to_at, to, REAL(renameat)(from_at, from, to_at, to))
}
int renameat2(int from_at, const char *from, int to_at, const char *to, unsigned flags) {
  RENAMES(from_at, from, to_at, to, REAL(renameat2)(from_at, from, to_at, to, flags))
}

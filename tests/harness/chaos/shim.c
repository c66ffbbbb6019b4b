/* Stands between a node and its C library: shifts clocks, and fails writes and syncs of the disk.
 *
 * Loaded with LD_PRELOAD, so the program under it is the shipped one. Four numbers of 64 bits in
 * the file CHAOS_CONTROL, mapped by both sides, say what is wrong at the moment:
 *   0 nanoseconds added to the wall clock     1 parts in a million by which all clocks run fast
 *   2 the error number of every sync          3 the error number of every write at an offset
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

static volatile int64_t healthy[4];
static volatile int64_t *control = healthy;
static int (*real_clock)(clockid_t, struct timespec *);
static volatile int busy;
static int64_t seen[2], gained[2]; /* by clock: the last true time, and what drift added so far */

__attribute__((constructor)) static void attach(void) {
  real_clock = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
  const char *path = getenv("CHAOS_CONTROL");
  int file = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
  if (file < 0) return;
  void *mapped = mmap(NULL, sizeof healthy, PROT_READ, MAP_SHARED, file, 0);
  if (mapped != MAP_FAILED) control = mapped;
  close(file);
}

int clock_gettime(clockid_t which, struct timespec *time) {
  if (!real_clock)
    real_clock = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
  int answer = real_clock(which, time);
  if (answer != 0 || (which != CLOCK_REALTIME && which != CLOCK_MONOTONIC)) return answer;
  int monotonic = which == CLOCK_MONOTONIC;
  int64_t now = (int64_t)time->tv_sec * 1000000000 + time->tv_nsec;
  while (__atomic_test_and_set(&busy, __ATOMIC_ACQUIRE)) {
  }
  /* Drift only ever adds, so that ending it does not turn the monotonic clock back. */
  if (seen[monotonic] && now > seen[monotonic])
    gained[monotonic] += (now - seen[monotonic]) / 1000 * control[1] / 1000;
  if (now > seen[monotonic]) seen[monotonic] = now;
  now += gained[monotonic];
  __atomic_clear(&busy, __ATOMIC_RELEASE);
  if (which == CLOCK_REALTIME) now += control[0];
  time->tv_sec = now / 1000000000;
  time->tv_nsec = now % 1000000000;
  return 0;
}

static int refused(int place) {
  if (!control[place]) return 0;
  errno = (int)control[place];
  return 1;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

int fsync(int file) { return refused(2) ? -1 : REAL(fsync)(file); }
int fdatasync(int file) { return refused(2) ? -1 : REAL(fdatasync)(file); }
int msync(void *address, size_t length, int flags) {
  return refused(2) ? -1 : REAL(msync)(address, length, flags);
}
ssize_t pwrite(int file, const void *data, size_t length, off_t offset) {
  return refused(3) ? -1 : REAL(pwrite)(file, data, length, offset);
}
ssize_t pwrite64(int file, const void *data, size_t length, off64_t offset) {
  return refused(3) ? -1 : REAL(pwrite64)(file, data, length, offset);
}
ssize_t pwritev(int file, const struct iovec *parts, int count, off_t offset) {
  return refused(3) ? -1 : REAL(pwritev)(file, parts, count, offset);
}
ssize_t pwritev64(int file, const struct iovec *parts, int count, off64_t offset) {
  return refused(3) ? -1 : REAL(pwritev64)(file, parts, count, offset);
}

// A clock that a test moves. Whatever program is started with this before the C library (LD_PRELOAD) sees the machine's
// clock and, added to it, the milliseconds in the file that EDGEKEEPER_TEST_CLOCK names. What measures spans, the
// monotonic clock, stays as it is, so timers and timeouts take as long as ever.
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

// A program may ask for the time before it has an environment, or from several threads at once; mapping twice does no harm.
static int64_t milliseconds_ahead(void) {
  static const int64_t *mapped;
  const int64_t *ahead = __atomic_load_n(&mapped, __ATOMIC_ACQUIRE);
  if (ahead == NULL) {
    const char *path = getenv("EDGEKEEPER_TEST_CLOCK");
    int file = path == NULL ? -1 : open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return 0;
    void *page = mmap(NULL, sizeof *ahead, PROT_READ, MAP_SHARED, file, 0);
    close(file);
    if (page == MAP_FAILED) return 0;
    ahead = page;
    __atomic_store_n(&mapped, ahead, __ATOMIC_RELEASE);
  }
  return __atomic_load_n(ahead, __ATOMIC_RELAXED);
}

int clock_gettime(clockid_t clock, struct timespec *out) {
  // The kernel is asked, not the library's own function: to look that up takes memory, whose allocator may ask for the time.
  if (syscall(SYS_clock_gettime, clock, out) != 0) return -1;
  if (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE) {
    int64_t ahead = milliseconds_ahead();
    out->tv_sec += ahead / 1000;
    out->tv_nsec += ahead % 1000 * 1000000;
    if (out->tv_nsec >= 1000000000) {
      out->tv_sec += 1;
      out->tv_nsec -= 1000000000;
    }
  }
  return 0;
}

int gettimeofday(struct timeval *restrict out, void *restrict zone) {
  (void)zone;
  struct timespec now;
  if (clock_gettime(CLOCK_REALTIME, &now) != 0) return -1;
  out->tv_sec = now.tv_sec;
  out->tv_usec = now.tv_nsec / 1000;
  return 0;
}

time_t time(time_t *out) {
  struct timespec now;
  if (clock_gettime(CLOCK_REALTIME, &now) != 0) return -1;
  if (out != NULL) *out = now.tv_sec;
  return now.tv_sec;
}

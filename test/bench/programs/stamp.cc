// Writes into the file that is its stdout when it ended: CLOCK_MONOTONIC in nanoseconds, 8 bytes, as its last act. It
// waits a little before, so that whoever started it is idle and waits for the end.

#include <stdint.h>
#include <time.h>
#include <unistd.h>

int main() {
  timespec pause = {0, 3'000'000};
  nanosleep(&pause, nullptr);
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  int64_t nanoseconds = now.tv_sec * 1'000'000'000LL + now.tv_nsec;
  bool written = pwrite(1, &nanoseconds, sizeof nanoseconds, 0) == sizeof nanoseconds;
  _exit(written ? 0 : 1);
}

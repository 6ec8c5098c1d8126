#include "spawn.h"

#include <signal.h>
#include <time.h>

#include "plan/syscalls.h"
#include "wait.h"

int64_t monotonic_nanoseconds() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1'000'000'000LL + now.tv_nsec;
}

void Spawn::abandon() {
  parent_ends.clear();
  terminal_master.reset();
  if (denials) denials->close();
  status.reset();
  Fd left = take_pidfd();
  if (!left) return;
  // A child that failed has nothing to wait for, but under PID 1 there may be more than one of them.
  sys::call(SYS_pidfd_send_signal, left.get(), SIGKILL, nullptr, 0);
  reap(left.get(), pid);
}

Spawn::~Spawn() {
  abandon();
}

void Spawn::forget_request() {
  plan = {};
  plan_memory = {};
  helper_plan = {};
}

void Spawn::cancel() {
  cancelled = true;
  int fd = pidfd;
  if (fd >= 0) sys::call(SYS_pidfd_send_signal, fd, SIGKILL, nullptr, 0);
}

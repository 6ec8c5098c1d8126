#include "wait.h"

#include <errno.h>
#include <poll.h>
#include <sys/wait.h>

#include "plan/syscalls.h"

namespace {

constexpr int kPid = 1;    // P_PID
constexpr int kPidfd = 3;  // P_PIDFD

}  // namespace

long wait_process(int pidfd, pid_t pid, int options, siginfo_t* info, rusage* usage) {
  long result;
  do {
    *info = {};
    result = sys::call(SYS_waitid, kPidfd, pidfd, info, options, usage);
    if (result == -EINVAL && pid > 0) result = sys::call(SYS_waitid, kPid, pid, info, options, usage);
  } while (result == -EINTR);
  return result;
}

void reap(int pidfd, pid_t pid) {
  pollfd ended = {pidfd, POLLIN, 0};
  while (::poll(&ended, 1, -1) < 0 && errno == EINTR) {
  }
  siginfo_t info;
  wait_process(pidfd, pid, WEXITED, &info);
}

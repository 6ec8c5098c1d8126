#include "tracee.h"

#include <errno.h>
#include <linux/ptrace.h>
#include <sys/wait.h>

#include "plan/syscalls.h"
#include "wait.h"

namespace {

// Without WNOWAIT the end of the process would be ours to report.
Stop wait_for_stop(int pidfd, pid_t pid) {
  for (;;) {
    siginfo_t info;
    if (long r = wait_process(pidfd, pid, WSTOPPED | WEXITED | WNOWAIT, &info); r < 0) {
      // Reaped already: it has ended.
      return r == -ECHILD ? Stop{} : Stop{0, static_cast<int>(-r)};
    }
    if (info.si_code != CLD_TRAPPED && info.si_code != CLD_STOPPED) return {};
    if (wait_process(pidfd, pid, WSTOPPED | WNOHANG, &info) == 0 && info.si_pid != 0) return {info.si_status & 0x7f, 0};
  }
}

}  // namespace

Tracee::Tracee(pid_t pid, int pidfd)
    : pid_(pid), pidfd_(static_cast<int>(sys::call(SYS_pidfd_open, pid, 0))), first_(wait_for_stop(pidfd, pid)) {
  if (first_.signal != 0) sys::call(SYS_ptrace, PTRACE_SETOPTIONS, pid_, 0, PTRACE_O_EXITKILL);
}

Stop Tracee::wait() const {
  return wait_for_stop(pidfd_.get(), pid_);
}

int Tracee::request(long what, int signal) const {
  return static_cast<int>(-sys::call(SYS_ptrace, what, pid_, 0, signal));
}

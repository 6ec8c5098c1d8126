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
    : pid_(pid),
      pidfd_(new Fd(static_cast<int>(sys::call(SYS_pidfd_open, pid, 0)))),
      first_(wait_for_stop(pidfd, pid)) {
  if (first_.signal != 0) sys::call(SYS_ptrace, PTRACE_SETOPTIONS, pid_, 0, PTRACE_O_EXITKILL);
}

std::shared_ptr<Fd> Tracee::pidfd() {
  std::lock_guard lock(mutex_);
  return pidfd_;
}

void Tracee::forget() {
  std::lock_guard lock(mutex_);
  pidfd_.reset();
}

Stop Tracee::wait() {
  std::shared_ptr<Fd> pidfd = this->pidfd();
  if (!pidfd) return {};
  Stop stop = wait_for_stop(pidfd->get(), pid_);
  if (stop.signal == 0 && stop.error == 0) forget();
  return stop;
}

int Tracee::request(long what, int signal) {
  if (!pidfd()) return ESRCH;
  int error = static_cast<int>(-sys::call(SYS_ptrace, what, pid_, 0, signal));
  if (error == 0 && what == PTRACE_DETACH) forget();
  return error;
}

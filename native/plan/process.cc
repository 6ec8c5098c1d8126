// Steps that shape the process itself: signals, names, working directory, its parent, its timer, and the execve at the
// end.

#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/prctl.h>
#include <linux/ptrace.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "attempt.h"
#include "steps.h"

namespace plan {

namespace {

constexpr int kSignals = 64;
constexpr int kSigchld = 17;
constexpr size_t kKernelSigset = 8;
constexpr int kPathMax = 4096;
constexpr int kTextBusyRetries = 50;
constexpr int kEmptyPath = 0x1000;  // AT_EMPTY_PATH

// The kernel's own; libc's differs.
struct KernelSigaction {
  void* handler;
  unsigned long flags;
  void* restorer;
  uint64_t mask;
};

}  // namespace

// CLONE_CLEAR_SIGHAND resets handlers but leaves ignored signals ignored, and execve would hand that on (Node ignores
// SIGPIPE). Errors are for SIGKILL, SIGSTOP and libc's two only.
Outcome step_handlers(const Step&, Context&) {
  KernelSigaction fresh = {};
  for (int signal = 1; signal <= kSignals; signal++) {
    sys::call(SYS_rt_sigaction, signal, &fresh, nullptr, kKernelSigset);
  }
  return {};
}

Outcome step_hostname(const Step& step, Context&) {
  return attempt(SYS_sethostname, step.text(0), length(step.text(0)));
}

Outcome step_domainname(const Step& step, Context&) {
  return attempt(SYS_setdomainname, step.text(0), length(step.text(0)));
}

Outcome step_loopback(const Step&, Context&) {
  Outcome created = attempt(SYS_socket, AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (!created) return created;
  ScopedFd fd(created.value);
  ifreq request = {};
  request.ifr_name[0] = 'l';
  request.ifr_name[1] = 'o';
  if (Outcome r = attempt(SYS_ioctl, fd.get(), SIOCGIFFLAGS, &request); !r) return r;
  request.ifr_flags = static_cast<short>(request.ifr_flags | IFF_UP);
  return attempt(SYS_ioctl, fd.get(), SIOCSIFFLAGS, &request);
}

Outcome step_umask(const Step& step, Context&) {
  return attempt(SYS_umask, step.number(0));
}

// A working directory that came in through an fd may lie outside the root: getcwd then says "(unreachable)"
// (CVE-2024-21626).
Outcome step_chdir(const Step& step, Context&) {
  if (Outcome r = attempt(SYS_chdir, step.text(0)); !r) return r;
  char path[kPathMax];
  Outcome r = attempt(SYS_getcwd, path, sizeof path);
  if (!r) return r;
  return path[0] == '/' ? r : failure(SYS_getcwd, ENOENT).at(1);
}

// Per thread of the parent, and cleared by a change of credentials, so it comes after those (prctl(2)). The parent may
// have died before: its pidfd tells, where a pid would mean nothing across PID namespaces.
Outcome step_pdeathsig(const Step& step, Context& context) {
  if (context.parent_pidfd < 0) return failure(SYS_pidfd_open, ENOSYS);
  if (Outcome r = attempt(SYS_prctl, PR_SET_PDEATHSIG, step.number(0), 0, 0, 0); !r) return r;
  pollfd parent = {context.parent_pidfd, POLLIN, 0};
  timespec now = {};
  Outcome r = attempt(SYS_ppoll, &parent, 1, &now, nullptr, kKernelSigset);
  if (!r) return r;
  return r.value == 0 ? r : failure(SYS_prctl, ESRCH).at(1);
}

Outcome step_ptrace(const Step&, Context&) {
  return attempt(SYS_ptrace, PTRACE_TRACEME, 0, 0, 0);
}

Outcome step_itimer(const Step& step, Context&) {
  int64_t milliseconds = step.number(0);
  itimerval timer = {};
  timer.it_value.tv_sec = milliseconds / 1000;
  timer.it_value.tv_usec = milliseconds % 1000 * 1000;
  return attempt(SYS_setitimer, ITIMER_REAL, &timer, nullptr);
}

Outcome step_sigmask(const Step&, Context&) {
  uint64_t none = 0;
  return attempt(SYS_rt_sigprocmask, /* SIG_SETMASK */ 2, &none, nullptr, kKernelSigset);
}

// From a sealed memfd, so that nothing inside can rewrite what we execute (CVE-2019-5736).
Outcome step_helper(const Step&, Context& context) {
  char* const environment[] = {nullptr};
  return attempt(SYS_execveat, context.helper_fd, "", context.helper_argv, environment, kEmptyPath);
}

// In the child of a vfork there must be no second one.
Outcome step_fork(const Step& step, Context& context) {
  if (context.fork == nullptr) return failure(SYS_clone, EINVAL);
  return context.fork(context, step.number(0) != 0);
}

// Only a helper outlives what it looks after.
Outcome step_subreaper(const Step& step, Context& context) {
  if (context.own_tree == nullptr) return failure(SYS_prctl, EINVAL);
  return context.own_tree(context, step.number(0));
}

// What an execve would do: our fds are closed. As the PID 1 of its namespace it is left the orphans of others, and the
// kernel reaps those of a process that ignores SIGCHLD (sigaction(2)).
Outcome step_park(const Step&, Context& context) {
  KernelSigaction ignored = {};
  ignored.handler = reinterpret_cast<void*>(1);  // SIG_IGN
  if (Outcome r = attempt(SYS_rt_sigaction, kSigchld, &ignored, nullptr, kKernelSigset); !r) return r;
  for (size_t i = 0; i < context.extra_count; i++) sys::call(SYS_close, context.extra_fds[i]);
  for (int fd : context.helper_fds) sys::call(SYS_close, fd);
  sys::call(SYS_close, context.error_fd);
  uint64_t none = 0;
  while (sys::call(SYS_rt_sigsuspend, &none, kKernelSigset) == -EINTR) {
  }
  return attempt(SYS_exit_group, 127);
}

Outcome step_exit(const Step& step, Context&) {
  return attempt(SYS_exit_group, step.number(0));
}

// Candidates as execvp(3) tries them: a missing one is passed over, a forbidden one remembered. Unlike there, a folder
// of PATH that may not be searched counts as one that lacks the file: nobody looks for a permission when a name is
// misspelt.
Outcome step_exec(const Step& step, Context&) {
  char* const* candidates = step.vector(0);
  bool searched = step.number(3) != 0;
  Outcome forbidden;
  Outcome last = failure(SYS_execve, ENOENT);
  for (int i = 0; candidates[i] != nullptr; i++) {
    // ETXTBSY: somebody between fork and execve still holds the freshly written file open; it passes.
    for (int busy = 0; busy < kTextBusyRetries; busy++) {
      last = attempt(SYS_execve, candidates[i], step.vector(1), step.vector(2)).at(i);
      if (last.error != ETXTBSY) break;
      timespec pause = {0, 1'000'000};
      sys::call(SYS_nanosleep, &pause, nullptr);
    }
    if (last.error == EACCES) {
      bool exists = sys::call(SYS_faccessat, AT_FDCWD, candidates[i], /* F_OK */ 0) == 0;
      if (exists || !searched) forbidden = last;
    } else if (last.error != ENOENT && last.error != ENOTDIR) {
      return last;
    }
  }
  return forbidden ? failure(SYS_execve, last.error == EACCES ? ENOENT : last.error) : forbidden;
}

}  // namespace plan

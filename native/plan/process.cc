// Steps that shape the process itself: signals, session, terminal, fds, limits in time, and the execve at the end.

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
constexpr size_t kKernelSigset = 8;
constexpr int kPathMax = 4096;
constexpr int kTextBusyRetries = 50;
constexpr int kEmptyPath = 0x1000;  // AT_EMPTY_PATH
constexpr uint32_t kIutf8 = 0040000;

// The kernel's struct sigaction and struct termios; libc's differ.
struct KernelSigaction {
  void* handler;
  unsigned long flags;
  void* restorer;
  uint64_t mask;
};

struct KernelTermios {
  uint32_t iflag, oflag, cflag, lflag;
  uint8_t line, control[19];
};

Outcome send_fd(int socket, int fd) {
  char byte = 0;
  iovec data = {&byte, 1};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof fd)] = {};
  msghdr message = {};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof fd);
  *reinterpret_cast<int*>(CMSG_DATA(header)) = fd;
  return attempt(SYS_sendmsg, socket, &message, MSG_NOSIGNAL);
}

/// Copies an fd to the first free number from `minimum` on, close-on-exec.
Outcome move_up(int* fd, size_t minimum) {
  if (*fd < 0 || *fd >= static_cast<int>(minimum)) return {};
  Outcome r = attempt(SYS_fcntl, *fd, F_DUPFD_CLOEXEC, minimum);
  if (r) *fd = static_cast<int>(r.value);
  return r;
}

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

Outcome step_setsid(const Step&, Context&) {
  return attempt(SYS_setsid);
}

Outcome step_setpgid(const Step& step, Context&) {
  return attempt(SYS_setpgid, 0, step.number(0));
}

// Our signals are blocked, so the kernel does not stop us with SIGTTOU for doing this from the background.
Outcome step_foreground(const Step& step, Context&) {
  Outcome group = attempt(SYS_getpgid, 0);
  if (!group) return group;
  int32_t id = static_cast<int32_t>(group.value);
  return attempt(SYS_ioctl, step.number(0), TIOCSPGRP, &id);
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

// The terminal is opened from the devpts of *this* root, so that its name exists inside; its other side goes to the
// parent over a socket. The slave comes by TIOCGPTPEER and not by name (ioctl_tty(2)).
Outcome step_terminal(const Step& step, Context& context) {
  Outcome opened = attempt(SYS_openat, AT_FDCWD, "/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (!opened) return opened;
  ScopedFd master(opened.value);
  int unlocked = 0;
  if (Outcome r = attempt(SYS_ioctl, master.get(), TIOCSPTLCK, &unlocked); !r) return r;
  Outcome slave = attempt(SYS_ioctl, master.get(), TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (!slave) return slave;
  winsize size = {static_cast<uint16_t>(step.number(1)), static_cast<uint16_t>(step.number(0)), 0, 0};
  if (Outcome r = attempt(SYS_ioctl, master.get(), TIOCSWINSZ, &size); !r) return r;
  KernelTermios settings = {};
  if (Outcome r = attempt(SYS_ioctl, slave.value, TCGETS, &settings); !r) return r;
  settings.iflag |= kIutf8;  // erase whole characters, not bytes
  if (Outcome r = attempt(SYS_ioctl, slave.value, TCSETS, &settings); !r) return r;
  for (size_t i = 0; i < 3; i++) context.fds[i] = static_cast<int>(slave.value);
  return send_fd(context.terminal_fd, master.get());
}

// Per thread of the parent, and cleared by a change of credentials, so it comes after those (prctl(2)). The parent may
// have died before: its pidfd tells, where a pid would mean nothing across PID namespaces.
Outcome step_pdeathsig(const Step& step, Context& context) {
  if (Outcome r = attempt(SYS_prctl, PR_SET_PDEATHSIG, step.number(0), 0, 0, 0); !r) return r;
  pollfd parent = {context.parent_pidfd, POLLIN, 0};
  timespec now = {};
  Outcome r = attempt(SYS_ppoll, &parent, 1, &now, nullptr, kKernelSigset);
  if (!r) return r;
  return r.value == 0 ? r : failure(SYS_prctl, ESRCH).at(1);
}

// Two passes, as in Go's forkAndExecInChild: what stands in the way of fd 0..n-1 is moved up first, then everything is
// put in its place. Whatever else is open is closed.
Outcome step_fds(const Step&, Context& context) {
  size_t behind = context.fd_count;
  bool init = context.init_fd >= 0;
  size_t kept = behind + (init ? static_cast<size_t>(InitFd::count) : 0);
  size_t first_free = kept + 2;  // room for our own error pipe and PID 1's executable

  for (size_t i = 0; i < behind; i++) {
    if (Outcome r = move_up(&context.fds[i], first_free); !r) return r.at(static_cast<int>(i));
  }
  if (Outcome r = move_up(&context.error_fd, first_free); !r) return r;
  if (Outcome r = move_up(&context.init_fd, first_free); !r) return r;
  for (int& fd : context.init_fds) {
    if (Outcome r = move_up(&fd, first_free); !r) return r;
  }

  for (size_t i = 0; i < behind; i++) {
    int to = static_cast<int>(i);
    if (context.fds[i] < 0) {
      sys::call(SYS_close, to);  // it may not have been open
    } else if (Outcome r = attempt(SYS_dup3, context.fds[i], to, 0); !r) {
      return r.at(to);
    }
  }
  for (size_t i = behind; i < kept; i++) {
    if (Outcome r = attempt(SYS_dup3, context.init_fds[i - behind], i, 0); !r) return r;
  }
  int error_fd = static_cast<int>(kept);
  if (Outcome r = attempt(SYS_dup3, context.error_fd, error_fd, O_CLOEXEC); !r) return r;
  context.error_fd = error_fd;
  if (init) {
    if (Outcome r = attempt(SYS_dup3, context.init_fd, error_fd + 1, O_CLOEXEC); !r) return r;
    context.init_fd = error_fd + 1;
  } else {
    sys::call(SYS_close, error_fd + 1);
  }
  return attempt(SYS_close_range, first_free, ~0U, 0);
}

Outcome step_notty(const Step&, Context&) {
  return attempt(SYS_ioctl, 0, TIOCNOTTY, 0);
}

Outcome step_ctty(const Step& step, Context&) {
  return attempt(SYS_ioctl, step.number(0), TIOCSCTTY, 0);
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
Outcome step_init(const Step&, Context& context) {
  char* const environment[] = {nullptr};
  return attempt(SYS_execveat, context.init_fd, "", context.init_argv, environment, kEmptyPath);
}

// The error pipe is closed by hand, as no execve will do it.
Outcome step_park(const Step&, Context& context) {
  sys::call(SYS_close, context.error_fd);
  uint64_t none = 0;
  for (;;) sys::call(SYS_rt_sigsuspend, &none, kKernelSigset);
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

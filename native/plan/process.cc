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

// The kernel's own structs; libc's differ.
struct KernelSigaction {
  void* handler;
  unsigned long flags;
  void* restorer;
  uint64_t mask;
};

struct KernelDirent {
  uint64_t inode;
  int64_t offset;
  uint16_t length;
  uint8_t type;
  char name[];
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

/// What becomes fd `i`: the command's own, then the helper's, then the extra ones.
int* kept_fd(Context& context, size_t i) {
  if (i < context.fd_count) return &context.fds[i];
  i -= context.fd_count;
  constexpr size_t helpers = static_cast<size_t>(HelperFd::count);
  return i < helpers ? &context.helper_fds[i] : &context.extra_fds[i - helpers];
}

/// Closes every fd from `first` on. Before Linux 5.9, and under filters that do not know close_range(2), the open ones
/// are read from /proc; counting up to the limit instead could take a thousand million calls.
Outcome close_from(const Context& context, size_t first) {
  Outcome closed = attempt(SYS_close_range, first, ~0U, 0);
  if (closed.error != ENOSYS || context.proc_fd < 0) return closed;
  Outcome folder = attempt(SYS_openat, context.proc_fd, "self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (!folder) return folder;
  alignas(KernelDirent) char entries[1024];
  for (;;) {
    Outcome read = attempt(SYS_getdents64, folder.value, entries, sizeof entries);
    if (!read) return read;
    if (read.value == 0) break;
    for (long at = 0; at < read.value;) {
      auto* entry = reinterpret_cast<KernelDirent*>(entries + at);
      at += entry->length;
      if (entry->name[0] == '.') continue;
      long fd = 0;
      for (const char* digit = entry->name; *digit != 0; digit++) fd = fd * 10 + (*digit - '0');
      if (fd >= static_cast<long>(first) && fd != folder.value) sys::call(SYS_close, fd);
    }
  }
  return attempt(SYS_close, folder.value);
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
Outcome step_foreground(const Step& step, Context& context) {
  auto i = static_cast<size_t>(step.number(0));
  if (i >= context.extra_count) return failure(SYS_ioctl, EBADF);
  Outcome group = attempt(SYS_getpgid, 0);
  if (!group) return group;
  int32_t id = static_cast<int32_t>(group.value);
  return attempt(SYS_ioctl, context.extra_fds[i], TIOCSPGRP, &id);
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
  if (Outcome r = send_fd(context.terminal_fd, master.get()); !r) return r;
  if (context.fork == nullptr) {
    for (size_t i = 0; i < 3; i++) context.fds[i] = static_cast<int>(slave.value);
    return {};
  }
  // In the helper the command's fds are in their places already.
  ScopedFd opened_slave(slave.value);
  for (int i = 0; i < 3; i++) {
    if (Outcome r = attempt(SYS_dup3, opened_slave.get(), i, 0); !r) return r;
  }
  return {};
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

// Two passes, as in Go's forkAndExecInChild: what stands in the way of fd 0..n-1 is moved up first, then everything is
// put in its place. Whatever else is open is closed.
Outcome step_fds(const Step&, Context& context) {
  bool helper = context.helper_fd >= 0;
  size_t behind = context.fd_count;
  size_t extra = behind + (helper ? static_cast<size_t>(HelperFd::count) : 0);
  size_t kept = extra + (helper ? context.extra_count : 0);
  size_t first_free = kept + 2;  // room for our own error pipe and the helper's executable

  for (size_t i = 0; i < kept; i++) {
    if (Outcome r = move_up(kept_fd(context, i), first_free); !r) return r.at(static_cast<int>(i));
  }
  if (Outcome r = move_up(&context.error_fd, first_free); !r) return r;
  if (Outcome r = move_up(&context.helper_fd, first_free); !r) return r;
  if (Outcome r = move_up(&context.proc_fd, first_free); !r) return r;

  for (size_t i = 0; i < kept; i++) {
    int from = *kept_fd(context, i);
    if (from < 0) {
      sys::call(SYS_close, i);  // it may not have been open
    } else if (Outcome r = attempt(SYS_dup3, from, i, 0); !r) {
      return r.at(static_cast<int>(i));
    }
  }
  int error_fd = static_cast<int>(kept);
  if (Outcome r = attempt(SYS_dup3, context.error_fd, error_fd, O_CLOEXEC); !r) return r;
  context.error_fd = error_fd;
  if (helper) {
    if (Outcome r = attempt(SYS_dup3, context.helper_fd, error_fd + 1, O_CLOEXEC); !r) return r;
    context.helper_fd = error_fd + 1;
  } else {
    sys::call(SYS_close, error_fd + 1);
  }
  return close_from(context, first_free);
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
Outcome step_helper(const Step&, Context& context) {
  char* const environment[] = {nullptr};
  return attempt(SYS_execveat, context.helper_fd, "", context.helper_argv, environment, kEmptyPath);
}

// In the child of a vfork there must be no second one.
Outcome step_fork(const Step& step, Context& context) {
  if (context.fork == nullptr) return failure(SYS_clone, EINVAL);
  return context.fork(context, step.number(0) != 0);
}

// The error pipe is closed by hand, as no execve will do it.
Outcome step_park(const Step&, Context& context) {
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

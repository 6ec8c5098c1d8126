// Steps about session, process group and terminal.

#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>

#include "attempt.h"
#include "send_fd.h"
#include "steps.h"

namespace plan {

namespace {

constexpr uint32_t kIutf8 = 0040000;

// The kernel's own; libc's differs.
struct KernelTermios {
  uint32_t iflag, oflag, cflag, lflag;
  uint8_t line, control[19];
};

}  // namespace

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

Outcome step_notty(const Step&, Context&) {
  return attempt(SYS_ioctl, 0, TIOCNOTTY, 0);
}

Outcome step_ctty(const Step& step, Context&) {
  return attempt(SYS_ioctl, step.number(0), TIOCSCTTY, 0);
}

}  // namespace plan

// The helper: a static program without libc, a few kilobytes, executed from a sealed memfd. It runs the rest of a plan
// where a process of its own is needed for that, one that shares no memory with the editor: as the PID 1 of a sandbox,
// as the owner of a tree of processes without a PID namespace, as the one that joins a running sandbox, or as the one
// that only holds namespaces.
//
//   sandbox-init FIRST_FD EXTRA_FDS
//
// FIRST_FD and those behind it are the fds of HelperFd in plan/run.h, then EXTRA_FDS more that steps name.

#include <errno.h>
#include <fcntl.h>
#include <linux/prctl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "../plan/attempt.h"
#include "../plan/run.h"
#include "tree.h"

// The compiler may call these even in a freestanding program.
extern "C" void* memset(void* memory, int byte, size_t size) {
  auto* bytes = static_cast<volatile unsigned char*>(memory);
  for (size_t i = 0; i < size; i++) bytes[i] = static_cast<unsigned char>(byte);
  return memory;
}

extern "C" void* memcpy(void* to, const void* from, size_t size) {
  auto* target = static_cast<volatile unsigned char*>(to);
  auto* source = static_cast<const unsigned char*>(from);
  for (size_t i = 0; i < size; i++) target[i] = source[i];
  return to;
}

namespace {

using plan::attempt;
using plan::HelperFd;
using plan::Outcome;

constexpr size_t kKernelSigset = 8;
constexpr uint64_t kAllSignals = ~uint64_t{0};
constexpr int kFailed = 127;
/// Above those that we were given: what steps have opened.
constexpr int kMaxHelperFds = 64;

[[noreturn]] void leave(int code) {
  for (;;) sys::call(SYS_exit_group, code);
}

int parse_number(const char* text) {
  int value = 0;
  for (; *text >= '0' && *text <= '9'; text++) value = value * 10 + (*text - '0');
  return value;
}

/// Makes an fd of ours close-on-exec: the command must not have it, or its execve would never show, and it could write
/// records of its own. -1 when it is not open, which only some may be.
int adopt(const plan::Context& context, int fd, bool required) {
  Outcome r = attempt(SYS_fcntl, fd, F_SETFD, FD_CLOEXEC);
  if (r) return fd;
  if (r.error == EBADF && !required) return -1;
  plan::fail(context, plan::kHelperItself, r);
}

/// Maps the plan's memory file privately, so that decoding it in place changes nothing outside.
Outcome load_plan(int fd, plan::Plan* loaded) {
  Outcome size = attempt(SYS_lseek, fd, 0, SEEK_END);
  if (!size) return size;
  Outcome memory = attempt(SYS_mmap, nullptr, size.value, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
  if (!memory) return memory;
  auto* block = reinterpret_cast<uint8_t*>(memory.value);
  bool sound = plan::decode(block, static_cast<size_t>(size.value), loaded);
  return sound ? Outcome{} : plan::failure(SYS_mmap, EBADMSG);
}

int64_t microseconds(const timeval& time) {
  return time.tv_sec * 1'000'000 + time.tv_usec;
}

/// Reaps whatever is dead. True once `command` is, with its wait status.
bool reap(long command, int* command_status) {
  bool ended = false;
  for (;;) {
    int status = 0;
    long pid = sys::call(SYS_wait4, -1, &status, WNOHANG, nullptr);
    if (pid <= 0) return ended;
    if (pid == command) {
      *command_status = status;
      ended = true;
    }
  }
}

/// PID 1, or the owner of a tree, ends everything else first, so that the figures are those of the whole sandbox and
/// the status is written when the last process is gone.
[[noreturn]] void finish(const plan::Context& context, bool all, int status_fd, int command_status) {
  if (all) sys::call(SYS_kill, -1, SIGKILL);
  // Not the guard, which goes last.
  while (sys::call(SYS_wait4, -1, nullptr, context.owns_tree ? 0 : __WALL, nullptr) > 0) {
  }
  if (context.owns_tree) tree::dismiss(context);
  rusage usage = {};
  sys::call(SYS_getrusage, RUSAGE_CHILDREN, &usage);
  plan::ExitRecord record = {command_status, 0, microseconds(usage.ru_utime), microseconds(usage.ru_stime),
                             usage.ru_maxrss};
  sys::call(SYS_write, status_fd, &record, sizeof record);
  leave(WIFEXITED(command_status) ? WEXITSTATUS(command_status) : 128 + WTERMSIG(command_status));
}

/// Passes signals on and reaps until the command ends. Who is neither PID 1 nor the owner of a tree must never signal
/// "everybody".
[[noreturn]] void serve(const plan::Context& context, long command, int status_fd) {
  bool all = context.owns_tree || sys::call(SYS_getpid) == 1;
  for (;;) {
    siginfo_t info;
    long signal = sys::call(SYS_rt_sigtimedwait, &kAllSignals, &info, nullptr, kKernelSigset);
    if (signal == -EINTR) continue;
    if (signal < 0) leave(kFailed);  // refused: the kernel, or the guard, ends what is below us
    if (signal == SIGCHLD) {
      int status = 0;
      if (reap(command, &status)) finish(context, all, status_fd, status);
    } else if (signal == plan::kBroadcastSignal && info.si_code == SI_QUEUE) {
      sys::call(SYS_kill, all ? -1 : command, info.si_value.sival_int);
    } else {
      sys::call(SYS_kill, command, signal);
    }
  }
}

/// Step "fork": the child goes on with the plan; we stay as its PID 1, or outside the PID namespace that it is born in.
Outcome fork_command(plan::Context& context, bool keep_terminal) {
  Outcome masked = attempt(SYS_rt_sigprocmask, SIG_SETMASK, &kAllSignals, nullptr, kKernelSigset);
  if (!masked) return masked;
  // For the command's own look at whether its parent is still there.
  Outcome self = attempt(SYS_pidfd_open, sys::call(SYS_getpid), 0);
  if (!self) return self;
  Outcome command = attempt(SYS_clone, SIGCHLD, 0, 0, 0, 0);
  if (!command) return command;
  if (command.value == 0) {
    if (context.parent_pidfd >= 0) sys::call(SYS_close, context.parent_pidfd);
    context.parent_pidfd = static_cast<int>(self.value);
    tree::leave(context);
    return {};
  }
  // Whoever reads the command's output must see its end when the command closes it, not when we do. A terminal is
  // different: programs close theirs on the way out, and were it the last, its hang-up would kill them there by SIGHUP.
  int status_fd = context.helper_fds[static_cast<int>(HelperFd::status)];
  int last = status_fd + kMaxHelperFds;
  for (int fd = keep_terminal ? 1 : 0; fd <= last; fd++) {
    if (fd != status_fd && fd != context.guard_fd) sys::call(SYS_close, fd);
  }
  serve(context, command.value, status_fd);
}

[[noreturn]] void start(long argc, char** argv) {
  if (argc != 3) leave(kFailed);
  int first = parse_number(argv[1]);
  plan::Context context;
  context.fork = fork_command;
  context.own_tree = tree::own;
  context.error_fd = first + static_cast<int>(HelperFd::error);

  // Nothing inside may trace us or read our memory. The command becomes dumpable again by its execve.
  Outcome hidden = attempt(SYS_prctl, PR_SET_DUMPABLE, 0, 0, 0, 0);
  if (!hidden) plan::fail(context, plan::kHelperItself, hidden);

  for (int i = 0; i < static_cast<int>(HelperFd::count); i++) {
    context.helper_fds[i] = adopt(context, first + i, i <= static_cast<int>(HelperFd::plan));
  }
  auto given = [&context](HelperFd which) { return context.helper_fds[static_cast<int>(which)]; };
  context.terminal_fd = given(HelperFd::terminal);
  context.map_fd = given(HelperFd::map);
  context.parent_pidfd = given(HelperFd::parent);
  context.listener_fd = given(HelperFd::listener);
  context.extra_count = static_cast<size_t>(parse_number(argv[2]));
  if (context.extra_count > plan::kMaxExtraFds) plan::fail(context, plan::kHelperItself, plan::failure(0, EINVAL));
  for (size_t i = 0; i < context.extra_count; i++) {
    context.extra_fds[i] = adopt(context, first + static_cast<int>(HelperFd::count) + static_cast<int>(i), false);
  }

  plan::Plan rest;
  if (Outcome r = load_plan(given(HelperFd::plan), &rest); !r) plan::fail(context, plan::kHelperItself, r);
  plan::run(rest, context);
  leave(kFailed);
}

}  // namespace

extern "C" [[noreturn]] __attribute__((used)) void start_from_stack(long* stack) {
  start(stack[0], reinterpret_cast<char**>(stack + 1));
}

#if defined(__x86_64__)
asm(".globl _start\n_start:\n  xor %ebp, %ebp\n  mov %rsp, %rdi\n  and $-16, %rsp\n  call start_from_stack\n");
#elif defined(__aarch64__)
asm(".globl _start\n_start:\n  mov x29, #0\n  mov x30, #0\n  mov x0, sp\n  bl start_from_stack\n");
#endif

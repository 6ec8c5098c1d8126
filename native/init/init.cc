// PID 1 of a sandbox: a static program without libc, a few kilobytes, executed from a sealed memfd. It runs the rest of
// the plan in a child, passes signals on, reaps, and ends with the command, whereupon the kernel kills what is left.
//
//   sandbox-init FIRST_FD MODE      MODE "pid1": as above; "pid1-terminal": as above, and keep fd 0 open;
//                                   "run": run the plan in this very process
//
// FIRST_FD and the two behind it are the error pipe, the status pipe and the encoded plan (InitFd in plan/run.h).

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
using plan::InitFd;
using plan::Outcome;

constexpr size_t kKernelSigset = 8;
constexpr uint64_t kAllSignals = ~uint64_t{0};
constexpr int kFailed = 127;

[[noreturn]] void leave(int code) {
  for (;;) sys::call(SYS_exit_group, code);
}

[[noreturn]] void fail(int error_fd, Outcome outcome) {
  plan::ErrorRecord record = {plan::kHelperItself, outcome.index, outcome.error, outcome.syscall};
  sys::call(SYS_write, error_fd, &record, sizeof record);
  leave(kFailed);
}

int parse_number(const char* text) {
  int value = 0;
  for (; *text >= '0' && *text <= '9'; text++) value = value * 10 + (*text - '0');
  return value;
}

/// Maps the plan's memfd privately, so that decoding it in place changes nothing outside.
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

/// Ends everything else first, so that the figures are those of the whole sandbox and the status is written when the
/// last process is gone.
[[noreturn]] void finish(int status_fd, int command_status) {
  sys::call(SYS_kill, -1, SIGKILL);
  while (sys::call(SYS_wait4, -1, nullptr, __WALL, nullptr) > 0) {
  }
  rusage usage = {};
  sys::call(SYS_getrusage, RUSAGE_CHILDREN, &usage);
  plan::ExitRecord record = {command_status, 0, microseconds(usage.ru_utime), microseconds(usage.ru_stime),
                             usage.ru_maxrss};
  sys::call(SYS_write, status_fd, &record, sizeof record);
  leave(WIFEXITED(command_status) ? WEXITSTATUS(command_status) : 128 + WTERMSIG(command_status));
}

[[noreturn]] void serve(long command, int status_fd) {
  for (;;) {
    siginfo_t info;
    long signal = sys::call(SYS_rt_sigtimedwait, &kAllSignals, &info, nullptr, kKernelSigset);
    if (signal < 0) continue;  // EINTR
    if (signal == SIGCHLD) {
      int status = 0;
      if (reap(command, &status)) finish(status_fd, status);
    } else if (signal == plan::kBroadcastSignal && info.si_code == SI_QUEUE) {
      sys::call(SYS_kill, -1, info.si_value.sival_int);
    } else {
      sys::call(SYS_kill, command, signal);
    }
  }
}

[[noreturn]] void start(long argc, char** argv) {
  if (argc != 3) leave(kFailed);
  int first = parse_number(argv[1]);
  bool pid1 = argv[2][0] == 'p';
  bool terminal = pid1 && argv[2][4] == '-';
  int error_fd = first + static_cast<int>(InitFd::error);
  int status_fd = first + static_cast<int>(InitFd::status);
  int plan_fd = first + static_cast<int>(InitFd::plan);

  // Nothing inside may trace us or read our memory. The command becomes dumpable again by its execve.
  if (Outcome r = attempt(SYS_prctl, PR_SET_DUMPABLE, 0, 0, 0, 0); !r) fail(error_fd, r);

  plan::Plan rest;
  if (Outcome r = load_plan(plan_fd, &rest); !r) fail(error_fd, r);
  // The command must not have them: its execve would never show, and it could write its own records.
  for (int fd = error_fd; fd <= plan_fd; fd++) {
    if (Outcome r = attempt(SYS_fcntl, fd, F_SETFD, FD_CLOEXEC); !r) fail(error_fd, r);
  }
  plan::Context context;
  context.error_fd = error_fd;

  if (!pid1) {
    plan::run(rest, context);
    leave(0);
  }
  // finish() signals everybody it may: that must be a PID namespace of ours and nothing else.
  if (sys::call(SYS_getpid) != 1) fail(error_fd, plan::failure(SYS_getpid, EINVAL));

  Outcome blocked = attempt(SYS_rt_sigprocmask, SIG_SETMASK, &kAllSignals, nullptr, kKernelSigset);
  if (!blocked) fail(error_fd, blocked);
  Outcome command = attempt(SYS_clone, SIGCHLD, 0, 0, 0, 0);
  if (!command) fail(error_fd, command);
  if (command.value == 0) {
    plan::run(rest, context);
    leave(kFailed);
  }
  // Whoever reads the command's output must see its end when the command closes it, not when we do. A terminal is
  // different: programs close theirs on the way out, and were it the last, its hang-up would kill them there by SIGHUP.
  sys::call(SYS_close_range, terminal ? 1 : 0, status_fd - 1, 0);
  sys::call(SYS_close_range, status_fd + 1, ~0U, 0);
  serve(command.value, status_fd);
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

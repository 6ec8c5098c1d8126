#include "clone.h"

#include <errno.h>
#include <linux/sched.h>
#include <signal.h>
#include <sys/mman.h>

#include "plan/syscalls.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#endif

namespace {

constexpr size_t kStackSize = 256 * 1024;

#ifndef CLONE_CLEAR_SIGHAND
constexpr uint64_t CLONE_CLEAR_SIGHAND = 0x100000000ULL;
#endif
#ifndef CLONE_INTO_CGROUP
constexpr uint64_t CLONE_INTO_CGROUP = 0x200000000ULL;
#endif

/// A system call that clones. The child starts on an empty stack, so this cannot be a function that returns there.
/// `main` and `argument` are in registers of our choice: the compiler's could be the frame pointer, which is cleared.
long call_clone(long number, long a, long b, long c, void (*main)(void*), void* argument) {
#if defined(__x86_64__)
  long result;
  register auto* r8 asm("r8") = main;
  register auto* r9 asm("r9") = argument;
  asm volatile(
      "syscall\n"
      "test %%rax, %%rax\n"
      "jnz 1f\n"
      "xor %%ebp, %%ebp\n"
      "mov %[argument], %%rdi\n"
      "call *%[main]\n"
      "mov %[exit], %%eax\n"
      "mov $127, %%edi\n"
      "syscall\n"
      "1:\n"
      : "=a"(result)
      : "a"(number), "D"(a), "S"(b), "d"(c), [main] "r"(r8), [argument] "r"(r9), [exit] "i"(SYS_exit_group)
      : "rcx", "r11", "memory");
  return result;
#elif defined(__aarch64__)
  register long x8 asm("x8") = number;
  register long x0 asm("x0") = a;
  register long x1 asm("x1") = b;
  register long x2 asm("x2") = c;
  register auto* x3 asm("x3") = main;
  register auto* x4 asm("x4") = argument;
  asm volatile(
      "svc #0\n"
      "cbnz x0, 1f\n"
      "mov x29, #0\n"
      "mov x30, #0\n"
      "mov x0, %[argument]\n"
      "blr %[main]\n"
      "mov x0, #127\n"
      "mov x8, %[exit]\n"
      "svc #0\n"
      "1:\n"
      : "+r"(x0)
      : "r"(x8), "r"(x1), "r"(x2), [main] "r"(x3), [argument] "r"(x4), [exit] "i"(SYS_exit_group)
      : "x30", "memory", "cc");
  return x0;
#endif
}

}  // namespace

ChildStack::ChildStack() {
  auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  void* memory =
      mmap(nullptr, kStackSize + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
  if (memory == MAP_FAILED) return;
  if (mprotect(memory, page, PROT_NONE) != 0) {
    munmap(memory, kStackSize + page);
    return;
  }
  memory_ = memory;
  base_ = static_cast<char*>(memory) + page;
  size_ = kStackSize;
}

ChildStack::~ChildStack() {
  if (memory_ == nullptr) return;
  munmap(memory_, size_ + static_cast<size_t>(static_cast<char*>(base_) - static_cast<char*>(memory_)));
}

Cloned clone_child(const CloneRequest& request, const ChildStack& stack, void (*main)(void*), void* argument) {
#if defined(__SANITIZE_ADDRESS__)
  // The child never returns from its frames, and what they have marked as out of bounds would stay marked: for the next
  // child, and for whoever gets this memory when it is given back.
  struct Unmark {
    const ChildStack& stack;
    ~Unmark() { __asan_unpoison_memory_region(stack.base(), stack.size()); }
  } unmark{stack};
#endif
  constexpr uint64_t kOwn = CLONE_VM | CLONE_VFORK | CLONE_PIDFD;
  clone_args arguments = {};
  arguments.flags = request.flags | kOwn | CLONE_CLEAR_SIGHAND;
  arguments.pidfd = reinterpret_cast<uint64_t>(request.pidfd);
  arguments.exit_signal = SIGCHLD;
  arguments.stack = reinterpret_cast<uint64_t>(stack.base());
  arguments.stack_size = stack.size();
  if (request.cgroup_fd >= 0) {
    arguments.flags |= CLONE_INTO_CGROUP;
    arguments.cgroup = static_cast<uint64_t>(request.cgroup_fd);
  }
  auto clone3 = [&] {
    return call_clone(SYS_clone3, reinterpret_cast<long>(&arguments), sizeof arguments, 0, main, argument);
  };
  Cloned cloned = {clone3(), SYS_clone3};
  if (cloned.result == -EINVAL) {
    // CLONE_CLEAR_SIGHAND is Linux 5.5; the child resets its handlers itself too (step "handlers").
    arguments.flags &= ~CLONE_CLEAR_SIGHAND;
    cloned.result = clone3();
  }
  // Before Linux 5.3, and under filters that can't see into clone3's arguments and so refuse it. Only clone3 puts the
  // child into a cgroup before it runs: anything later would let it fork out of reach first.
  if (cloned.result == -ENOSYS && request.cgroup_fd < 0) {
    auto top = reinterpret_cast<long>(static_cast<char*>(stack.base()) + stack.size());
    auto flags = static_cast<long>(request.flags | kOwn | SIGCHLD);
    cloned = {call_clone(SYS_clone, flags, top, reinterpret_cast<long>(request.pidfd), main, argument), SYS_clone};
  }
  return cloned;
}

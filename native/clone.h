// clone3(2), or clone(2), with a stack of the child's own. The child shares our memory (CLONE_VM) and we sleep until it
// has executed something or is gone (CLONE_VFORK): the cost does not grow with the editor's memory, and the OOM killer
// passes a vforking task over.
#pragma once

#include <cstdint>

#include "fd.h"

struct CloneRequest {
  /// Namespace flags; the spawner's own are added.
  uint64_t flags = 0;
  /// cgroup v2 directory to be born in, or -1.
  int cgroup_fd = -1;
  /// Written by the kernel before the child runs.
  int* pidfd = nullptr;
};

/// Memory for the child's stack, with a guard page below it: an overflow there must not reach the editor's memory.
class ChildStack {
 public:
  ChildStack();
  ~ChildStack();
  ChildStack(const ChildStack&) = delete;
  ChildStack& operator=(const ChildStack&) = delete;
  void* base() const { return base_; }
  size_t size() const { return size_; }
  explicit operator bool() const { return memory_ != nullptr; }

 private:
  void* memory_ = nullptr;
  void* base_ = nullptr;
  size_t size_ = 0;
};

/// How a clone went.
struct Cloned {
  /// The child's pid, or minus an errno.
  long result;
  /// Number of the system call that was made: clone3, or clone where there is none.
  long syscall;
};

/// Runs `main(argument)` in a new child and returns once it has executed something or ended.
Cloned clone_child(const CloneRequest& request, const ChildStack& stack, void (*main)(void*), void* argument);

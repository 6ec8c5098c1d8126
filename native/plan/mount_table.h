// Reads /proc/self/mountinfo (proc_pid_mountinfo(5)) line by line through a fixed buffer: the child may not allocate,
// and the table may be long.
#pragma once

#include "attempt.h"
#include "run.h"

namespace plan {

struct MountEntry {
  int id;
  int parent;
  /// What the mount itself has, as mount_setattr(2) attributes; what its file system has does not count.
  int64_t attributes;
  /// Where it is mounted, from this process's root on; "" for the root itself.
  char path[4096];
  size_t size;
  bool too_long;
};

class MountTable {
 public:
  /// @param fd of mountinfo, owned from now on
  explicit MountTable(long fd) : fd_(fd) {}

  /// Reads the next line; value 0 at the end, otherwise 1.
  Outcome next(MountEntry* entry);

 private:
  static constexpr int kEnd = -1;

  int get();
  int skip_field();
  int number();
  int read_path(MountEntry* entry);
  int read_options(MountEntry* entry);

  ScopedFd fd_;
  Outcome error_;
  size_t size_ = 0;
  size_t next_ = 0;
  char buffer_[2048];
};

}  // namespace plan

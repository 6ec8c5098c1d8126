// One system call as an Outcome, with its number kept for the error record. For the files that implement steps.
#pragma once

#include "run.h"
#include "syscalls.h"

namespace plan {

template <typename... Arguments>
Outcome attempt(long number, Arguments... arguments) {
  long result = sys::call(number, arguments...);
  Outcome outcome;
  outcome.syscall = static_cast<int>(number);
  if (result < 0) {
    outcome.error = static_cast<int>(-result);
  } else {
    outcome.value = result;
  }
  return outcome;
}

inline Outcome failure(long number, int error) {
  Outcome outcome;
  outcome.syscall = static_cast<int>(number);
  outcome.error = error;
  return outcome;
}

/// An fd that the child holds for part of a step.
class ScopedFd {
 public:
  explicit ScopedFd(long fd) : fd_(static_cast<int>(fd)) {}
  ~ScopedFd() {
    if (fd_ >= 0) sys::call(SYS_close, fd_);
  }
  ScopedFd(const ScopedFd&) = delete;
  ScopedFd& operator=(const ScopedFd&) = delete;
  int get() const { return fd_; }
  int release() {
    int fd = fd_;
    fd_ = -1;
    return fd;
  }

 private:
  int fd_;
};

inline size_t length(const char* text) {
  size_t n = 0;
  while (text[n] != 0) n++;
  return n;
}

/// Writes a short text to a file of procfs in one write(2), as those files demand.
inline Outcome write_file(const char* path, const char* text) {
  Outcome file = attempt(SYS_openat, /* AT_FDCWD */ -100, path, /* O_WRONLY | O_CLOEXEC */ 02000001);
  if (!file) return file;
  ScopedFd fd(file.value);
  return attempt(SYS_write, fd.get(), text, length(text));
}

}  // namespace plan

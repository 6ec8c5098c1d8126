// A child that is traced (ptrace(2)) by the spawner's thread, the only one that may make requests about it.
#pragma once

#include <sys/types.h>

#include <memory>
#include <mutex>

#include "fd.h"

/// What a tracee did.
struct Stop {
  /// The signal that stopped it; 0 when it has ended instead.
  int signal = 0;
  /// Minus what waitid(2) returned, when that failed.
  int error = 0;
};

class Tracee {
 public:
  /// Waits for the stop at the child's execve, on the tracer's thread. From then on it is killed when that thread ends.
  Tracee(pid_t pid, int pidfd);

  const Stop& first_stop() const { return first_; }

  /// The next stop, on any thread. Blocks; leaves the end of the process to whoever reaps it.
  Stop wait();
  /// PTRACE_CONT or PTRACE_DETACH, on the tracer's thread.
  /// @param signal delivered to the tracee, or 0
  /// @return 0 or an errno
  int request(long what, int signal);
  /// It was reaped, or is no longer traced: nothing is asked of its pid any more.
  void forget();

 private:
  std::shared_ptr<Fd> pidfd();

  pid_t pid_;
  std::mutex mutex_;
  /// Not the one that the event loop polls, which is non-blocking. Given up once the process has ended or is no longer
  /// traced: from then on its pid may be another's.
  std::shared_ptr<Fd> pidfd_;
  Stop first_;
};

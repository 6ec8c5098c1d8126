// Sees the end of a process through its pidfd on the event loop: no SIGCHLD handler, no pid that may have been reused.
#pragma once

#include <napi.h>

#include "fd.h"
#include "js_result.h"
#include "poll_handle.h"

class ExitWatcher : public PollHandle {
 public:
  /// @param callback called once, with an object as reap() describes it
  explicit ExitWatcher(Napi::Function callback);
  /// To be called before it is polled.
  /// @param pid of a child that is ours to reap; 0: the process is left for its parent's wait
  /// @param status read end of PID 1's status pipe, or none
  /// @param started CLOCK_MONOTONIC nanoseconds of the clone, or 0
  void begin(Fd pidfd, pid_t pid = 0, Fd status = Fd(), int64_t started = 0);

  /// The pidfd again, where it could not be polled.
  Fd end() { return give_back(); }

 private:
  void ready() override;
  /// A worker thread may end before its children: somebody must still reap them.
  void abandon() override;
  void reap(JsResult& result);

  Napi::FunctionReference callback_;
  Napi::AsyncContext context_;
  pid_t pid_ = 0;
  Fd status_;
  int64_t started_ = 0;
};

// Sees the end of a process through its pidfd on the event loop: no SIGCHLD handler, no pid that may have been reused.
#pragma once

#include <napi.h>
#include <uv.h>

#include <functional>
#include <set>

#include "fd.h"
#include "js_result.h"

class ExitWatchers;

class ExitWatcher {
 public:
  /// @param status read end of PID 1's status pipe, or none
  /// @param started CLOCK_MONOTONIC nanoseconds of the clone
  ExitWatcher(ExitWatchers& owner, Napi::Function callback, Fd pidfd, Fd status, int64_t started);

  int start(uv_loop_t* loop);
  void close();

 private:
  void exited();
  void reap(JsResult& result);

  ExitWatchers& owner_;
  Napi::FunctionReference callback_;
  Napi::AsyncContext context_;
  Fd pidfd_;
  Fd status_;
  int64_t started_;
  uv_poll_t poll_ = {};
};

/// All watchers of one JavaScript environment. Its loop must not be left with an open handle when it is torn down.
class ExitWatchers {
 public:
  /// Calls `callback` once, with an object as reap() describes it.
  /// @return 0 or an errno
  int watch(Napi::Env env, Napi::Function callback, Fd pidfd, Fd status, int64_t started);

  /// Closes all; `closed` is called once the last one is.
  void shut_down(std::function<void()> closed);

 private:
  friend class ExitWatcher;
  void remove(ExitWatcher* watcher);

  std::set<ExitWatcher*> open_;
  std::function<void()> closed_;
};

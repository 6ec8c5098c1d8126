// Sees the end of a process through its pidfd on the event loop: no SIGCHLD handler, no pid that may have been reused.
#pragma once

#include <napi.h>
#include <uv.h>

#include <set>

#include "fd.h"

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
  Napi::Value reap(Napi::Env env);

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
  explicit ExitWatchers(napi_env env);

  /// Calls `callback` once, with an object as reap() describes it.
  /// @return 0 or an errno
  int watch(Napi::Env env, Napi::Function callback, Fd pidfd, Fd status, int64_t started);

 private:
  friend class ExitWatcher;
  void closed(ExitWatcher* watcher);
  static void shut_down(napi_async_cleanup_hook_handle handle, void* self);

  std::set<ExitWatcher*> open_;
  napi_async_cleanup_hook_handle hook_ = nullptr;
  bool stopping_ = false;
};

// Tells JavaScript on the event loop of what a filter has refused, in sums. The answers are given elsewhere
// (answerer.h).
#pragma once

#include <napi.h>

#include <memory>

#include "denial_source.h"
#include "poll_handle.h"

class DenialListener : public PollHandle {
 public:
  /// @param callback called without arguments when there is something to take(), and not again before that is done
  DenialListener(Napi::Function callback, std::shared_ptr<DenialSource> source);

  /// What was refused since the last time: {syscall, argument, command, count}[].
  Napi::Value take(Napi::Env env);

  /// What is refused from now on fails with ENOSYS, and nobody is told.
  void stop();

  /// Never what keeps an event loop going: the process that it is about does that.
  void unref() { uv_unref(reinterpret_cast<uv_handle_t*>(polled())); }

 private:
  void ready() override;
  void abandon() override { stop(); }
  void closed() override { callback_.Reset(); }

  Napi::FunctionReference callback_;
  Napi::AsyncContext context_;
  std::shared_ptr<DenialSource> source_;
};

// The other side of a filter that tells (seccomp_unotify(2)): every call that it refuses waits here for its errno, and
// JavaScript hears of them in sums. Nothing that is refused is ever let through from here: its arguments may change
// between the look and the act.
#pragma once

#include <linux/seccomp.h>
#include <napi.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "poll_handle.h"

/// The errnos that a filter's refused calls get.
struct Answers {
  int others = 0;
  /// By this machine's number, where it differs.
  std::map<int, int> by_syscall;
};

class DenialListener : public PollHandle {
 public:
  /// @param callback called without arguments when there is something to take(), and not again before that is done
  DenialListener(Napi::Function callback, Fd listener, Answers answers);

  /// What was refused since the last time: {syscall, argument, command, count}[].
  Napi::Value take(Napi::Env env);

  /// Never what keeps an event loop going: the process that it is about does that.
  void unref() { uv_unref(reinterpret_cast<uv_handle_t*>(polled())); }

 private:
  /// A call, with the one argument that says what was wanted of it, where there is one.
  using Key = std::pair<int, uint64_t>;

  struct Denied {
    std::string command;
    uint64_t count = 0;
  };

  void ready() override;
  void closed() override;
  /// @return false when there was none
  bool answer_one();
  void note(const seccomp_notif& call);
  void tell();

  Napi::FunctionReference callback_;
  Napi::AsyncContext context_;
  Answers answers_;
  /// With room for what a newer kernel's structures have more than ours.
  std::vector<uint64_t> call_;
  std::vector<uint64_t> answer_;
  std::map<Key, Denied> denied_;
  bool told_ = false;
};

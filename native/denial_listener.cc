#include "denial_listener.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

#include <algorithm>

#include "js_result.h"
#include "seccomp_filter.h"

namespace {

/// Calls answered before the event loop has its turn again.
constexpr int kMostAtOnce = 32;
/// Different calls that are told apart; a program that tries more than that is told of well enough.
constexpr size_t kMostKeys = 128;

std::vector<uint64_t> room(size_t kernels, size_t ours) {
  return std::vector<uint64_t>(std::max(kernels, ours) / sizeof(uint64_t) + 1);
}

/// proc_pid_comm(5); the process waits for its answer meanwhile.
std::string command_of(uint32_t pid) {
  char path[32];
  snprintf(path, sizeof path, "/proc/%u/comm", pid);
  Fd file(open(path, O_RDONLY | O_CLOEXEC));
  char name[17] = {};
  ssize_t size = file ? read(file.get(), name, sizeof name - 1) : 0;
  return size > 0 ? std::string(name, static_cast<size_t>(size) - 1) : std::string();  // without the line's end
}

/// What was wanted of a call of many faces: a socket's family, an ioctl's request, the flags of a clone.
uint64_t telling_argument(const seccomp_data& call) {
  switch (call.nr) {
    case SYS_socket:
    case SYS_socketpair:
    case SYS_personality:
      return static_cast<uint32_t>(call.args[0]);
    case SYS_clone:
    case SYS_unshare:
      return call.args[0];
    case SYS_ioctl:
      return static_cast<uint32_t>(call.args[1]);
    default:
      return 0;
  }
}

}  // namespace

DenialListener::DenialListener(Napi::Function callback, Fd listener, Answers answers)
    : PollHandle(std::move(listener)),
      callback_(Napi::Persistent(callback)),
      context_(callback.Env(), "sandbox-tasks:denials"),
      answers_(std::move(answers)) {
  seccomp_notif_sizes sizes = {};
  syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &sizes);
  call_ = room(sizes.seccomp_notif, sizeof(seccomp_notif));
  answer_ = room(sizes.seccomp_notif_resp, sizeof(seccomp_notif_resp));
}

void DenialListener::ready() {
  for (int i = 0; i < kMostAtOnce && !closing(); i++) {
    // Asked each time, as the kernel's own wait has no non-blocking form. Whoever wakes us may have been killed since.
    pollfd waiting = {fd(), POLLIN, 0};
    if (::poll(&waiting, 1, 0) <= 0) return tell();
    if ((waiting.revents & POLLIN) == 0) {
      tell();
      return close();  // nobody is left under the filter
    }
    if (!answer_one()) return tell();
  }
  tell();
}

bool DenialListener::answer_one() {
  std::fill(call_.begin(), call_.end(), 0);
  auto* call = reinterpret_cast<seccomp_notif*>(call_.data());
  if (ioctl(fd(), SECCOMP_IOCTL_NOTIF_RECV, call) != 0) return errno == ENOENT || errno == EINTR;
  note(*call);
  std::fill(answer_.begin(), answer_.end(), 0);
  auto* answer = reinterpret_cast<seccomp_notif_resp*>(answer_.data());
  auto special = answers_.by_syscall.find(call->data.nr);
  answer->id = call->id;
  answer->error = -(special == answers_.by_syscall.end() ? answers_.others : special->second);
  ioctl(fd(), SECCOMP_IOCTL_NOTIF_SEND, answer);  // ENOENT: it was killed while it waited
  return true;
}

void DenialListener::note(const seccomp_notif& call) {
  Key key = {call.data.nr, telling_argument(call.data)};
  auto known = denied_.find(key);
  if (known == denied_.end()) {
    if (denied_.size() >= kMostKeys) return;
    known = denied_.emplace(key, Denied{command_of(call.pid), 0}).first;
  }
  known->second.count++;
}

void DenialListener::tell() {
  if (told_ || std::none_of(denied_.begin(), denied_.end(), [](auto& entry) { return entry.second.count > 0; })) return;
  told_ = true;
  Napi::Env env = callback_.Env();
  Napi::HandleScope scope(env);
  napi_value nothing;
  if (napi_get_undefined(env, &nothing) == napi_ok) call_back(env, context_, callback_.Value(), nothing);
}

void DenialListener::closed() {
  callback_.Reset();
}

Napi::Value DenialListener::take(Napi::Env env) {
  told_ = false;
  Napi::Array result = Napi::Array::New(env);
  for (auto& [key, denied] : denied_) {
    if (denied.count == 0) continue;
    Napi::Object entry = Napi::Object::New(env);
    entry["syscall"] = Napi::Number::New(env, key.first);
    entry["argument"] = Napi::Number::New(env, static_cast<double>(key.second));
    entry["command"] = Napi::String::New(env, denied.command);
    entry["count"] = Napi::Number::New(env, static_cast<double>(denied.count));
    result[result.Length()] = entry;
    denied.count = 0;
  }
  return result;
}

#include "exit_watcher.h"

#include <errno.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "plan/run.h"
#include "plan/syscalls.h"
#include "spawner.h"

namespace {

constexpr int kPidfd = 3;  // P_PIDFD

// PIDFD_GET_INFO with PIDFD_INFO_EXIT, Linux 6.15: how a process ended, for those who are not its parent.
struct PidfdInfo {
  uint64_t mask;
  uint64_t cgroup_id;
  uint32_t pid, tgid, ppid, ruid, rgid, euid, egid, suid, sgid, fsuid, fsgid;
  int32_t exit_code;
  uint32_t coredump_mask, reserved;
};
constexpr uint64_t kInfoExit = 1 << 3;
constexpr unsigned long kGetInfo = _IOWR(0xFF, 11, PidfdInfo);

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

/// wait(2)'s status word from waitid(2)'s description.
int wait_status(const siginfo_t& info) {
  if (info.si_code == CLD_EXITED) return (info.si_status & 0xff) << 8;
  return info.si_status | (info.si_code == CLD_DUMPED ? 0x80 : 0);
}

}  // namespace

ExitWatcher::ExitWatcher(ExitWatchers& owner, Napi::Function callback, Fd pidfd, Fd status, int64_t started)
    : owner_(owner),
      callback_(Napi::Persistent(callback)),
      context_(callback.Env(), "sandbox-tasks:exit"),
      pidfd_(std::move(pidfd)),
      status_(std::move(status)),
      started_(started) {}

int ExitWatcher::start(uv_loop_t* loop) {
  int error = uv_poll_init(loop, &poll_, pidfd_.get());
  if (error != 0) return -error;
  poll_.data = this;
  uv_poll_start(&poll_, UV_READABLE,
                [](uv_poll_t* handle, int, int) { static_cast<ExitWatcher*>(handle->data)->exited(); });
  return 0;
}

void ExitWatcher::close() {
  if (uv_is_closing(reinterpret_cast<uv_handle_t*>(&poll_))) return;
  uv_close(reinterpret_cast<uv_handle_t*>(&poll_), [](uv_handle_t* handle) {
    auto* self = static_cast<ExitWatcher*>(handle->data);
    self->owner_.closed(self);
  });
}

void ExitWatcher::exited() {
  Napi::Env env = callback_.Env();
  Napi::HandleScope scope(env);
  uv_poll_stop(&poll_);
  Napi::Value result = reap(env);
  Napi::Function callback = callback_.Value();
  close();
  try {
    callback.MakeCallback(env.Global(), {result}, context_);
  } catch (const Napi::Error& error) {
    napi_fatal_exception(env, error.Value());
  }
}

/// {status (wait(2)), userTime, systemTime (s), maxRss (bytes), wallTime (s)}, or {errno} when the kernel tells nobody
/// but the parent.
Napi::Value ExitWatcher::reap(Napi::Env env) {
  Napi::Object result = Napi::Object::New(env);
  siginfo_t info = {};
  rusage usage = {};
  long r = sys::call(SYS_waitid, kPidfd, pidfd_.get(), &info, WEXITED | WNOHANG, &usage);
  plan::ExitRecord record = {wait_status(info), 0, 0, 0, usage.ru_maxrss};
  double user = seconds(usage.ru_utime);
  double system = seconds(usage.ru_stime);
  if (r == -ECHILD) {
    PidfdInfo asked = {};
    asked.mask = kInfoExit;
    if (ioctl(pidfd_.get(), kGetInfo, &asked) != 0 || (asked.mask & kInfoExit) == 0) {
      result["errno"] = ECHILD;
      return result;
    }
    record.wait_status = asked.exit_code;
  } else if (r < 0) {
    result["errno"] = static_cast<int>(-r);
    return result;
  } else if (status_) {
    // Written before PID 1 ended; missing when PID 1 itself was killed.
    plan::ExitRecord told;
    if (read(status_.get(), &told, sizeof told) == static_cast<ssize_t>(sizeof told)) {
      record.wait_status = told.wait_status;
      record.max_rss_kilobytes = told.max_rss_kilobytes;
    }
  }
  result["status"] = record.wait_status;
  result["userTime"] = user;
  result["systemTime"] = system;
  result["maxRss"] = static_cast<double>(record.max_rss_kilobytes) * 1024;
  result["wallTime"] = started_ == 0 ? 0.0 : static_cast<double>(monotonic_nanoseconds() - started_) / 1e9;
  return result;
}

ExitWatchers::ExitWatchers(napi_env env) {
  napi_add_async_cleanup_hook(env, shut_down, this, &hook_);
}

int ExitWatchers::watch(Napi::Env env, Napi::Function callback, Fd pidfd, Fd status, int64_t started) {
  uv_loop_t* loop = nullptr;
  if (napi_get_uv_event_loop(env, &loop) != napi_ok) return ENOSYS;
  auto watcher = std::make_unique<ExitWatcher>(*this, callback, std::move(pidfd), std::move(status), started);
  int error = watcher->start(loop);
  if (error != 0) return error;
  open_.insert(watcher.release());
  return 0;
}

void ExitWatchers::closed(ExitWatcher* watcher) {
  open_.erase(watcher);
  delete watcher;
  if (stopping_ && open_.empty()) napi_remove_async_cleanup_hook(hook_);
}

void ExitWatchers::shut_down(napi_async_cleanup_hook_handle handle, void* data) {
  auto* self = static_cast<ExitWatchers*>(data);
  self->stopping_ = true;
  if (self->open_.empty()) {
    napi_remove_async_cleanup_hook(handle);
    return;
  }
  for (ExitWatcher* watcher : self->open_) watcher->close();
}

#include "exit_watcher.h"

#include <errno.h>
#include <sys/ioctl.h>
#include <sys/wait.h>

#include "plan/run.h"
#include "spawn.h"
#include "threads.h"
#include "wait.h"

namespace {

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

ExitWatcher::ExitWatcher(Napi::Function callback)
    : callback_(Napi::Persistent(callback)), context_(callback.Env(), "sandbox-tasks:exit") {}

void ExitWatcher::begin(Fd pidfd, pid_t pid, Fd status, int64_t started) {
  take(std::move(pidfd));
  pid_ = pid;
  status_ = std::move(status);
  started_ = started;
}

void ExitWatcher::ready() {
  Napi::Env env = callback_.Env();
  Napi::HandleScope scope(env);
  JsResult result(env);
  reap(result);
  close();
  result.call(callback_.Value(), context_);
}

void ExitWatcher::abandon() {
  Fd left = release();
  if (!left || pid_ == 0) return;
  std::thread reaper;
  // Without a thread it stays a zombie: better than an editor that waits, or ends.
  if (launch(reaper, [left = std::move(left), pid = pid_] { ::reap(left.get(), pid); }) == 0) reaper.detach();
}

/// {status (wait(2)), userTime, systemTime (s), maxRss (bytes), wallTime (s)}, or {errno} when the kernel tells nobody
/// but the parent.
void ExitWatcher::reap(JsResult& result) {
  siginfo_t info;
  rusage usage = {};
  long r = wait_process(fd(), pid_, WEXITED | WNOHANG | (pid_ == 0 ? WNOWAIT : 0), &info, &usage);
  int status = wait_status(info);
  int64_t max_rss = usage.ru_maxrss;
  if (r == -ECHILD) {
    PidfdInfo asked = {};
    asked.mask = kInfoExit;
    if (ioctl(fd(), kGetInfo, &asked) != 0 || (asked.mask & kInfoExit) == 0) {
      result.set("errno", ECHILD);
      return;
    }
    status = asked.exit_code;
  } else if (r < 0) {
    result.set("errno", static_cast<double>(-r));
    return;
  } else if (status_) {
    // Written before PID 1 ended; missing when PID 1 itself was killed.
    plan::ExitRecord record;
    if (read(status_.get(), &record, sizeof record) == static_cast<ssize_t>(sizeof record)) {
      status = record.wait_status;
      max_rss = record.max_rss_kilobytes;
    }
  }
  result.set("status", status);
  result.set("userTime", seconds(usage.ru_utime));
  result.set("systemTime", seconds(usage.ru_stime));
  result.set("maxRss", static_cast<double>(max_rss) * 1024);
  result.set("wallTime", started_ == 0 ? 0.0 : static_cast<double>(monotonic_nanoseconds() - started_) / 1e9);
}

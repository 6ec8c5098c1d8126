// The step that installs the system call filter, the last one before the command.

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>

#include "attempt.h"
#include "send_fd.h"
#include "steps.h"

namespace plan {

namespace {

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
constexpr uint64_t SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV = 1 << 5;
#endif

Outcome install(Bytes program, uint64_t flags) {
  sock_fprog filter = {};
  filter.len = static_cast<unsigned short>(program.size / sizeof(sock_filter));
  filter.filter = reinterpret_cast<sock_filter*>(const_cast<uint8_t*>(program.data));
  return attempt(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &filter);
}

}  // namespace

// The two programs refuse the same; of the first one's refusals somebody is told. There can be one such filter around a
// process (EBUSY: we are in somebody's sandbox that has it), and since Linux 5.0 (EINVAL): then the wall is the same
// and nobody is told.
Outcome step_seccomp(const Step& step, Context& context) {
  Bytes telling = step.bytes(0);
  auto flags = static_cast<uint64_t>(step.number(2));
  if (telling.size > 0 && context.listener_fd >= 0) {
    // So that a signal does not take a call back that is being answered: Linux 5.19.
    constexpr uint64_t kKillable = SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
    Outcome listener = install(telling, flags | kKillable);
    if (listener.error == EINVAL) listener = install(telling, flags | SECCOMP_FILTER_FLAG_NEW_LISTENER);
    if (listener) {
      ScopedFd fd(listener.value);
      return send_fd(context.listener_fd, fd.get());
    }
    if (listener.error != EBUSY && listener.error != EINVAL) return listener;
  }
  return install(step.bytes(1), flags);
}

}  // namespace plan

// Steps that decide who the child is: id maps, users and groups, capabilities, privileges, limits.

#include <errno.h>
#include <linux/capability.h>
#include <linux/keyctl.h>
#include <linux/prctl.h>
#include <poll.h>
#include <sys/types.h>

#include "attempt.h"
#include "steps.h"

namespace plan {

namespace {

constexpr int kLastCapability = 63;

uint32_t low(int64_t set) {
  return static_cast<uint32_t>(set);
}
uint32_t high(int64_t set) {
  return static_cast<uint32_t>(set >> 32);
}

}  // namespace

// setgroups first: an unprivileged gid_map is refused until it says "deny" (user_namespaces(7), CVE-2014-8989).
Outcome step_map_self(const Step& step, Context&) {
  if (step.text(0)[0] != 0) {
    if (Outcome r = write_file("/proc/self/setgroups", step.text(0)); !r) return r.at(0);
  }
  if (Outcome r = write_file("/proc/self/uid_map", step.text(1)); !r) return r.at(1);
  return write_file("/proc/self/gid_map", step.text(2)).at(2);
}

Outcome step_map_wait(const Step&, Context& context) {
  char ready = 1;
  if (Outcome r = attempt(SYS_write, context.map_fd, &ready, sizeof ready); !r) return r;
  // Not read(2) alone: we hold a copy of the other end ourselves, so an editor that dies now would never show as EOF.
  pollfd sources[] = {{context.map_fd, POLLIN, 0}, {context.parent_pidfd, POLLIN, 0}};
  if (Outcome r = attempt(SYS_ppoll, sources, 2, nullptr, nullptr, 0); !r) return r;
  if (sources[0].revents == 0) return failure(SYS_ppoll, ESRCH);
  MapRecord record;
  Outcome r = attempt(SYS_read, context.map_fd, &record, sizeof record);
  if (!r) return r;
  if (r.value != sizeof record) return failure(SYS_read, EPIPE);
  return record.error == 0 ? r : failure(record.syscall, record.error).at(record.index);
}

// Only ever run by the helper, which shares no memory with the editor: whoever lives in the namespaces that are joined
// may get to see it (CVE-2016-9962).
Outcome step_setns(const Step& step, Context& context) {
  auto i = static_cast<size_t>(step.number(0));
  if (i >= context.extra_count) return failure(SYS_setns, EBADF);
  return attempt(SYS_setns, context.extra_fds[i], step.number(1));
}

Outcome step_unshare(const Step& step, Context&) {
  return attempt(SYS_unshare, step.number(0));
}

// Only before the first process enters the new time namespace (time_namespaces(7)): the execve or fork below.
Outcome step_time_offset(const Step& step, Context&) {
  return write_file("/proc/self/timens_offsets", step.text(0));
}

Outcome step_rlimit(const Step& step, Context&) {
  uint64_t limit[2] = {static_cast<uint64_t>(step.number(1)), static_cast<uint64_t>(step.number(2))};
  return attempt(SYS_prlimit64, 0, step.number(0), limit, nullptr);
}

// Somebody may have lowered the hard limit since the plan was made (prlimit(1)): then that is the soft one too.
Outcome step_soft_limit(const Step& step, Context&) {
  uint64_t limit[2] = {};
  if (Outcome r = attempt(SYS_prlimit64, 0, step.number(0), nullptr, limit); !r) return r;
  auto wanted = static_cast<uint64_t>(step.number(1));
  limit[0] = wanted < limit[1] ? wanted : limit[1];
  return attempt(SYS_prlimit64, 0, step.number(0), limit, nullptr);
}

Outcome step_oom_score_adj(const Step& step, Context&) {
  return write_file("/proc/self/oom_score_adj", step.text(0));
}

// A new, empty session keyring, so that nobody's keys are reachable from inside (keyctl(2)).
Outcome step_keyring(const Step&, Context&) {
  return attempt(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, nullptr);
}

// Before the change of user: dropping from the bounding set needs CAP_SETPCAP in the effective set.
Outcome step_bounding(const Step& step, Context&) {
  for (int capability = 0; capability <= kLastCapability; capability++) {
    if (static_cast<uint64_t>(step.number(0)) >> capability & 1) continue;
    Outcome r = attempt(SYS_prctl, PR_CAPBSET_DROP, capability, 0, 0, 0);
    if (r.error == EINVAL) break;  // beyond the kernel's last capability
    if (!r) return r.at(capability);
  }
  return {};
}

// Permitted capabilities survive the change from uid 0; cleared again by execve (capabilities(7)).
Outcome step_keep_caps(const Step&, Context&) {
  return attempt(SYS_prctl, PR_SET_KEEPCAPS, 1, 0, 0, 0);
}

Outcome step_groups(const Step& step, Context&) {
  Bytes groups = step.bytes(0);
  return attempt(SYS_setgroups, groups.size / sizeof(gid_t), groups.data);
}

Outcome step_gid(const Step& step, Context&) {
  return attempt(SYS_setresgid, step.number(0), step.number(0), step.number(0));
}

Outcome step_uid(const Step& step, Context&) {
  return attempt(SYS_setresuid, step.number(0), step.number(0), step.number(0));
}

Outcome step_capabilities(const Step& step, Context&) {
  __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  int64_t effective = step.number(0);
  int64_t permitted = step.number(1);
  int64_t inheritable = step.number(2);
  __user_cap_data_struct data[2] = {{low(effective), low(permitted), low(inheritable)},
                                    {high(effective), high(permitted), high(inheritable)}};
  if (Outcome r = attempt(SYS_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0); !r) return r;
  return attempt(SYS_capset, &header, data);
}

// An ambient capability must be permitted and inheritable as well (capabilities(7)).
Outcome step_ambient(const Step& step, Context&) {
  int64_t raised = step.number(0);
  __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2] = {};
  if (Outcome r = attempt(SYS_capget, &header, data); !r) return r;
  data[0].permitted |= low(raised);
  data[0].inheritable |= low(raised);
  data[1].permitted |= high(raised);
  data[1].inheritable |= high(raised);
  if (Outcome r = attempt(SYS_capset, &header, data); !r) return r;
  for (int capability = 0; capability <= kLastCapability; capability++) {
    if ((raised >> capability & 1) == 0) continue;
    Outcome r = attempt(SYS_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0);
    if (!r) return r.at(capability);
  }
  return {};
}

Outcome step_no_new_privs(const Step&, Context&) {
  return attempt(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

}  // namespace plan

// Steps that restrict the child by Landlock (landlock(7)): a ruleset, its rules, and the restriction itself. The rights
// are numbers from TypeScript (src/spawner/landlock.ts): the kernel's header may be older than the kernel.

#include <errno.h>

#include "attempt.h"
#include "lookup.h"
#include "steps.h"

namespace plan {

namespace {

/// struct landlock_ruleset_attr of ABI 6. A kernel that knows less takes it as long as what it does not know is zero.
struct RulesetAttributes {
  uint64_t handled_access_fs;
  uint64_t handled_access_net;
  uint64_t scoped;
};

struct [[gnu::packed]] PathBeneath {
  uint64_t allowed_access;
  int32_t parent_fd;
};

struct NetPort {
  uint64_t allowed_access;
  uint64_t port;
};

constexpr int kRulePathBeneath = 1;
constexpr int kRuleNetPort = 2;

/// What a file can be given: execute, write_file, read_file, truncate, ioctl_dev, resolve_unix. The others are about
/// what is in a directory, and EINVAL for a file.
constexpr uint64_t kFileRights = 1U << 0 | 1U << 1 | 1U << 2 | 1U << 14 | 1U << 15 | 1U << 16;

}  // namespace

Outcome step_landlock_ruleset(const Step& step, Context& context) {
  RulesetAttributes attributes = {step.arguments[0], step.arguments[1], step.arguments[2]};
  Outcome r = attempt(SYS_landlock_create_ruleset, &attributes, sizeof attributes, 0);
  if (r) context.landlock_fd = static_cast<int>(r.value);
  return r;
}

// The path is looked up in the child's own root, and only looked at: O_PATH opens no device and asks for no permission.
Outcome step_landlock_path(const Step& step, Context& context) {
  int64_t flags = step.number(2);
  Outcome opened = open_here(context, step.text(0), flags);
  if (!opened) {
    bool skipped = (flags & kMountOptional) != 0 && (opened.error == ENOENT || opened.error == EACCES);
    return skipped ? Outcome{} : opened;
  }
  ScopedFd fd(opened.value);
  Kind kind = Kind::file;
  if (Outcome r = kind_of(fd.get(), &kind); !r) return r;
  PathBeneath rule = {step.arguments[1], fd.get()};
  if (kind == Kind::file) rule.allowed_access &= kFileRights;
  if (rule.allowed_access == 0) return {};  // nothing that a file could be given: no rule, and so no right
  return attempt(SYS_landlock_add_rule, context.landlock_fd, kRulePathBeneath, &rule, 0);
}

// By its fd: its path, /dev/pts/N, is another terminal's as soon as it is closed. The rule is about this very one.
Outcome step_landlock_terminal(const Step& step, Context& context) {
  // In the helper the command's fds are in their places already.
  PathBeneath rule = {step.arguments[0] & kFileRights, context.fork == nullptr ? context.fds[0] : 0};
  return attempt(SYS_landlock_add_rule, context.landlock_fd, kRulePathBeneath, &rule, 0);
}

Outcome step_landlock_port(const Step& step, Context& context) {
  NetPort rule = {step.arguments[1], step.arguments[0]};
  return attempt(SYS_landlock_add_rule, context.landlock_fd, kRuleNetPort, &rule, 0);
}

Outcome step_landlock_restrict(const Step& step, Context& context) {
  ScopedFd ruleset(context.landlock_fd);
  context.landlock_fd = -1;
  return attempt(SYS_landlock_restrict_self, ruleset.get(), step.number(0));
}

}  // namespace plan

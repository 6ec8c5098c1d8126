#include "tree.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/prctl.h>
#include <signal.h>
#include <sys/wait.h>

#include "../plan/attempt.h"

namespace tree {

namespace {

using plan::attempt;
using plan::Outcome;

constexpr uint64_t kAllSignals = ~uint64_t{0};
constexpr size_t kKernelSigset = 8;
constexpr uint64_t kScopeSignal = 1U << 1;
/// Beyond every fd that we were given.
constexpr unsigned kManyFds = 1024;

/// struct landlock_ruleset_attr of ABI 6.
struct RulesetAttributes {
  uint64_t handled_access_fs, handled_access_net, scoped;
};

/// What we can't signal can't be signalled by mistake: were the scope not in force, kill(-1) would be everybody's end.
Outcome expect_out_of_reach(long pid) {
  Outcome r = attempt(SYS_kill, pid, 0);
  if (r.error == EPERM || r.error == ESRCH) return {};
  return plan::failure(SYS_landlock_restrict_self, EOPNOTSUPP);
}

/// Only where the pipe ends without a word is anything left to do.
[[noreturn]] void guard(int words) {
  for (unsigned fd = 0; fd < kManyFds; fd++) {
    if (fd != static_cast<unsigned>(words)) sys::call(SYS_close, fd);
  }
  char word = 0;
  long n;
  do {
    n = sys::call(SYS_read, words, &word, sizeof word);
  } while (n == -EINTR);
  if (n != sizeof word) sys::call(SYS_kill, -1, SIGKILL);
  for (;;) sys::call(SYS_exit_group, 0);
}

}  // namespace

Outcome own(plan::Context& context, int64_t flags) {
  Outcome r = attempt(SYS_rt_sigprocmask, SIG_SETMASK, &kAllSignals, nullptr, kKernelSigset);
  if (!r) return r;
  if (r = attempt(SYS_prctl, PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); !r) return r;
  RulesetAttributes attributes = {0, 0, kScopeSignal};
  Outcome made = attempt(SYS_landlock_create_ruleset, &attributes, sizeof attributes, 0);
  if (!made) return made;
  plan::ScopedFd ruleset(made.value);
  if (r = attempt(SYS_landlock_restrict_self, ruleset.get(), flags); !r) return r;
  if (r = expect_out_of_reach(sys::call(SYS_getppid)); !r) return r;

  int words[2] = {-1, -1};
  if (r = attempt(SYS_pipe2, words, O_CLOEXEC); !r) return r;
  plan::ScopedFd read_end(words[0]);
  // Without a signal at its end: wait4(2) passes over such a child, so that "no child left" means the command's tree.
  Outcome guarding = attempt(SYS_clone, 0, 0, 0, 0, 0);
  if (!guarding) return guarding;
  if (guarding.value == 0) guard(words[0]);
  context.guard_pid = static_cast<int>(guarding.value);
  context.guard_fd = words[1];
  if (r = attempt(SYS_landlock_restrict_self, ruleset.get(), flags); !r) return r;
  if (r = expect_out_of_reach(guarding.value); !r) return r;
  context.owns_tree = true;
  return {};
}

void leave(plan::Context& context) {
  if (!context.owns_tree) return;
  sys::call(SYS_close, context.guard_fd);
  context.guard_fd = -1;
  context.owns_tree = false;
}

void dismiss(const plan::Context& context) {
  char word = 1;
  sys::call(SYS_write, context.guard_fd, &word, sizeof word);
  // Were it gone, the pipe's SIGPIPE is blocked like every other signal.
  while (sys::call(SYS_wait4, context.guard_pid, nullptr, __WALL, nullptr) == -EINTR) {
  }
}

}  // namespace tree

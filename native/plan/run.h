// Runs a plan in the child: between clone and execve, on memory that belongs to the editor, or under PID 1. Raw system
// calls only; nothing is allocated, locked or buffered. The first step that fails ends the child.
#pragma once

#include <cstddef>
#include <cstdint>

#include "plan.h"

namespace plan {

/// What a failed child writes to its error pipe, and nothing else is ever written there. EOF means that execve
/// succeeded.
struct ErrorRecord {
  /// Number of the step, or kHelperItself.
  int32_t step;
  /// Which part of the step: the line, the path candidate; 0 when there is one part only.
  int32_t index;
  int32_t error;
  /// Number of the system call that failed.
  int32_t syscall;
};

/// What became of id maps that were written from outside, as the child that waits for them hears it.
struct MapRecord {
  int32_t error;
  /// Which of setgroups, uid_map and gid_map.
  int32_t index;
  int32_t syscall;
};

/// The helper failed between its own start and the first step that it runs.
constexpr int32_t kHelperItself = -1;

/// How the command ended, written by PID 1 once everything below it is reaped.
struct ExitRecord {
  int32_t wait_status;
  int32_t reserved;
  int64_t user_microseconds;
  int64_t system_microseconds;
  int64_t max_rss_kilobytes;
};

constexpr size_t kMaxFds = 64;
constexpr size_t kMaxExtraFds = 16;
constexpr size_t kMaxOwnFileSystems = 64;

/// What the helper finds behind the command's fds, in this order, with the extra fds after them; closed where the plan
/// has no use for one.
enum class HelperFd : int { error, status, plan, terminal, map, parent, listener, count };

/// Sent with SI_QUEUE by the owner: PID 1 sends the signal in si_value to every process but itself.
constexpr int kBroadcastSignal = 64;

struct Outcome;

/// The child's own state while it runs its plan. Filled in by the parent before the clone.
struct Context {
  /// The step under way. On memory that the parent shares: how it knows where a child hung that it had to end.
  int32_t current_step = 0;
  int error_fd = -1;
  /// The map writer's socket: we say that we exist, it says what became of the maps.
  int map_fd = -1;
  /// Where the terminal's other side is sent.
  int terminal_fd = -1;
  /// To see whether the parent is still there; its pid means nothing in another PID namespace.
  int parent_pidfd = -1;
  /// Where the listener of a filter that tells is sent (seccomp_unotify(2)).
  int listener_fd = -1;
  /// Source of the child's fd i; negative: closed.
  int fds[kMaxFds] = {};
  size_t fd_count = 0;
  /// What steps need beside the command's own: namespaces to join, a terminal whose foreground is wanted.
  int extra_fds[kMaxExtraFds] = {};
  size_t extra_count = 0;
  /// The host's /proc, where close_range(2) is missing: open fds are found there.
  int proc_fd = -1;

  /// The helper: its sealed executable, its arguments, and the fds that it gets behind the command's.
  int helper_fd = -1;
  int helper_fds[static_cast<size_t>(HelperFd::count)] = {-1, -1, -1, -1, -1, -1, -1};
  char* const* helper_argv = nullptr;
  /// In the helper: how it forks. The child returns and goes on with the plan.
  Outcome (*fork)(Context&, bool keep_terminal) = nullptr;
  /// In the helper: how it becomes the owner of all that it starts.
  Outcome (*own_tree)(Context&, int64_t flags) = nullptr;
  /// In that owner: kill(-1) reaches its descendants and nobody else. Who ends them should it be killed itself, and the
  /// pipe that tells.
  bool owns_tree = false;
  int guard_pid = 0;
  int guard_fd = -1;

  /// The Landlock ruleset that is being filled.
  int landlock_fd = -1;
  /// The tree in which destinations are looked up.
  int root_fd = -1;
  /// The empty directory over the first masked one.
  int mask_fd = -1;
  /// The tmpfs that holds the upper layers of overlays, and how many there are.
  int layers_fd = -1;
  size_t layer_count = 0;
  /// Device numbers of the file systems that this plan mounted: mount points may be made there, and nowhere else.
  uint64_t own_devices[kMaxOwnFileSystems] = {};
  size_t own_device_count = 0;
  /// System calls that answered ENOSYS: they are not tried again.
  bool lacks_openat2 = false;
  bool lacks_mount_setattr = false;
};

/// A system call's result, or what went wrong.
struct Outcome {
  long value = 0;
  int error = 0;
  int syscall = 0;
  int index = 0;

  explicit operator bool() const { return error == 0; }
  Outcome at(int where) const { return {value, error, syscall, where}; }
};

/// Writes the record of a failed step, or of kHelperItself, and ends this process.
[[noreturn]] void fail(const Context& context, int32_t step, const Outcome& outcome);

/// Runs every step; a failed one ends this process. Returns only when the last step is not an execve.
void run(const Plan& plan, Context& context);

}  // namespace plan

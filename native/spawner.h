// The spawner: one thread that starts every child. It outlives them all, because a parent-death signal is sent when the
// *thread* that created the child ends (prctl(2)), and it sleeps in vfork where the editor's event loop must not.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "clone.h"
#include "fd.h"
#include "plan/run.h"
#include "tracee.h"

/// What the child's fd i shall be.
enum StdioKind : int { kStdioClosed = -1, kStdioNull = -2, kStdioPipe = -3 };

/// Written from outside, when the child may not write them itself. Empty `setgroups`: left alone.
struct IdMaps {
  std::string setgroups;
  std::string uid_map;
  std::string gid_map;
  bool needed() const { return !uid_map.empty(); }
};

/// One spawn, from the request to its result. Whoever owns it last ends the child that nobody has taken over.
struct Spawn {
  // The request.
  std::vector<uint64_t> plan_memory;  // 8-byte aligned; decoded in place
  plan::Plan plan;
  /// Run by the helper executable, when there is any.
  std::vector<uint8_t> helper_plan;
  /// The helper runs the whole plan, and needs what the child would need.
  bool helper_sets_up = false;
  uint64_t clone_flags = 0;
  int cgroup_fd = -1;
  bool terminal = false;
  IdMaps maps;
  std::vector<int> stdio;
  /// Fds of ours that steps name.
  std::vector<int> extra_fds;
  bool trace = false;

  // The result: `error.error` is 0 when execve succeeded.
  plan::ErrorRecord error = {};
  pid_t pid = 0;
  std::vector<Fd> parent_ends;
  Fd terminal_master;
  Fd status;
  std::unique_ptr<Tracee> tracee;
  int64_t started_nanoseconds = 0;

  ~Spawn();

  /// Closes our ends and ends the child: at once after a failure, not when JavaScript's garbage is collected.
  void abandon();
  /// Frees what only the child needed: JavaScript may hold on to this object until the next garbage collection.
  void forget_request();
  /// Ends a child that is still setting itself up. Callable from any thread.
  void cancel();
  /// The pidfd becomes the caller's.
  Fd take_pidfd() { return Fd(pidfd.exchange(-1)); }

  // Written by the kernel at the clone, before the child runs.
  std::atomic<int> pidfd{-1};
  std::atomic<bool> cancelled{false};
};

/// What every child is started with; made once.
struct Machine {
  /// The helper executable.
  Fd helper;
  /// For children to see whether we are still there.
  Fd own_pidfd;
  /// The host's /proc, where close_range(2) is missing.
  Fd proc;
};

class Spawner {
 public:
  using Done = std::function<void(std::shared_ptr<Spawn>)>;

  /// @param done called on the spawner's thread, once a spawn
  explicit Spawner(Done done);
  /// Ends the child that is being set up, then the thread.
  ~Spawner();
  Spawner(const Spawner&) = delete;
  Spawner& operator=(const Spawner&) = delete;

  void submit(std::shared_ptr<Spawn> spawn);
  /// Calls back on the spawner's thread, between two spawns.
  void post(std::function<void()> call);
  /// Keeps the helper executable in a sealed memfd.
  /// @param path of the same executable, used where memfds are refused
  /// @return 0 or an errno
  int set_helper(const uint8_t* bytes, size_t size, const char* path);

 private:
  /// @return 0 or an errno
  int start_thread();
  void work();
  void run(Spawn& spawn);

  Done done_;
  ChildStack stack_;
  Machine machine_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::shared_ptr<Spawn>> queue_;
  std::deque<std::function<void()>> calls_;
  std::shared_ptr<Spawn> current_;
  bool stopping_ = false;
  std::thread thread_;
};

/// CLOCK_MONOTONIC in nanoseconds.
int64_t monotonic_nanoseconds();

// One spawn, from the request to its result, and what every one of them needs.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "denial_source.h"
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
  /// Of a filter that tells of what it refuses, when somebody wants to know; none any more where the kernel has refused
  /// it.
  std::shared_ptr<DenialSource> denials;

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

/// CLOCK_MONOTONIC in nanoseconds.
int64_t monotonic_nanoseconds();

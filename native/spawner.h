// The spawner: one thread that starts every child. It outlives them all, because a parent-death signal is sent when the
// *thread* that created the child ends (prctl(2)), and it sleeps in vfork where the editor's event loop must not.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

#include "answerer.h"
#include "clone.h"
#include "spawn.h"

class ChildSide;

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
  void listen(Spawn& spawn, ChildSide& child);

  Done done_;
  Answerer answerer_;
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

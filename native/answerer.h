// The thread that answers the calls which filters refuse. They wait for it in the middle of a system call, and the
// editor's event loop may be busy for seconds: so it is nobody else's, and begins before JavaScript hears of the child.
#pragma once

#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "denial_source.h"
#include "event.h"

class Answerer {
 public:
  Answerer() = default;
  /// Closes what it answers for, and ends the thread.
  ~Answerer();
  Answerer(const Answerer&) = delete;
  Answerer& operator=(const Answerer&) = delete;

  /// Starts the thread, unless it runs: to be called, from one thread, before anybody has to be answered.
  /// @return 0 or an errno
  int start();
  /// Answers for a source until nobody is left under its filter, or it is closed.
  void add(std::shared_ptr<DenialSource> source, Fd listener);

 private:
  void work();

  std::shared_ptr<Event> wake_;
  std::mutex mutex_;
  std::vector<std::shared_ptr<DenialSource>> sources_;
  bool stopping_ = false;
  std::thread thread_;
};

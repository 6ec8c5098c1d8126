// The child's ends of everything, and the state that it starts with: made before the clone, as the child may not.
#pragma once

#include <string>
#include <vector>

#include "fd.h"
#include "plan/run.h"
#include "spawn.h"

class ChildSide {
 public:
  /// Makes the error pipe, stdio, sockets and what the helper needs; our ends of stdio go into `spawn`.
  /// @throws Failure
  ChildSide(Spawn& spawn, const Machine& machine);

  plan::Context& context() { return context_; }
  /// Our end of the error pipe.
  int error_fd() const { return errors_.get(); }
  /// Where the terminal's master arrives.
  int terminal_fd() const { return terminal_.get(); }
  /// Where the listener of a filter that tells arrives.
  int listener_fd() const { return listener_.get(); }
  /// Where the child asks for its id maps.
  Fd take_maps() { return std::move(maps_); }
  /// Closes the child's ends: only then does the end of the child show on ours.
  void close() { held_.clear(); }

 private:
  int hold(Fd fd);
  void for_helper(plan::HelperFd which, int fd);
  void prepare_stdio(Spawn& spawn);
  void prepare_helper(Spawn& spawn, int helper_fd);

  plan::Context context_;
  Fd errors_;
  Fd terminal_;
  Fd maps_;
  Fd listener_;
  std::vector<Fd> held_;
  std::string first_fd_;
  std::string extra_count_;
  char* argv_[4] = {};
};

// The child's ends of everything, and the state that it starts with: made before the clone, as the child may not.
#pragma once

#include <string>
#include <vector>

#include "fd.h"
#include "plan/run.h"
#include "spawner.h"

class ChildSide {
 public:
  /// Makes the error pipe, stdio and what the helper needs; our ends go into `spawn`.
  /// @throws Failure
  ChildSide(Spawn& spawn, int helper_fd, int parent_pidfd);

  plan::Context& context() { return context_; }
  /// Our end of the error pipe.
  int error_fd() const { return errors_.get(); }
  /// Keeps an fd open until the clone is over.
  int hold(Fd fd);
  /// Closes the child's ends: only then does the end of the child show on ours.
  void close() { held_.clear(); }

 private:
  void prepare_stdio(Spawn& spawn);
  void prepare_helper(Spawn& spawn, int helper_fd);

  plan::Context context_;
  Fd errors_;
  std::vector<Fd> held_;
  std::string first_fd_;
  char* argv_[4] = {};
};

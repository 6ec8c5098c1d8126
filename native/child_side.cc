#include "child_side.h"

#include <fcntl.h>
#include <sys/syscall.h>

#include "pipes.h"

ChildSide::ChildSide(Spawn& spawn, int helper_fd, int parent_pidfd) {
  Pair errors = make_pipe(false);
  errors_ = std::move(errors.ours);
  context_.error_fd = hold(std::move(errors.childs));
  context_.parent_pidfd = parent_pidfd;
  prepare_stdio(spawn);
  prepare_helper(spawn, helper_fd);
}

int ChildSide::hold(Fd fd) {
  held_.push_back(std::move(fd));
  return held_.back().get();
}

void ChildSide::prepare_stdio(Spawn& spawn) {
  context_.fd_count = spawn.stdio.size();
  for (size_t i = 0; i < spawn.stdio.size(); i++) {
    Fd parent_end;
    int& childs = context_.fds[i];
    if (spawn.stdio[i] == kStdioPipe) {
      // Pipes for the standard three (they can be reopened through /proc/self/fd); above them both directions, as
      // child_process has it.
      Pair pair = i < 3 ? make_pipe(i == 0) : make_socketpair();
      childs = hold(std::move(pair.childs));
      parent_end = std::move(pair.ours);
    } else if (spawn.stdio[i] == kStdioNull) {
      Fd null(open("/dev/null", O_RDWR | O_CLOEXEC));
      check(bool(null), SYS_openat);
      childs = hold(std::move(null));
    } else {
      childs = spawn.stdio[i];
    }
    spawn.parent_ends.push_back(std::move(parent_end));
  }
}

void ChildSide::prepare_helper(Spawn& spawn, int helper_fd) {
  if (spawn.helper == Helper::none) return;
  Pair status = make_pipe(false);
  spawn.status = std::move(status.ours);
  Fd plan = make_memfd("sandbox-plan", 0, spawn.helper_plan.data(), spawn.helper_plan.size());
  check(bool(plan), SYS_memfd_create);
  context_.init_fd = helper_fd;
  context_.init_fds[static_cast<int>(plan::InitFd::error)] = context_.error_fd;
  context_.init_fds[static_cast<int>(plan::InitFd::status)] = hold(std::move(status.childs));
  context_.init_fds[static_cast<int>(plan::InitFd::plan)] = hold(std::move(plan));
  first_fd_ = std::to_string(spawn.stdio.size());
  argv_[0] = const_cast<char*>("sandbox-init");
  argv_[1] = first_fd_.data();
  const char* mode = spawn.helper == Helper::run ? "run" : spawn.terminal ? "pid1-terminal" : "pid1";
  argv_[2] = const_cast<char*>(mode);
  context_.init_argv = argv_;
}

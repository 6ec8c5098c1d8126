#include "child_side.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <algorithm>
#include <utility>

#include "pipes.h"

using plan::HelperFd;

ChildSide::ChildSide(Spawn& spawn, const Machine& machine) {
  Pair errors = make_pipe(false);
  errors_ = std::move(errors.ours);
  context_.error_fd = hold(std::move(errors.childs));
  context_.parent_pidfd = machine.own_pidfd.get();
  context_.proc_fd = machine.proc.get();
  prepare_stdio(spawn);
  if (spawn.terminal) {
    Pair sockets = make_socketpair();
    terminal_ = std::move(sockets.ours);
    context_.terminal_fd = hold(std::move(sockets.childs));
  }
  if (spawn.denials) {
    Pair sockets = make_socketpair();
    listener_ = std::move(sockets.ours);
    context_.listener_fd = hold(std::move(sockets.childs));
  }
  if (spawn.maps.needed()) {
    Pair sockets = make_socketpair();
    // The kernel says who asks: the child, or one that the helper has forked.
    int on = 1;
    check(setsockopt(sockets.ours.get(), SOL_SOCKET, SO_PASSCRED, &on, sizeof on) == 0, SYS_setsockopt);
    maps_ = std::move(sockets.ours);
    context_.map_fd = hold(std::move(sockets.childs));
  }
  prepare_helper(spawn, machine.helper.get());
}

int ChildSide::hold(Fd fd) {
  held_.push_back(std::move(fd));
  return held_.back().get();
}

void ChildSide::for_helper(HelperFd which, int fd) {
  context_.helper_fds[static_cast<int>(which)] = fd;
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
  context_.extra_count = spawn.extra_fds.size();
  std::copy(spawn.extra_fds.begin(), spawn.extra_fds.end(), context_.extra_fds);
  if (spawn.helper_plan.empty()) return;
  Pair status = make_pipe(false);
  spawn.status = std::move(status.ours);
  Fd plan = make_memory_file("sandbox-plan", spawn.helper_plan.data(), spawn.helper_plan.size());
  check(bool(plan), SYS_memfd_create);
  context_.helper_fd = helper_fd;
  for_helper(HelperFd::error, context_.error_fd);
  for_helper(HelperFd::status, hold(std::move(status.childs)));
  for_helper(HelperFd::plan, hold(std::move(plan)));
  // The filter is always the helper's part.
  for_helper(HelperFd::listener, std::exchange(context_.listener_fd, -1));
  if (spawn.helper_sets_up) {
    for_helper(HelperFd::terminal, context_.terminal_fd);
    for_helper(HelperFd::map, context_.map_fd);
    for_helper(HelperFd::parent, context_.parent_pidfd);
  }
  first_fd_ = std::to_string(spawn.stdio.size());
  extra_count_ = std::to_string(spawn.extra_fds.size());
  argv_[0] = const_cast<char*>("sandbox-init");
  argv_[1] = first_fd_.data();
  argv_[2] = extra_count_.data();
  context_.helper_argv = argv_;
}

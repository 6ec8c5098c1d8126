#include "spawner.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/memfd.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>

#include "map_writer.h"
#include "plan/syscalls.h"

// The version of GCC 12 differs in nothing that matters here, and GCC 8's libstdc++ lacks it (portability.cc).
#define CONDITION_WAIT "_ZNSt18condition_variable4waitERSt11unique_lockISt5mutexE"
asm(".symver " CONDITION_WAIT "," CONDITION_WAIT "@GLIBCXX_3.4.11");

namespace {

#ifndef MFD_EXEC
constexpr unsigned MFD_EXEC = 0x0010U;
#endif
constexpr int kPidfd = 3;  // P_PIDFD

struct Failure {
  Stage stage;
  long syscall;
  int error;
};

void check(bool ok, long syscall, Stage stage = Stage::prepare) {
  if (!ok) throw Failure{stage, syscall, errno};
}

struct Pair {
  Fd ours;
  Fd childs;
};

Pair make_pipe(bool child_reads) {
  int ends[2];
  check(pipe2(ends, O_CLOEXEC) == 0, SYS_pipe2);
  return child_reads ? Pair{Fd(ends[1]), Fd(ends[0])} : Pair{Fd(ends[0]), Fd(ends[1])};
}

Pair make_socketpair() {
  int ends[2];
  check(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0, SYS_socketpair);
  return {Fd(ends[0]), Fd(ends[1])};
}

Fd make_memfd(const char* name, unsigned flags, const void* bytes, size_t size) {
  Fd memory(static_cast<int>(sys::call(SYS_memfd_create, name, flags | MFD_CLOEXEC)));
  if (!memory) return memory;
  auto* data = static_cast<const char*>(bytes);
  for (size_t done = 0; done < size;) {
    ssize_t n = write(memory.get(), data + done, size - done);
    if (n < 0) return Fd();
    done += static_cast<size_t>(n);
  }
  return memory;
}

Fd receive_fd(int socket) {
  char byte;
  iovec data = {&byte, 1};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))];
  msghdr message = {};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  check(recvmsg(socket, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT) == 1, SYS_recvmsg);
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  if (header == nullptr || header->cmsg_type != SCM_RIGHTS) throw Failure{Stage::prepare, SYS_recvmsg, EBADMSG};
  return Fd(*reinterpret_cast<int*>(CMSG_DATA(header)));
}

/// A vfork child's change of user marks the *shared* memory not dumpable, and with it the editor: its /proc files
/// become root's and its crashes leave no core. The first of several spawners to begin notes the flag, the last puts it
/// back.
class DumpableGuard {
 public:
  DumpableGuard() {
    std::lock_guard lock(mutex);
    if (users++ == 0) saved = prctl(PR_GET_DUMPABLE);
  }
  ~DumpableGuard() {
    std::lock_guard lock(mutex);
    // 2 (suid_dumpable) can be read but not set (prctl(2)).
    if (--users == 0 && saved != 2 && prctl(PR_GET_DUMPABLE) != saved) prctl(PR_SET_DUMPABLE, saved);
  }

 private:
  static inline std::mutex mutex;
  static inline int users = 0;
  static inline int saved = 1;
};

/// The child's ends of everything, held by us until the clone is over.
struct ChildSide {
  plan::Context context;
  std::vector<Fd> held;
  std::string first_fd;
  char* argv[4] = {};

  int hold(Fd fd) {
    held.push_back(std::move(fd));
    return held.back().get();
  }
};

void prepare_stdio(Spawn& spawn, ChildSide& child) {
  child.context.fd_count = spawn.stdio.size();
  for (size_t i = 0; i < spawn.stdio.size(); i++) {
    Fd parent_end;
    int& childs = child.context.fds[i];
    if (spawn.stdio[i] == kStdioPipe) {
      // Pipes for the standard three (they can be reopened through /proc/self/fd); above them both directions, as
      // child_process has it.
      Pair pair = i < 3 ? make_pipe(i == 0) : make_socketpair();
      childs = child.hold(std::move(pair.childs));
      parent_end = std::move(pair.ours);
    } else if (spawn.stdio[i] == kStdioNull) {
      Fd null(open("/dev/null", O_RDWR | O_CLOEXEC));
      check(bool(null), SYS_openat);
      childs = child.hold(std::move(null));
    } else {
      childs = spawn.stdio[i];
    }
    spawn.parent_ends.push_back(std::move(parent_end));
  }
}

void prepare_helper(Spawn& spawn, ChildSide& child, int helper_fd) {
  if (spawn.helper == Helper::none) return;
  Pair status = make_pipe(false);
  spawn.status = std::move(status.ours);
  Fd plan = make_memfd("sandbox-plan", 0, spawn.helper_plan.data(), spawn.helper_plan.size());
  check(bool(plan), SYS_memfd_create);
  child.context.init_fd = helper_fd;
  child.context.init_fds[static_cast<int>(plan::InitFd::error)] = child.context.error_fd;
  child.context.init_fds[static_cast<int>(plan::InitFd::status)] = child.hold(std::move(status.childs));
  child.context.init_fds[static_cast<int>(plan::InitFd::plan)] = child.hold(std::move(plan));
  child.first_fd = std::to_string(spawn.stdio.size());
  child.argv[0] = const_cast<char*>("sandbox-init");
  child.argv[1] = child.first_fd.data();
  const char* mode = spawn.helper == Helper::run ? "run" : spawn.terminal ? "pid1-terminal" : "pid1";
  child.argv[2] = const_cast<char*>(mode);
  child.context.init_argv = child.argv;
}

struct ChildMain {
  const plan::Plan* plan;
  plan::Context* context;
};

void child_main(void* argument) {
  auto* start = static_cast<ChildMain*>(argument);
  plan::run(*start->plan, *start->context);
}

void reap(int pidfd) {
  siginfo_t info;
  while (waitid(static_cast<idtype_t>(kPidfd), static_cast<id_t>(pidfd), &info, WEXITED) < 0 && errno == EINTR) {
  }
}

}  // namespace

int64_t monotonic_nanoseconds() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1'000'000'000LL + now.tv_nsec;
}

Spawn::~Spawn() {
  Fd left = take_pidfd();
  if (!left) return;
  sys::call(SYS_pidfd_send_signal, left.get(), SIGKILL, nullptr, 0);
  reap(left.get());
}

void Spawn::cancel() {
  cancelled = true;
  int fd = pidfd;
  if (fd >= 0) sys::call(SYS_pidfd_send_signal, fd, SIGKILL, nullptr, 0);
}

Spawner::Spawner(Done done)
    : done_(std::move(done)), own_pidfd_(static_cast<int>(sys::call(SYS_pidfd_open, getpid(), 0))) {}

Spawner::~Spawner() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    if (current_) current_->cancel();
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
}

int Spawner::set_helper(const uint8_t* bytes, size_t size) {
  Fd memory = make_memfd("sandbox-init", MFD_ALLOW_SEALING | MFD_EXEC, bytes, size);
  // MFD_EXEC is Linux 6.3; before, every memfd was executable.
  if (!memory) memory = make_memfd("sandbox-init", MFD_ALLOW_SEALING, bytes, size);
  if (!memory) return errno;
  if (fcntl(memory.get(), F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) != 0) return errno;
  helper_ = std::move(memory);
  return 0;
}

void Spawner::submit(std::shared_ptr<Spawn> spawn) {
  {
    std::lock_guard lock(mutex_);
    queue_.push_back(std::move(spawn));
    // Started with the first spawn, with every signal blocked: a handler that ran in a CLONE_VM child would run on the
    // editor's memory.
    if (!thread_.joinable()) {
      uint64_t all = ~uint64_t{0};
      uint64_t before = 0;
      sys::call(SYS_rt_sigprocmask, SIG_SETMASK, &all, &before, sizeof all);
      thread_ = std::thread([this] { work(); });
      sys::call(SYS_rt_sigprocmask, SIG_SETMASK, &before, nullptr, sizeof before);
    }
  }
  wake_.notify_one();
}

void Spawner::work() {
  prctl(PR_SET_NAME, "spawner");
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
    if (stopping_) return;
    current_ = std::move(queue_.front());
    queue_.pop_front();
    std::shared_ptr<Spawn> spawn = current_;
    lock.unlock();
    try {
      run(*spawn);
    } catch (const Failure& failure) {
      spawn->error = {static_cast<int32_t>(failure.stage), 0, failure.error, static_cast<int32_t>(failure.syscall)};
    }
    lock.lock();
    current_.reset();
    if (stopping_) return;
    done_(std::move(spawn));
  }
}

void Spawner::run(Spawn& spawn) {
  if (!stack_) throw Failure{Stage::prepare, SYS_mmap, ENOMEM};
  if (spawn.cancelled) throw Failure{Stage::prepare, 0, ECANCELED};
  if (spawn.helper != Helper::none && !helper_) throw Failure{Stage::prepare, SYS_memfd_create, ENOEXEC};

  ChildSide child;
  Pair errors = make_pipe(false);
  child.context.error_fd = child.hold(std::move(errors.childs));
  child.context.parent_pidfd = own_pidfd_.get();
  prepare_stdio(spawn, child);
  prepare_helper(spawn, child, helper_.get());
  Fd terminal;
  if (spawn.terminal) {
    Pair sockets = make_socketpair();
    child.context.terminal_fd = child.hold(std::move(sockets.childs));
    terminal = std::move(sockets.ours);
  }
  MapWriter maps(spawn.maps, &spawn.pid);
  if (spawn.maps.needed()) {
    Pair sockets = make_socketpair();
    child.context.map_fd = child.hold(std::move(sockets.childs));
    maps.start(std::move(sockets.ours));
  }

  CloneRequest request;
  request.flags = spawn.clone_flags;
  request.cgroup_fd = spawn.cgroup_fd;
  static_assert(sizeof spawn.pidfd == sizeof(int));
  request.pidfd = reinterpret_cast<int*>(&spawn.pidfd);
  request.pid = &spawn.pid;
  ChildMain start = {&spawn.plan, &child.context};
  spawn.started_nanoseconds = monotonic_nanoseconds();
  long result;
  {
    DumpableGuard guard;
    result = clone_child(request, stack_, child_main, &start);
  }
  child.held.clear();
  if (result < 0) {
    spawn.pidfd = -1;
    throw Failure{Stage::clone, SYS_clone3, static_cast<int>(-result)};
  }

  // EOF: every copy of the other end was closed by an execve, under PID 1 by the command's.
  plan::ErrorRecord record = {};
  ssize_t n;
  do {
    n = read(errors.ours.get(), &record, sizeof record);
  } while (n < 0 && errno == EINTR);
  if (n == static_cast<ssize_t>(sizeof record)) {
    spawn.error = record;
  } else if (spawn.cancelled) {
    spawn.error = {static_cast<int32_t>(Stage::clone), 0, ECANCELED, 0};
  } else if (terminal) {
    spawn.terminal_master = receive_fd(terminal.get());
  }
  if (spawn.error.error == 0) return;
  // A child that failed has nothing to wait for, but under PID 1 there may be more than one of them.
  spawn.parent_ends.clear();
  Fd pidfd = spawn.take_pidfd();
  sys::call(SYS_pidfd_send_signal, pidfd.get(), SIGKILL, nullptr, 0);
  reap(pidfd.get());
}

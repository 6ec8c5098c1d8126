#include "spawner.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/memfd.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include <algorithm>

#include "child_side.h"
#include "map_writer.h"
#include "pipes.h"
#include "plan/syscalls.h"
#include "threads.h"
#include "wait.h"

// The version of GCC 12 differs in nothing that matters here, and GCC 8's libstdc++ lacks it (portability.cc).
#define CONDITION_WAIT "_ZNSt18condition_variable4waitERSt11unique_lockISt5mutexE"
asm(".symver " CONDITION_WAIT "," CONDITION_WAIT "@GLIBCXX_3.4.11");

namespace {

#ifndef MFD_EXEC
constexpr unsigned MFD_EXEC = 0x0010U;
#endif

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

struct ChildMain {
  const plan::Plan* plan;
  plan::Context* context;
};

/// Runs in the child, which never returns from it: ThreadSanitizer would count one more call on this thread's stack
/// with each spawn.
__attribute__((no_sanitize("thread"))) void child_main(void* argument) {
  auto* start = static_cast<ChildMain*>(argument);
  plan::run(*start->plan, *start->context);
}

}  // namespace

Spawner::Spawner(Done done) : done_(std::move(done)) {
  machine_.own_pidfd = Fd(static_cast<int>(sys::call(SYS_pidfd_open, getpid(), 0)));
  if (sys::call(SYS_close_range, ~0U, ~0U, 0) != 0) {
    machine_.proc = Fd(open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC));
  }
}

Spawner::~Spawner() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    if (current_) current_->cancel();
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
}

int Spawner::set_helper(const uint8_t* bytes, size_t size, const char* path) {
  // Another copy of the library in this environment: the thread may be at work with the first one's.
  if (machine_.helper) return 0;
  constexpr const char* kName = "sandbox-init";
  Fd memory = make_memfd(kName, MFD_ALLOW_SEALING | MFD_EXEC, bytes, size);
  // MFD_EXEC is Linux 6.3; before, every memfd was executable.
  if (!memory && errno == EINVAL) memory = make_memfd(kName, MFD_ALLOW_SEALING, bytes, size);
  if (memory) {
    if (fcntl(memory.get(), F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) != 0) return errno;
  } else {
    // vm.memfd_noexec=2, or a filter: the file itself. It can be rewritten by whoever may do that outside anyway; from
    // inside it can't be reached through the helper, which is not dumpable before anybody else is there.
    memory = Fd(open(path, O_RDONLY | O_CLOEXEC));
    if (!memory) return errno;
  }
  machine_.helper = std::move(memory);
  return 0;
}

void Spawner::submit(std::shared_ptr<Spawn> spawn) {
  {
    std::lock_guard lock(mutex_);
    if (int error = start_thread(); error != 0) {
      spawn->error = {static_cast<int32_t>(Stage::prepare), 0, error, SYS_clone3};
      done_(std::move(spawn));
      return;
    }
    queue_.push_back(std::move(spawn));
  }
  wake_.notify_one();
}

void Spawner::post(std::function<void()> call) {
  {
    std::lock_guard lock(mutex_);
    calls_.push_back(std::move(call));
  }
  wake_.notify_one();
}

// With the first spawn, and with every signal blocked: a handler that ran in a CLONE_VM child would run on the editor's
// memory.
int Spawner::start_thread() {
  if (thread_.joinable()) return 0;
  return launch_without_signals(thread_, [this] { work(); });
}

void Spawner::work() {
  prctl(PR_SET_NAME, "spawner");
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [this] { return stopping_ || !queue_.empty() || !calls_.empty(); });
    if (stopping_) return;
    if (!calls_.empty()) {
      std::function<void()> call = std::move(calls_.front());
      calls_.pop_front();
      lock.unlock();
      call();
      lock.lock();
      continue;
    }
    current_ = std::move(queue_.front());
    queue_.pop_front();
    std::shared_ptr<Spawn> spawn = current_;
    lock.unlock();
    try {
      run(*spawn);
    } catch (const Failure& failure) {
      spawn->error = {static_cast<int32_t>(failure.stage), 0, failure.error, static_cast<int32_t>(failure.syscall)};
    }
    if (spawn->error.error != 0) spawn->abandon();
    spawn->forget_request();
    lock.lock();
    current_.reset();
    if (stopping_) {
      spawn->abandon();  // nobody will hear of it
      return;
    }
    done_(std::move(spawn));
  }
}

void Spawner::run(Spawn& spawn) {
  if (!stack_) throw Failure{Stage::prepare, SYS_mmap, ENOMEM};
  if (spawn.cancelled) throw Failure{Stage::prepare, 0, ECANCELED};
  if (!spawn.helper_plan.empty() && !machine_.helper) throw Failure{Stage::prepare, SYS_memfd_create, ENOEXEC};

  if (spawn.denials) {
    if (int error = answerer_.start(); error != 0) throw Failure{Stage::prepare, SYS_clone3, error};
    if (int error = spawn.denials->prepare(); error != 0) throw Failure{Stage::prepare, SYS_eventfd2, error};
  }
  ChildSide child(spawn, machine_);
  MapWriter maps(spawn.maps);
  if (spawn.maps.needed()) maps.start(child.take_maps());

  CloneRequest request;
  request.flags = spawn.clone_flags;
  request.cgroup_fd = spawn.cgroup_fd;
  static_assert(sizeof spawn.pidfd == sizeof(int));
  request.pidfd = reinterpret_cast<int*>(&spawn.pidfd);
  ChildMain start = {&spawn.plan, &child.context()};
  spawn.started_nanoseconds = monotonic_nanoseconds();
  Cloned cloned;
  {
    DumpableGuard guard;
    cloned = clone_child(request, stack_, child_main, &start);
  }
  child.close();
  if (cloned.result < 0) {
    spawn.pidfd = -1;
    throw Failure{Stage::clone, cloned.syscall, static_cast<int>(-cloned.result)};
  }
  spawn.pid = static_cast<pid_t>(cloned.result);

  // EOF: every copy of the other end was closed by an execve, under PID 1 by the command's.
  plan::ErrorRecord record = {};
  ssize_t n;
  do {
    n = read(child.error_fd(), &record, sizeof record);
  } while (n < 0 && errno == EINTR);
  // Not knowing is no success.
  if (n < 0) throw Failure{Stage::clone, SYS_read, errno};
  if (n == static_cast<ssize_t>(sizeof record)) {
    spawn.error = record;
  } else if (spawn.cancelled) {
    spawn.error = {std::max(child.context().current_step, static_cast<int32_t>(Stage::clone)), 0, ECANCELED, 0};
  } else {
    if (spawn.terminal) spawn.terminal_master = receive_fd(child.terminal_fd());
    if (spawn.denials) listen(spawn, child);
    if (spawn.trace) spawn.tracee = std::make_unique<Tracee>(spawn.pid, spawn.pidfd);
  }
}

/// From here on whoever is refused a call has an answer, however long JavaScript takes to hear of this child.
void Spawner::listen(Spawn& spawn, ChildSide& child) {
  if (Fd listener = receive_fd_if_any(child.listener_fd())) {
    answerer_.add(spawn.denials, std::move(listener));
  } else {
    spawn.denials.reset();
  }
}

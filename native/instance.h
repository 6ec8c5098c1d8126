// All that the addon keeps for one JavaScript environment (the main thread, a worker, another context): a spawner, what
// the event loop polls, and the callbacks that are owed.
#pragma once

#include <napi.h>

#include <functional>
#include <map>
#include <memory>
#include <mutex>

#include "exit_watcher.h"
#include "js_result.h"
#include "poll_handle.h"
#include "spawner.h"
#include "tracee.h"

/// make_shared() needs a symbol of GCC 9's libstdc++ (portability.cc).
template <typename T, typename... Arguments>
std::shared_ptr<T> shared(Arguments&&... arguments) {
  return std::shared_ptr<T>(new T(std::forward<Arguments>(arguments)...));
}

/// An object that JavaScript holds and cannot look into.
template <typename T>
napi_value external(Napi::Env env, std::shared_ptr<T> held) {
  std::unique_ptr<std::shared_ptr<T>> kept(new std::shared_ptr<T>(std::move(held)));
  // Nothing is made in a worker that is being terminated: then it stays ours.
  napi_value value = Napi::External<std::shared_ptr<T>>::New(
      env, kept.get(), [](Napi::Env, std::shared_ptr<T>* finished) { delete finished; });
  if (value != nullptr) kept.release();
  return value;
}

class Instance {
 public:
  explicit Instance(Napi::Env env);

  /// Calls back as describe() says, and `exited` when the child has ended (ExitWatcher).
  void submit(Napi::Env env, std::shared_ptr<Spawn> spawn, Napi::Function callback, Napi::Function exited);
  /// Makes a ptrace request on the spawner's thread; calls back with {errno}.
  void request(Napi::Env env, std::shared_ptr<Tracee> tracee, long what, int signal, Napi::Function callback);
  /// Waits for a tracee's next stop on a thread of its own, which may outlive this environment: only the tracee can end
  /// the wait. Calls back with {signal, errno}.
  void wait(Napi::Env env, std::shared_ptr<Tracee> tracee, Napi::Function callback);

  /// Somebody closes this fd of a child from now on.
  void taken(int fd) { told_.erase(fd); }

  Spawner& spawner() { return *spawner_; }
  PollHandles& handles() { return handles_; }

 private:
  using Fill = std::function<void(Napi::Env, JsResult&, std::shared_ptr<ExitWatcher>)>;

  /// How threads that may outlive this object find it.
  struct Link {
    std::mutex mutex;
    Instance* instance;
  };

  struct Completion {
    const void* key;
    Fill fill;
  };

  struct Pending {
    Napi::FunctionReference callback;
    /// Of a spawn: made where JavaScript runs for certain.
    std::shared_ptr<ExitWatcher> watcher;
  };

  /// What an fd is open for: the number alone may be somebody else's by now.
  struct Identity {
    uint64_t device = 0;
    uint64_t inode = 0;
    bool operator==(const Identity&) const = default;
  };

  void expect(Napi::Env env, const void* key, Napi::Function callback, std::shared_ptr<ExitWatcher> watcher = {});
  /// From any thread: has the callback of `key` called with what `fill` sets.
  void complete(const void* key, Fill fill);
  static void arrive(napi_env env, napi_value callback, void* context, void* data);
  void finish(Napi::Env env, Completion& completion);
  void describe(Napi::Env env, Spawn& spawn, std::shared_ptr<ExitWatcher> watcher, JsResult& result);
  static bool identify(int fd, Identity* identity);
  void tell(Fd& fd);
  void close_untaken();
  static void shut_down(napi_async_cleanup_hook_handle hook, void* data);

  PollHandles handles_;
  std::unique_ptr<Spawner> spawner_;
  napi_threadsafe_function done_ = nullptr;
  Napi::AsyncContext context_;
  std::map<const void*, Pending> pending_;
  /// Fds that JavaScript was told of, until it has taken them: a worker may be terminated in between.
  std::map<int, Identity> told_;
  std::shared_ptr<Link> link_{new Link{{}, this}};
};

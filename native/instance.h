// All that the addon keeps for one JavaScript environment (the main thread, a worker, another context): a spawner, what
// the event loop polls, and the callbacks that are owed.
#pragma once

#include <napi.h>

#include <functional>
#include <map>
#include <memory>
#include <mutex>

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
  return Napi::External<std::shared_ptr<T>>::New(env, new std::shared_ptr<T>(std::move(held)),
                                                 [](Napi::Env, std::shared_ptr<T>* kept) { delete kept; });
}

class Instance {
 public:
  explicit Instance(Napi::Env env);

  /// Calls back as describe() says.
  void submit(Napi::Env env, std::shared_ptr<Spawn> spawn, Napi::Function callback);
  /// Makes a ptrace request on the spawner's thread; calls back with {errno}.
  void request(Napi::Env env, std::shared_ptr<Tracee> tracee, long what, int signal, Napi::Function callback);
  /// Waits for a tracee's next stop on a thread of its own, which may outlive this environment: only the tracee can end
  /// the wait. Calls back with {signal, errno}.
  void wait(Napi::Env env, std::shared_ptr<Tracee> tracee, Napi::Function callback);

  /// JavaScript has a watcher for the child of this pidfd: its fds are the watcher's and the streams' from now on.
  void take_over(int pidfd);

  Spawner& spawner() { return *spawner_; }
  PollHandles& handles() { return handles_; }

 private:
  using Fill = std::function<void(Napi::Env, JsResult&)>;

  /// How threads that may outlive this object find it.
  struct Link {
    std::mutex mutex;
    Instance* instance;
  };

  struct Completion {
    const void* key;
    Fill fill;
  };

  void expect(Napi::Env env, const void* key, Napi::Function callback);
  /// From any thread: has the callback of `key` called with what `fill` sets.
  void complete(const void* key, Fill fill);
  void finish(Napi::Env env, Completion& completion);
  /// @return whether JavaScript knows the child now
  bool describe(Napi::Env env, const std::shared_ptr<Spawn>& spawn, JsResult& result);
  static void shut_down(napi_async_cleanup_hook_handle hook, void* data);

  PollHandles handles_;
  std::unique_ptr<Spawner> spawner_;
  Napi::ThreadSafeFunction done_;
  Napi::AsyncContext context_;
  std::map<const void*, Napi::FunctionReference> pending_;
  /// Children that JavaScript was told about, by pidfd, until it has taken them over: a worker may be terminated in
  /// between.
  std::map<int, std::shared_ptr<Spawn>> told_;
  std::shared_ptr<Link> link_{new Link{{}, this}};
};

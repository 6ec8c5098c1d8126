#include "instance.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pipes.h"
#include "plan/syscalls.h"
#include "threads.h"

namespace {

/// A finished spawn on its way to JavaScript. Where it does not arrive, as the environment is torn down, the child is
/// ended at once: JavaScript's own handle of the spawn may never be given back then.
struct Handed {
  explicit Handed(std::shared_ptr<Spawn> spawn) : spawn(std::move(spawn)) {}
  ~Handed() { spawn->abandon(); }
  Handed(const Handed&) = delete;
  Handed& operator=(const Handed&) = delete;

  std::shared_ptr<Spawn> spawn;
};

void set_error(const plan::ErrorRecord& error, JsResult& result) {
  result.set("step", error.step);
  result.set("index", error.index);
  result.set("errno", error.error);
  result.set("syscall", error.syscall);
}

}  // namespace

Instance::Instance(Napi::Env env) : context_(env, "sandbox-tasks:spawn") {
  // Not through the C++ wrapper, which forgets what is still queued when the environment is torn down.
  napi_status made =
      napi_create_threadsafe_function(env, nullptr, nullptr, Napi::String::New(env, "sandbox-tasks:spawn"), 0, 1,
                                      nullptr, nullptr, nullptr, arrive, &done_);
  if (made != napi_ok) throw Napi::Error::New(env);
  napi_unref_threadsafe_function(env, done_);
  spawner_ = std::make_unique<Spawner>([this](std::shared_ptr<Spawn> spawn) {
    Spawn* key = spawn.get();
    auto handed = shared<Handed>(std::move(spawn));
    complete(key, [this, handed](Napi::Env env, JsResult& result, std::shared_ptr<ExitWatcher> watcher) {
      describe(env, *handed->spawn, std::move(watcher), result);
    });
  });
  // Hooks run in reverse order: registered after the function above, this one still finds it alive.
  napi_add_async_cleanup_hook(env, shut_down, this, nullptr);
}

void Instance::submit(Napi::Env env, std::shared_ptr<Spawn> spawn, Napi::Function callback, Napi::Function exited) {
  expect(env, spawn.get(), callback, shared<ExitWatcher>(exited));
  spawner_->submit(std::move(spawn));
}

void Instance::request(Napi::Env env, std::shared_ptr<Tracee> tracee, long what, int signal, Napi::Function callback) {
  auto key = shared<char>();
  expect(env, key.get(), callback);
  spawner_->post([this, key, tracee = std::move(tracee), what, signal] {
    int error = tracee->request(what, signal);
    complete(key.get(), [key, error](Napi::Env, JsResult& result, const std::shared_ptr<ExitWatcher>&) {
      result.set("errno", error);
    });
  });
}

void Instance::wait(Napi::Env env, std::shared_ptr<Tracee> tracee, Napi::Function callback) {
  auto key = shared<char>();
  expect(env, key.get(), callback);
  std::thread waiting;
  int error = launch(waiting, [link = link_, key, tracee = std::move(tracee)] {
    Stop stop = tracee->wait();
    std::lock_guard lock(link->mutex);
    if (link->instance == nullptr) return;
    link->instance->complete(key.get(), [key, stop](Napi::Env, JsResult& result, const std::shared_ptr<ExitWatcher>&) {
      result.set("signal", stop.signal);
      result.set("errno", stop.error);
    });
  });
  if (error == 0) {
    waiting.detach();
  } else {
    complete(key.get(), [key, error](Napi::Env, JsResult& result, const std::shared_ptr<ExitWatcher>&) {
      result.set("signal", 0.0);
      result.set("errno", error);
    });
  }
}

/// An event loop with something under way must not end.
void Instance::expect(Napi::Env env, const void* key, Napi::Function callback, std::shared_ptr<ExitWatcher> watcher) {
  if (pending_.empty()) napi_ref_threadsafe_function(env, done_);
  pending_.emplace(key, Pending{Napi::Persistent(callback), std::move(watcher)});
}

void Instance::complete(const void* key, Fill fill) {
  auto completion = std::make_unique<Completion>(Completion{key, std::move(fill)});
  napi_status status = napi_call_threadsafe_function(done_, completion.get(), napi_tsfn_blocking);
  if (status == napi_ok) completion.release();
}

/// With no `env` the environment is gone.
void Instance::arrive(napi_env env, napi_value, void*, void* data) {
  std::unique_ptr<Completion> completion(static_cast<Completion*>(data));
  if (env == nullptr) return;
  try {
    Napi::Env(env).GetInstanceData<Instance>()->finish(env, *completion);
  } catch (const Napi::Error&) {
    // JavaScript is being stopped: nobody is left to tell, and what was not told is ended with the completion.
  }
}

void Instance::finish(Napi::Env env, Completion& completion) {
  auto entry = pending_.extract(completion.key);
  if (pending_.empty()) napi_unref_threadsafe_function(env, done_);
  if (entry.empty()) return;
  Pending& pending = entry.mapped();
  Napi::HandleScope scope(env);
  JsResult result(env);
  completion.fill(env, result, std::move(pending.watcher));
  result.call(pending.callback.Value(), context_);
}

/// {step, index, errno, syscall} or {pid, pidfd, fds, terminal, started, tracee, signal, denials}; -1: none. The fds
/// are the caller's; the pidfd is the watcher's, which has begun.
void Instance::describe(Napi::Env env, Spawn& spawn, std::shared_ptr<ExitWatcher> watcher, JsResult& result) {
  if (spawn.error.error != 0) {
    set_error(spawn.error, result);
    return;
  }
  napi_value fds = nullptr;
  napi_create_array(env, &fds);
  for (uint32_t i = 0; i < spawn.parent_ends.size(); i++) {
    napi_value fd = nullptr;
    napi_create_int32(env, spawn.parent_ends[i].get(), &fd);
    napi_set_element(env, fds, i, fd);
  }
  result.set("pid", spawn.pid);
  result.set("pidfd", spawn.pidfd);
  result.set("fds", fds);
  result.set("terminal", spawn.terminal_master.get());
  if (spawn.tracee && result.sound()) {
    result.set("signal", spawn.tracee->first_stop().signal);
    result.set("tracee", external(env, std::shared_ptr<Tracee>(std::move(spawn.tracee))));
  }
  if (spawn.denials && result.sound()) {
    result.set("denials", external(env, spawn.denials));
    if (result.sound()) spawn.denials.reset();  // JavaScript's from now on
  }
  // A worker that is being terminated takes nothing over: then the fds are closed and the child is ended with `spawn`.
  if (!result.sound()) return;
  watcher->begin(spawn.take_pidfd(), spawn.pid, std::move(spawn.status), spawn.started_nanoseconds);
  uv_loop_t* loop = nullptr;
  int error = napi_get_uv_event_loop(env, &loop) == napi_ok ? handles_.add(loop, watcher, UV_READABLE) : ENOSYS;
  if (error != 0) {
    spawn.pidfd = watcher->end().release();
    set_error({static_cast<int32_t>(Stage::prepare), 0, error, SYS_epoll_ctl}, result);
    return;
  }
  for (Fd& fd : spawn.parent_ends) tell(fd);
  tell(spawn.terminal_master);
}

bool Instance::identify(int fd, Identity* identity) {
  struct stat status;  // the kernel's is libc's, whose function is glibc 2.33
  if (sys::call(SYS_fstat, fd, &status) != 0) return false;
  *identity = {status.st_dev, status.st_ino};
  return true;
}

void Instance::tell(Fd& fd) {
  Identity identity;
  if (fd && identify(fd.get(), &identity)) told_[fd.get()] = identity;
  fd.release();
}

/// JavaScript was terminated between our telling it of an fd and its wrapping it in a stream. What is wrapped is closed
/// by now, and its number may be another thread's.
void Instance::close_untaken() {
  for (auto& [fd, told] : told_) {
    Identity now;
    if (identify(fd, &now) && now == told) close(fd);
  }
}

/// The environment, and this object with it, stays until the hook is removed.
void Instance::shut_down(napi_async_cleanup_hook_handle hook, void* data) {
  auto* self = static_cast<Instance*>(data);
  {
    std::lock_guard lock(self->link_->mutex);
    self->link_->instance = nullptr;
  }
  self->spawner_.reset();  // joins its thread, which is the one that calls done_
  self->close_untaken();
  napi_release_threadsafe_function(self->done_, napi_tsfn_abort);
  self->handles_.shut_down([hook] { napi_remove_async_cleanup_hook(hook); });
}

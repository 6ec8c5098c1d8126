#include "instance.h"

#include "threads.h"

namespace {

/// A finished spawn on its way to JavaScript. Where the environment is torn down before it has arrived, the child is
/// ended at once: JavaScript's own handle of the spawn may never be given back then.
class Handed {
 public:
  explicit Handed(std::shared_ptr<Spawn> spawn) : spawn(std::move(spawn)) {}
  ~Handed() {
    if (!told) spawn->abandon();
  }
  Handed(const Handed&) = delete;
  Handed& operator=(const Handed&) = delete;

  std::shared_ptr<Spawn> spawn;
  bool told = false;
};

}  // namespace

Instance::Instance(Napi::Env env) : context_(env, "sandbox-tasks:spawn") {
  done_ = Napi::ThreadSafeFunction::New(env, Napi::Function::New(env, [](const Napi::CallbackInfo&) {}),
                                        "sandbox-tasks:spawn", 0, 1);
  done_.Unref(env);
  spawner_ = std::make_unique<Spawner>([this](std::shared_ptr<Spawn> spawn) {
    Spawn* key = spawn.get();
    complete(key, [this, handed = shared<Handed>(std::move(spawn))](Napi::Env env, JsResult& result) {
      handed->told = describe(env, handed->spawn, result);
    });
  });
  // Hooks run in reverse order: registered after the function above, this one still finds it alive.
  napi_add_async_cleanup_hook(env, shut_down, this, nullptr);
}

void Instance::submit(Napi::Env env, std::shared_ptr<Spawn> spawn, Napi::Function callback) {
  expect(env, spawn.get(), callback);
  spawner_->submit(std::move(spawn));
}

void Instance::request(Napi::Env env, std::shared_ptr<Tracee> tracee, long what, int signal, Napi::Function callback) {
  auto key = shared<char>();
  expect(env, key.get(), callback);
  spawner_->post([this, key, tracee = std::move(tracee), what, signal] {
    int error = tracee->request(what, signal);
    complete(key.get(), [key, error](Napi::Env, JsResult& result) { result.set("errno", error); });
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
    link->instance->complete(key.get(), [key, stop](Napi::Env, JsResult& result) {
      result.set("signal", stop.signal);
      result.set("errno", stop.error);
    });
  });
  if (error == 0) {
    waiting.detach();
  } else {
    complete(key.get(), [key, error](Napi::Env, JsResult& result) {
      result.set("signal", 0.0);
      result.set("errno", error);
    });
  }
}

/// An event loop with something under way must not end.
void Instance::expect(Napi::Env env, const void* key, Napi::Function callback) {
  if (pending_.empty()) done_.Ref(env);
  pending_.emplace(key, Napi::Persistent(callback));
}

void Instance::complete(const void* key, Fill fill) {
  auto* handed = new Completion{key, std::move(fill)};
  napi_status status = done_.BlockingCall(handed, [](Napi::Env env, Napi::Function, Completion* data) {
    std::unique_ptr<Completion> taken(data);
    if (env != nullptr) env.GetInstanceData<Instance>()->finish(env, *taken);
  });
  if (status != napi_ok) delete handed;
}

void Instance::finish(Napi::Env env, Completion& completion) {
  auto entry = pending_.extract(completion.key);
  if (pending_.empty()) done_.Unref(env);
  if (entry.empty()) return;
  Napi::HandleScope scope(env);
  JsResult result(env);
  completion.fill(env, result);
  result.call(entry.mapped().Value(), context_);
}

/// {step, index, errno, syscall} or {pid, pidfd, fds, terminal, status, started, tracee, signal}; -1: none. The fds are
/// the caller's once it watches the child.
bool Instance::describe(Napi::Env env, const std::shared_ptr<Spawn>& told, JsResult& result) {
  Spawn& spawn = *told;
  if (spawn.error.error != 0) {
    result.set("step", spawn.error.step);
    result.set("index", spawn.error.index);
    result.set("errno", spawn.error.error);
    result.set("syscall", spawn.error.syscall);
    return false;
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
  result.set("status", spawn.status.get());
  result.set("started", static_cast<double>(spawn.started_nanoseconds));
  if (spawn.tracee && result.sound()) {
    result.set("signal", spawn.tracee->first_stop().signal);
    result.set("tracee", external(env, std::shared_ptr<Tracee>(std::move(spawn.tracee))));
  }
  // A worker that is being terminated takes nothing over: then the fds are closed and the child is ended with `spawn`.
  if (result.sound()) told_.emplace(spawn.pidfd, told);
  return result.sound();
}

void Instance::take_over(int pidfd) {
  auto entry = told_.extract(pidfd);
  if (entry.empty()) return;
  Spawn& spawn = *entry.mapped();
  for (Fd& fd : spawn.parent_ends) fd.release();
  spawn.take_pidfd().release();
  spawn.terminal_master.release();
  spawn.status.release();
}

/// The environment, and this object with it, stays until the hook is removed.
void Instance::shut_down(napi_async_cleanup_hook_handle hook, void* data) {
  auto* self = static_cast<Instance*>(data);
  {
    std::lock_guard lock(self->link_->mutex);
    self->link_->instance = nullptr;
  }
  self->spawner_.reset();  // joins its thread, which is the one that calls done_
  for (auto& [pidfd, spawn] : self->told_) spawn->abandon();
  self->done_.Release();
  self->handles_.shut_down([hook] { napi_remove_async_cleanup_hook(hook); });
}

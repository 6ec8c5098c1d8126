// The face of the addon towards JavaScript: thin, untyped there, typed in src/spawner/addon.ts. Everything hangs on the
// instance data of one environment, so worker threads and several contexts may load it side by side.

#include <errno.h>
#include <fcntl.h>
#include <linux/ptrace.h>
#include <napi.h>
#include <signal.h>
#include <string.h>

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <thread>

#include "exit_watcher.h"
#include "plan/plan.h"
#include "plan/syscalls.h"
#include "poll_handle.h"
#include "spawner.h"
#include "terminal.h"

namespace {

/// make_shared() needs a symbol of GCC 9's libstdc++ (portability.cc).
template <typename T, typename... Arguments>
std::shared_ptr<T> shared(Arguments&&... arguments) {
  return std::shared_ptr<T>(new T(std::forward<Arguments>(arguments)...));
}

class Instance {
 public:
  explicit Instance(Napi::Env env) : context_(env, "sandbox-tasks:spawn") {
    done_ = Napi::ThreadSafeFunction::New(env, Napi::Function::New(env, [](const Napi::CallbackInfo&) {}),
                                          "sandbox-tasks:spawn", 0, 1);
    done_.Unref(env);
    spawner_ = std::make_unique<Spawner>([this](std::shared_ptr<Spawn> spawn) {
      Spawn* key = spawn.get();
      complete(key, [spawn = std::move(spawn)](Napi::Env env, JsResult& result) { describe(env, *spawn, result); });
    });
    // Hooks run in reverse order: registered after the function above, this one still finds it alive.
    napi_add_async_cleanup_hook(env, shut_down, this, nullptr);
  }

  void submit(Napi::Env env, std::shared_ptr<Spawn> spawn, Napi::Function callback) {
    expect(env, spawn.get(), callback);
    spawner_->submit(std::move(spawn));
  }

  /// Makes a ptrace request on the spawner's thread; calls back with {errno}.
  void request(Napi::Env env, std::shared_ptr<Tracee> tracee, long what, int signal, Napi::Function callback) {
    auto key = shared<char>();
    expect(env, key.get(), callback);
    spawner_->post([this, key, tracee = std::move(tracee), what, signal] {
      int error = tracee->request(what, signal);
      complete(key.get(), [key, error](Napi::Env, JsResult& result) { result.set("errno", error); });
    });
  }

  /// Waits for a tracee's next stop on a thread of its own, which may outlive this environment: only the tracee can end
  /// the wait. Calls back with {signal, errno}.
  void wait(Napi::Env env, std::shared_ptr<Tracee> tracee, Napi::Function callback) {
    auto key = shared<char>();
    expect(env, key.get(), callback);
    std::thread([link = link_, key, tracee = std::move(tracee)] {
      Stop stop = tracee->wait();
      std::lock_guard lock(link->mutex);
      if (link->instance == nullptr) return;
      link->instance->complete(key.get(), [key, stop](Napi::Env, JsResult& result) {
        result.set("signal", stop.signal);
        result.set("errno", stop.error);
      });
    }).detach();
  }

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

  /// An event loop with something under way must not end.
  void expect(Napi::Env env, const void* key, Napi::Function callback) {
    if (pending_.empty()) done_.Ref(env);
    pending_.emplace(key, Napi::Persistent(callback));
  }

  /// From any thread: has the callback of `key` called with what `fill` sets.
  void complete(const void* key, Fill fill) {
    auto* handed = new Completion{key, std::move(fill)};
    napi_status status = done_.BlockingCall(handed, [](Napi::Env env, Napi::Function, Completion* data) {
      std::unique_ptr<Completion> taken(data);
      if (env != nullptr) env.GetInstanceData<Instance>()->finish(env, *taken);
    });
    if (status != napi_ok) delete handed;
  }

  void finish(Napi::Env env, Completion& completion) {
    auto entry = pending_.extract(completion.key);
    if (pending_.empty()) done_.Unref(env);
    if (entry.empty()) return;
    Napi::HandleScope scope(env);
    JsResult result(env);
    completion.fill(env, result);
    result.call(entry.mapped().Value(), context_);
  }

  static void describe(Napi::Env env, Spawn& spawn, JsResult& result);
  static void shut_down(napi_async_cleanup_hook_handle hook, void* data);

  PollHandles handles_;
  std::unique_ptr<Spawner> spawner_;
  Napi::ThreadSafeFunction done_;
  Napi::AsyncContext context_;
  std::map<const void*, Napi::FunctionReference> pending_;
  std::shared_ptr<Link> link_{new Link{{}, this}};
};

Instance& instance(const Napi::CallbackInfo& info) {
  return *info.Env().GetInstanceData<Instance>();
}

Napi::Error system_error(Napi::Env env, const char* syscall, int error) {
  Napi::Error thrown = Napi::Error::New(env, std::string(syscall) + ": " + strerror(error));
  thrown.Value()["errno"] = Napi::Number::New(env, error);
  thrown.Value()["syscall"] = Napi::String::New(env, syscall);
  return thrown;
}

template <typename T>
napi_value external(Napi::Env env, std::shared_ptr<T> held) {
  return Napi::External<std::shared_ptr<T>>::New(env, new std::shared_ptr<T>(std::move(held)),
                                                 [](Napi::Env, std::shared_ptr<T>* kept) { delete kept; });
}

template <typename T>
std::shared_ptr<T> held(const Napi::CallbackInfo& info) {
  return *info[0].As<Napi::External<std::shared_ptr<T>>>().Data();
}

/// {step, index, errno, syscall} or {pid, pidfd, fds, terminal, status, started, tracee, signal}; -1: none. The fds are
/// the caller's from then on.
void Instance::describe(Napi::Env env, Spawn& spawn, JsResult& result) {
  if (spawn.error.error != 0) {
    result.set("step", spawn.error.step);
    result.set("index", spawn.error.index);
    result.set("errno", spawn.error.error);
    result.set("syscall", spawn.error.syscall);
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
  result.set("status", spawn.status.get());
  result.set("started", static_cast<double>(spawn.started_nanoseconds));
  if (spawn.tracee) {
    result.set("signal", spawn.tracee->first_stop().signal);
    result.set("tracee", external(env, std::shared_ptr<Tracee>(std::move(spawn.tracee))));
  }
  // A worker that is being terminated takes nothing over: then the fds are closed and the child is ended with `spawn`.
  if (!result.sound()) return;
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
  self->done_.Release();
  self->handles_.shut_down([hook] { napi_remove_async_cleanup_hook(hook); });
}

std::string text(const Napi::Object& object, const char* key) {
  return object.Get(key).As<Napi::String>().Utf8Value();
}

std::vector<int> numbers(const Napi::Value& value, size_t most) {
  auto array = value.As<Napi::Array>();
  if (array.Length() > most) throw Napi::RangeError::New(value.Env(), "Too many fds.");
  std::vector<int> result;
  for (uint32_t i = 0; i < array.Length(); i++) result.push_back(array.Get(i).As<Napi::Number>());
  return result;
}

/// spawn(request, callback): an object to give to cancel(). The request's shape is NativeRequest in
/// src/spawner/addon.ts.
Napi::Value spawn(const Napi::CallbackInfo& info) {
  auto request = info[0].As<Napi::Object>();
  auto spawn = shared<Spawn>();

  auto encoded = request.Get("plan").As<Napi::Uint8Array>();
  spawn->plan_memory.resize((encoded.ByteLength() + sizeof(uint64_t) - 1) / sizeof(uint64_t));
  memcpy(spawn->plan_memory.data(), encoded.Data(), encoded.ByteLength());
  auto* memory = reinterpret_cast<uint8_t*>(spawn->plan_memory.data());
  if (!plan::decode(memory, encoded.ByteLength(), &spawn->plan)) {
    throw Napi::TypeError::New(info.Env(), "The encoded plan is malformed.");
  }
  if (request.Get("helperPlan").IsTypedArray()) {
    auto rest = request.Get("helperPlan").As<Napi::Uint8Array>();
    spawn->helper_plan.assign(rest.Data(), rest.Data() + rest.ByteLength());
    spawn->helper_sets_up = request.Get("helperSetsUp").As<Napi::Boolean>();
  }
  spawn->clone_flags = static_cast<uint64_t>(request.Get("cloneFlags").As<Napi::Number>().Int64Value());
  spawn->cgroup_fd = request.Get("cgroupFd").As<Napi::Number>();
  spawn->terminal = request.Get("terminal").As<Napi::Boolean>();
  spawn->trace = request.Get("trace").As<Napi::Boolean>();
  if (request.Get("maps").IsObject()) {
    auto maps = request.Get("maps").As<Napi::Object>();
    spawn->maps = {text(maps, "setgroups"), text(maps, "uidMap"), text(maps, "gidMap")};
  }
  spawn->stdio = numbers(request.Get("stdio"), plan::kMaxFds);
  spawn->extra_fds = numbers(request.Get("extraFds"), plan::kMaxExtraFds);

  napi_value handle = external(info.Env(), spawn);
  instance(info).submit(info.Env(), std::move(spawn), info[1].As<Napi::Function>());
  return {info.Env(), handle};
}

void cancel(const Napi::CallbackInfo& info) {
  held<Spawn>(info)->cancel();
}

void add_handle(const Napi::CallbackInfo& info, std::shared_ptr<PollHandle> handle) {
  uv_loop_t* loop = nullptr;
  int error = napi_get_uv_event_loop(info.Env(), &loop) == napi_ok
                  ? instance(info).handles().add(loop, std::move(handle), UV_READABLE)
                  : ENOSYS;
  if (error != 0) throw system_error(info.Env(), "uv_poll", error);
}

/// watch(pidfd, pid, status, started, callback): pidfd and status become the watcher's.
void watch(const Napi::CallbackInfo& info) {
  int64_t started = info[3].As<Napi::Number>();
  add_handle(info,
             shared<ExitWatcher>(info[4].As<Napi::Function>(), Fd(info[0].As<Napi::Number>()),
                                 info[1].As<Napi::Number>().Int32Value(), Fd(info[2].As<Napi::Number>()), started));
}

/// openTerminal(master, callback): an object for the functions below, which do nothing after terminalClose().
Napi::Value open_terminal(const Napi::CallbackInfo& info) {
  auto terminal = shared<Terminal>(info[1].As<Napi::Function>(), Fd(info[0].As<Napi::Number>()));
  add_handle(info, terminal);
  return {info.Env(), external(info.Env(), std::move(terminal))};
}

Terminal& terminal(const Napi::CallbackInfo& info) {
  return *held<Terminal>(info);
}

void terminal_read(const Napi::CallbackInfo& info) {
  terminal(info).set_reading(info[1].As<Napi::Boolean>());
}

void terminal_write(const Napi::CallbackInfo& info) {
  auto data = info[1].As<Napi::Uint8Array>();
  terminal(info).write(reinterpret_cast<const char*>(data.Data()), data.ByteLength());
}

void terminal_resize(const Napi::CallbackInfo& info) {
  int error = terminal(info).resize(static_cast<uint16_t>(info[1].As<Napi::Number>().Uint32Value()),
                                    static_cast<uint16_t>(info[2].As<Napi::Number>().Uint32Value()));
  if (error != 0) throw system_error(info.Env(), "ioctl", error);
}

void terminal_close(const Napi::CallbackInfo& info) {
  terminal(info).close();
}

/// traceeWait(tracee, callback): {signal, errno} of the next stop; signal 0: it has ended.
void tracee_wait(const Napi::CallbackInfo& info) {
  instance(info).wait(info.Env(), held<Tracee>(info), info[1].As<Napi::Function>());
}

/// traceeRequest(tracee, "continue" or "detach", signal, callback): {errno}.
void tracee_request(const Napi::CallbackInfo& info) {
  bool detach = info[1].As<Napi::String>().Utf8Value() == "detach";
  instance(info).request(info.Env(), held<Tracee>(info), detach ? PTRACE_DETACH : PTRACE_CONT,
                         info[2].As<Napi::Number>(), info[3].As<Napi::Function>());
}

/// setHelper(executable, path of the same).
void set_helper(const Napi::CallbackInfo& info) {
  auto bytes = info[0].As<Napi::Uint8Array>();
  std::string path = info[1].As<Napi::String>();
  int error = instance(info).spawner().set_helper(bytes.Data(), bytes.ByteLength(), path.c_str());
  if (error != 0) throw system_error(info.Env(), "memfd_create", error);
}

Napi::Value pidfd_open(const Napi::CallbackInfo& info) {
  long fd = sys::call(SYS_pidfd_open, info[0].As<Napi::Number>().Int32Value(), 0);
  if (fd < 0) throw system_error(info.Env(), "pidfd_open", static_cast<int>(-fd));
  return Napi::Number::New(info.Env(), static_cast<double>(fd));
}

/// pidfdSendSignal(pidfd, signal, broadcast): with broadcast, PID 1 sends it on to everybody inside.
void pidfd_send_signal(const Napi::CallbackInfo& info) {
  int signal = info[1].As<Napi::Number>();
  siginfo_t queued = {};
  bool broadcast = info[2].ToBoolean();
  if (broadcast) {
    queued.si_code = SI_QUEUE;
    queued.si_value.sival_int = signal;
    signal = plan::kBroadcastSignal;
    queued.si_signo = signal;
  }
  long r = sys::call(SYS_pidfd_send_signal, info[0].As<Napi::Number>().Int32Value(), signal,
                     broadcast ? &queued : nullptr, 0);
  if (r < 0) throw system_error(info.Env(), "pidfd_send_signal", static_cast<int>(-r));
}

/// duplicate(fd): close-on-exec. A caller's pidfd stays the caller's.
Napi::Value duplicate(const Napi::CallbackInfo& info) {
  int fd = fcntl(info[0].As<Napi::Number>().Int32Value(), F_DUPFD_CLOEXEC, 3);
  if (fd < 0) throw system_error(info.Env(), "fcntl", errno);
  return Napi::Number::New(info.Env(), fd);
}

/// {name: {code, signature}} of ops.def.
Napi::Object operations(Napi::Env env) {
  Napi::Object table = Napi::Object::New(env);
  uint32_t code = 0;
#define OP(name, signature)                                 \
  {                                                         \
    Napi::Object entry = Napi::Object::New(env);            \
    entry["code"] = Napi::Number::New(env, code++);         \
    entry["signature"] = Napi::String::New(env, signature); \
    table[#name] = entry;                                   \
  }
#include "plan/ops.def"
#undef OP
  return table;
}

/// {number: name} of the system calls that steps make.
Napi::Object syscall_names(Napi::Env env) {
  Napi::Object table = Napi::Object::New(env);
#define SYSCALL(name) table[static_cast<uint32_t>(SYS_##name)] = Napi::String::New(env, #name);
#include "plan/syscalls.def"
#undef SYSCALL
  return table;
}

Napi::Object initialize(Napi::Env env, Napi::Object exports) {
  env.SetInstanceData(new Instance(env));
  exports["operations"] = operations(env);
  exports["syscallNames"] = syscall_names(env);
  exports["spawn"] = Napi::Function::New(env, spawn);
  exports["cancel"] = Napi::Function::New(env, cancel);
  exports["watch"] = Napi::Function::New(env, watch);
  exports["setHelper"] = Napi::Function::New(env, set_helper);
  exports["pidfdOpen"] = Napi::Function::New(env, pidfd_open);
  exports["pidfdSendSignal"] = Napi::Function::New(env, pidfd_send_signal);
  exports["openTerminal"] = Napi::Function::New(env, open_terminal);
  exports["terminalRead"] = Napi::Function::New(env, terminal_read);
  exports["terminalWrite"] = Napi::Function::New(env, terminal_write);
  exports["terminalResize"] = Napi::Function::New(env, terminal_resize);
  exports["terminalClose"] = Napi::Function::New(env, terminal_close);
  exports["traceeWait"] = Napi::Function::New(env, tracee_wait);
  exports["traceeRequest"] = Napi::Function::New(env, tracee_request);
  exports["duplicate"] = Napi::Function::New(env, duplicate);
  return exports;
}

}  // namespace

NODE_API_MODULE(spawner, initialize)

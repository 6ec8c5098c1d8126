// The face of the addon towards JavaScript: thin, untyped there, typed in src/spawner/addon.ts. Everything hangs on the
// instance data of one environment, so worker threads and several contexts may load it side by side.

#include <errno.h>
#include <fcntl.h>
#include <linux/ptrace.h>
#include <napi.h>
#include <signal.h>
#include <string.h>

#include <memory>

#include "denial_listener.h"
#include "exit_watcher.h"
#include "instance.h"
#include "plan/plan.h"
#include "plan/syscalls.h"
#include "seccomp_filter.h"
#include "terminal.h"

namespace {

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
std::shared_ptr<T> held(const Napi::CallbackInfo& info) {
  return *info[0].As<Napi::External<std::shared_ptr<T>>>().Data();
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

/// {others, bySyscall: [number, errno][]}
Answers answers(const Napi::Object& given) {
  Answers answers;
  answers.others = given.Get("others").As<Napi::Number>();
  auto special = given.Get("bySyscall").As<Napi::Array>();
  for (uint32_t i = 0; i < special.Length(); i++) {
    auto pair = special.Get(i).As<Napi::Array>();
    answers.by_syscall[pair.Get(0u).As<Napi::Number>()] = pair.Get(1u).As<Napi::Number>();
  }
  return answers;
}

/// spawn(request, callback, exited): an object to give to cancel(). The request's shape is NativeRequest in
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
  if (request.Get("answers").IsObject()) {
    spawn->denials = shared<DenialSource>(answers(request.Get("answers").As<Napi::Object>()));
  }
  if (request.Get("maps").IsObject()) {
    auto maps = request.Get("maps").As<Napi::Object>();
    spawn->maps = {text(maps, "setgroups"), text(maps, "uidMap"), text(maps, "gidMap")};
  }
  spawn->stdio = numbers(request.Get("stdio"), plan::kMaxFds);
  spawn->extra_fds = numbers(request.Get("extraFds"), plan::kMaxExtraFds);

  napi_value handle = external(info.Env(), spawn);
  instance(info).submit(info.Env(), std::move(spawn), info[1].As<Napi::Function>(), info[2].As<Napi::Function>());
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

/// watch(pidfd, callback): a process that is not ours to reap; the pidfd becomes the watcher's.
void watch(const Napi::CallbackInfo& info) {
  auto watcher = shared<ExitWatcher>(info[1].As<Napi::Function>());
  watcher->begin(Fd(info[0].As<Napi::Number>()));
  add_handle(info, std::move(watcher));
}

/// taken(fds): JavaScript has wrapped what its callback was given.
void taken(const Napi::CallbackInfo& info) {
  for (int fd : numbers(info[0], plan::kMaxFds)) instance(info).taken(fd);
}

/// openTerminal(master, callback): an object for the functions below, which do nothing after terminalClose().
Napi::Value open_terminal(const Napi::CallbackInfo& info) {
  instance(info).taken(info[0].As<Napi::Number>());
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

/// traceeForget(tracee): it was reaped.
void tracee_forget(const Napi::CallbackInfo& info) {
  held<Tracee>(info)->forget();
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

/// landlockAbi(): the newest ABI of the kernel's Landlock (landlock_create_ruleset(2)), or minus an errno.
Napi::Value landlock_abi(const Napi::CallbackInfo& info) {
  constexpr int kVersion = 1;  // LANDLOCK_CREATE_RULESET_VERSION
  long abi = sys::call(SYS_landlock_create_ruleset, nullptr, 0, kVersion);
  return Napi::Number::New(info.Env(), static_cast<double>(abi));
}

/// duplicate(fd): close-on-exec. A caller's pidfd stays the caller's.
Napi::Value duplicate(const Napi::CallbackInfo& info) {
  int fd = fcntl(info[0].As<Napi::Number>().Int32Value(), F_DUPFD_CLOEXEC, 3);
  if (fd < 0) throw system_error(info.Env(), "fcntl", errno);
  return Napi::Number::New(info.Env(), fd);
}

uint64_t word(const Napi::Value& value) {
  bool lossless = true;
  return value.IsBigInt() ? value.As<Napi::BigInt>().Uint64Value(&lossless)
                          : static_cast<uint64_t>(value.As<Napi::Number>().Int64Value());
}

FilterRule filter_rule(const Napi::Object& given) {
  FilterRule rule = {given.Get("syscall").As<Napi::Number>(), given.Get("action").As<Napi::Number>(), {}};
  auto arguments = given.Get("args").As<Napi::Array>();
  for (uint32_t i = 0; i < arguments.Length(); i++) {
    auto argument = arguments.Get(i).As<Napi::Object>();
    auto compare = static_cast<scmp_compare>(argument.Get("op").As<Napi::Number>().Int32Value());
    rule.arguments.push_back({argument.Get("index").As<Napi::Number>(), compare, word(argument.Get("value")),
                              word(argument.Get("valueTwo"))});
  }
  return rule;
}

/// compileFilter(request): struct sock_filter[] as bytes. The request's shape is NativeFilter in src/spawner/addon.ts.
Napi::Value compile_filter(const Napi::CallbackInfo& info) {
  auto given = info[0].As<Napi::Object>();
  FilterRequest request = {};
  request.foreign_action = given.Get("foreignAction").As<Napi::Number>();
  request.default_action = given.Get("defaultAction").As<Napi::Number>();
  request.newer_are_missing = given.Get("newerAreMissing").As<Napi::Boolean>();
  auto architectures = given.Get("architectures").As<Napi::Array>();
  for (uint32_t i = 0; i < architectures.Length(); i++) {
    request.architectures.push_back(architectures.Get(i).As<Napi::Number>());
  }
  auto parts = given.Get("parts").As<Napi::Array>();
  for (uint32_t i = 0; i < parts.Length(); i++) {
    auto rules = parts.Get(i).As<Napi::Array>();
    std::vector<FilterRule>& part = request.parts.emplace_back();
    for (uint32_t j = 0; j < rules.Length(); j++) part.push_back(filter_rule(rules.Get(j).As<Napi::Object>()));
  }
  CompiledFilter compiled = ::compile_filter(request);
  if (compiled.error != 0) throw system_error(info.Env(), compiled.call, compiled.error);
  size_t size = compiled.program.size() * sizeof(sock_filter);
  return Napi::Buffer<uint8_t>::Copy(info.Env(), reinterpret_cast<uint8_t*>(compiled.program.data()), size);
}

/// syscallNumber(name): negative for one of other architectures; undefined for a name that nobody knows.
Napi::Value syscall_number(const Napi::CallbackInfo& info) {
  int number = ::syscall_number(info[0].As<Napi::String>().Utf8Value().c_str());
  return number == __NR_SCMP_ERROR ? info.Env().Undefined() : Napi::Number::New(info.Env(), number);
}

/// syscallName(number): undefined where there is none.
Napi::Value syscall_name(const Napi::CallbackInfo& info) {
  std::string name = ::syscall_name(seccomp_arch_native(), info[0].As<Napi::Number>());
  return name.empty() ? info.Env().Undefined() : Napi::String::New(info.Env(), name);
}

/// knownSyscalls(): names of this machine's, as far as libseccomp knows them.
Napi::Value known_syscalls(const Napi::CallbackInfo& info) {
  Napi::Array names = Napi::Array::New(info.Env());
  for (const std::string& name : ::syscall_names()) names[names.Length()] = Napi::String::New(info.Env(), name);
  return names;
}

/// openListener(denials, callback): an object for the two below.
Napi::Value open_listener(const Napi::CallbackInfo& info) {
  auto listener = shared<DenialListener>(info[1].As<Napi::Function>(), held<DenialSource>(info));
  add_handle(info, listener);
  listener->unref();
  return {info.Env(), external(info.Env(), std::move(listener))};
}

/// listenerTake(listener): {syscall, argument, command, count}[] since the last time.
Napi::Value listener_take(const Napi::CallbackInfo& info) {
  return held<DenialListener>(info)->take(info.Env());
}

/// listenerClose(listener): what is refused from now on fails with ENOSYS, and nobody is told.
void listener_close(const Napi::CallbackInfo& info) {
  held<DenialListener>(info)->stop();
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
  exports["taken"] = Napi::Function::New(env, taken);
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
  exports["traceeForget"] = Napi::Function::New(env, tracee_forget);
  exports["traceeRequest"] = Napi::Function::New(env, tracee_request);
  exports["landlockAbi"] = Napi::Function::New(env, landlock_abi);
  exports["compileFilter"] = Napi::Function::New(env, compile_filter);
  exports["syscallNumber"] = Napi::Function::New(env, syscall_number);
  exports["syscallName"] = Napi::Function::New(env, syscall_name);
  exports["knownSyscalls"] = Napi::Function::New(env, known_syscalls);
  exports["openListener"] = Napi::Function::New(env, open_listener);
  exports["listenerTake"] = Napi::Function::New(env, listener_take);
  exports["listenerClose"] = Napi::Function::New(env, listener_close);
  exports["duplicate"] = Napi::Function::New(env, duplicate);
  return exports;
}

}  // namespace

NODE_API_MODULE(spawner, initialize)

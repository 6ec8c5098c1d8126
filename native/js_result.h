// Hands a result to a JavaScript callback from the event loop. A worker thread may be stopped at any moment from
// outside; from then on every call into JavaScript fails, and the C++ wrapper's exceptions, which are JavaScript errors
// themselves, would end the process. So this goes through the C interface and lets failures pass: there is nobody left
// to tell.
#pragma once

#include <napi.h>

/// Calls `callback(argument)`. What it throws becomes an uncaught exception.
inline void call_back(napi_env env, napi_async_context context, napi_value callback, napi_value argument) {
  napi_value receiver;
  if (napi_get_global(env, &receiver) != napi_ok) return;
  if (napi_make_callback(env, context, receiver, callback, 1, &argument, nullptr) != napi_pending_exception) return;
  napi_value thrown;
  if (napi_get_and_clear_last_exception(env, &thrown) == napi_ok) napi_fatal_exception(env, thrown);
}

/// An object that is filled in and then handed over.
class JsResult {
 public:
  explicit JsResult(napi_env env) : env_(env), sound_(napi_create_object(env, &object_) == napi_ok) {}

  void set(const char* name, double value) {
    napi_value number = nullptr;
    sound_ = sound_ && napi_create_double(env_, value, &number) == napi_ok;
    set(name, number);
  }

  void set(const char* name, napi_value value) {
    sound_ = sound_ && napi_set_named_property(env_, object_, name, value) == napi_ok;
  }

  /// Whether JavaScript still runs. When it does not, what the result says is nobody's.
  bool sound() const { return sound_; }

  void call(napi_value callback, napi_async_context context) { call_back(env_, context, callback, object_); }

 private:
  napi_env env_;
  napi_value object_ = nullptr;
  bool sound_;
};

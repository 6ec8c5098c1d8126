#include "denial_listener.h"

#include "js_result.h"

DenialListener::DenialListener(Napi::Function callback, std::shared_ptr<DenialSource> source)
    : PollHandle(source->take_news()),
      callback_(Napi::Persistent(callback)),
      context_(callback.Env(), "sandbox-tasks:denials"),
      source_(std::move(source)) {}

void DenialListener::ready() {
  Event::forget(fd());
  Napi::Env env = callback_.Env();
  Napi::HandleScope scope(env);
  napi_value nothing;
  if (napi_get_undefined(env, &nothing) == napi_ok) call_back(env, context_, callback_.Value(), nothing);
}

void DenialListener::stop() {
  source_->close();
  close();
}

Napi::Value DenialListener::take(Napi::Env env) {
  Napi::Array result = Napi::Array::New(env);
  for (const DenialSource::Denial& denial : source_->take()) {
    Napi::Object entry = Napi::Object::New(env);
    entry["syscall"] = Napi::Number::New(env, denial.syscall);
    entry["argument"] = Napi::Number::New(env, static_cast<double>(denial.argument));
    entry["command"] = Napi::String::New(env, denial.command);
    entry["count"] = Napi::Number::New(env, static_cast<double>(denial.count));
    result[result.Length()] = entry;
  }
  return result;
}

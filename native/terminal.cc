#include "terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>

#include "js_result.h"

namespace {

/// A master gives at most a page a read: several reads make one call into JavaScript.
constexpr size_t kBufferSize = 64 * 1024;
constexpr size_t kPage = 4096;

}  // namespace

Terminal::Terminal(Napi::Function callback, Fd master)
    : PollHandle(std::move(master)),
      callback_(Napi::Persistent(callback)),
      context_(callback.Env(), "sandbox-tasks:terminal"),
      buffer_(kBufferSize) {
  fcntl(fd(), F_SETFL, fcntl(fd(), F_GETFL) | O_NONBLOCK);
}

void Terminal::set_reading(bool reading) {
  reading_ = reading;
  update();
}

void Terminal::write(const char* data, size_t size) {
  if (closing()) return;
  input_.append(data, size);
  flush_input();
  update();
}

int Terminal::resize(uint16_t columns, uint16_t rows) {
  if (closing()) return 0;
  winsize size = {rows, columns, 0, 0};
  return ioctl(fd(), TIOCSWINSZ, &size) == 0 ? 0 : errno;
}

void Terminal::update() {
  poll((reading_ ? UV_READABLE : 0) | (input_.empty() ? 0 : UV_WRITABLE));
}

void Terminal::ready() {
  if (!input_.empty()) flush_input();
  if (reading_) {
    read_output();
  } else {
    update();
  }
}

void Terminal::closed() {
  callback_.Reset();
  buffer_ = {};
}

void Terminal::flush_input() {
  while (!input_.empty()) {
    ssize_t n = ::write(fd(), input_.data(), input_.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN) return;
    if (n < 0) {
      input_.clear();  // EIO: nobody holds the terminal any more
      return;
    }
    input_.erase(0, static_cast<size_t>(n));
  }
}

void Terminal::read_output() {
  size_t size = 0;
  bool ended = false;
  while (size + kPage <= buffer_.size()) {
    ssize_t n = read(fd(), buffer_.data() + size, buffer_.size() - size);
    if (n > 0) {
      size += static_cast<size_t>(n);
      continue;
    }
    if (n < 0 && errno == EINTR) continue;
    ended = n == 0 || errno != EAGAIN;
    break;
  }
  Napi::Env env = callback_.Env();
  Napi::HandleScope scope(env);
  napi_value output;
  if (size > 0 && napi_create_buffer_copy(env, size, buffer_.data(), nullptr, &output) == napi_ok) emit(output);
  if (!ended) {
    update();
  } else if (!closing() && napi_get_null(env, &output) == napi_ok) {
    set_reading(false);
    emit(output);
  }
}

void Terminal::emit(napi_value output) {
  call_back(callback_.Env(), context_, callback_.Value(), output);
}

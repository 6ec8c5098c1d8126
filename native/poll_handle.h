// An fd that the event loop polls, and the set of all of them in one JavaScript environment, whose loop must not be
// left with an open handle when it is torn down.
#pragma once

#include <uv.h>

#include <functional>
#include <map>
#include <memory>

#include "fd.h"

class PollHandles;

/// Kept by its set until the loop has closed it; others may keep it longer, when it does nothing any more.
class PollHandle {
 public:
  /// @param fd may be given later, with take()
  explicit PollHandle(Fd fd = Fd()) : fd_(std::move(fd)) {}
  virtual ~PollHandle() = default;
  PollHandle(const PollHandle&) = delete;
  PollHandle& operator=(const PollHandle&) = delete;

  /// Stops polling and closes the fd; more than once does no harm.
  void close() { release(); }

 protected:
  void take(Fd fd) { fd_ = std::move(fd); }
  /// Where it could not be polled.
  Fd give_back() { return std::move(fd_); }
  /// Something happened on the fd. A hang-up or an error comes as whatever was asked for.
  virtual void ready() = 0;
  /// The environment is torn down: the last chance to do something about the fd.
  virtual void abandon() { close(); }
  /// The loop has closed it: nothing more will happen.
  virtual void closed() {}
  /// Stops polling and gives the fd away.
  Fd release();
  /// UV_READABLE, UV_WRITABLE, both, or 0 for nothing.
  void poll(int events);
  int fd() const { return fd_.get(); }
  uv_poll_t* polled() { return &poll_; }
  bool closing() const { return uv_is_closing(reinterpret_cast<const uv_handle_t*>(&poll_)) != 0; }

 private:
  friend class PollHandles;

  Fd fd_;
  uv_poll_t poll_ = {};
  PollHandles* owner_ = nullptr;
};

class PollHandles {
 public:
  /// Keeps a handle and begins to poll for `events`.
  /// @return 0 or an errno
  int add(uv_loop_t* loop, std::shared_ptr<PollHandle> handle, int events);
  /// Abandons all; `closed` is called once the last one is.
  void shut_down(std::function<void()> closed);

 private:
  friend class PollHandle;
  void remove(PollHandle* handle);

  std::map<PollHandle*, std::shared_ptr<PollHandle>> open_;
  std::function<void()> closed_;
};

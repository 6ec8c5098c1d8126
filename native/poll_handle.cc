#include "poll_handle.h"

Fd PollHandle::release() {
  if (closing()) return Fd();
  uv_close(reinterpret_cast<uv_handle_t*>(&poll_), [](uv_handle_t* handle) {
    auto* self = static_cast<PollHandle*>(handle->data);
    self->closed();
    self->owner_->remove(self);
  });
  return std::move(fd_);  // out of the loop already
}

void PollHandle::poll(int events) {
  if (closing()) return;
  if (events == 0) {
    uv_poll_stop(&poll_);
    return;
  }
  uv_poll_start(&poll_, events, [](uv_poll_t* handle, int, int) { static_cast<PollHandle*>(handle->data)->ready(); });
}

int PollHandles::add(uv_loop_t* loop, std::shared_ptr<PollHandle> handle, int events) {
  int error = uv_poll_init(loop, &handle->poll_, handle->fd());
  if (error != 0) return -error;
  handle->poll_.data = handle.get();
  handle->owner_ = this;
  handle->poll(events);
  open_.emplace(handle.get(), handle);
  return 0;
}

void PollHandles::remove(PollHandle* handle) {
  open_.erase(handle);
  if (open_.empty() && closed_) closed_();
}

void PollHandles::shut_down(std::function<void()> closed) {
  if (open_.empty()) {
    closed();
    return;
  }
  closed_ = std::move(closed);
  for (auto& [handle, kept] : open_) handle->abandon();
}

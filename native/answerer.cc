#include "answerer.h"

#include <poll.h>
#include <sys/prctl.h>

#include <algorithm>

#include "threads.h"

Answerer::~Answerer() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  if (thread_.joinable()) {
    wake_->happen();
    thread_.join();
  }
  // Whoever waits for an answer has one then: ENOSYS.
  for (auto& source : sources_) source->close();
}

int Answerer::start() {
  if (thread_.joinable()) return 0;
  auto wake = std::shared_ptr<Event>(new Event);
  if (int error = wake->make(); error != 0) return error;
  wake_ = std::move(wake);
  return launch_without_signals(thread_, [this] { work(); });
}

void Answerer::add(std::shared_ptr<DenialSource> source, Fd listener) {
  source->open(std::move(listener), wake_);
  {
    std::lock_guard lock(mutex_);
    sources_.push_back(std::move(source));
  }
  wake_->happen();
}

void Answerer::work() {
  prctl(PR_SET_NAME, "answerer");
  NotificationRoom room;
  std::vector<std::shared_ptr<DenialSource>> sources;
  std::vector<pollfd> polled;
  for (;;) {
    {
      std::lock_guard lock(mutex_);
      if (stopping_) return;
      sources_.erase(
          std::remove_if(sources_.begin(), sources_.end(), [](const auto& source) { return source->fd() < 0; }),
          sources_.end());
      sources = sources_;
    }
    polled.assign(1, {wake_->fd(), POLLIN, 0});
    // One that is closed from here on wakes us. Its number may be another file's by then, which is polled in vain.
    for (const auto& source : sources) polled.push_back({source->fd(), POLLIN, 0});
    if (poll(polled.data(), polled.size(), -1) < 0) continue;
    if (polled[0].revents != 0) Event::forget(wake_->fd());
    for (size_t i = 0; i < sources.size(); i++) {
      if (polled[i + 1].revents != 0) sources[i]->answer(room);
    }
  }
}

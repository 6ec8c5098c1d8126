#include "denial_source.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

#include <algorithm>

#include "seccomp_filter.h"

namespace {

/// Calls answered before another sandbox has its turn.
constexpr int kMostAtOnce = 32;
/// Different calls that are told apart; a program that tries more than that is told of well enough.
constexpr size_t kMostKeys = 128;

std::vector<uint64_t> room(size_t kernels, size_t ours) {
  return std::vector<uint64_t>(std::max(kernels, ours) / sizeof(uint64_t) + 1);
}

/// proc_pid_comm(5); the process waits for its answer meanwhile.
std::string command_of(uint32_t pid) {
  char path[32];
  snprintf(path, sizeof path, "/proc/%u/comm", pid);
  Fd file(open(path, O_RDONLY | O_CLOEXEC));
  char name[17] = {};
  ssize_t size = file ? read(file.get(), name, sizeof name - 1) : 0;
  return size > 0 ? std::string(name, static_cast<size_t>(size) - 1) : std::string();  // without the line's end
}

/// What was wanted of a call of many faces: a socket's family, an ioctl's request, the flags of a clone.
uint64_t telling_argument(const seccomp_data& call) {
  switch (call.nr) {
    case SYS_socket:
    case SYS_socketpair:
    case SYS_personality:
      return static_cast<uint32_t>(call.args[0]);
    case SYS_clone:
    case SYS_unshare:
      return call.args[0];
    case SYS_ioctl:
      return static_cast<uint32_t>(call.args[1]);
    default:
      return 0;
  }
}

}  // namespace

NotificationRoom::NotificationRoom() {
  seccomp_notif_sizes sizes = {};
  syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &sizes);
  call_ = room(sizes.seccomp_notif, sizeof(seccomp_notif));
  answer_ = room(sizes.seccomp_notif_resp, sizeof(seccomp_notif_resp));
}

void NotificationRoom::clear() {
  std::fill(call_.begin(), call_.end(), 0);
  std::fill(answer_.begin(), answer_.end(), 0);
}

int DenialSource::prepare() {
  if (int error = news_.make(); error != 0) return error;
  news_heard_ = news_.copy();
  return news_heard_ ? 0 : errno;
}

void DenialSource::open(Fd listener, std::shared_ptr<Event> answerer) {
  std::lock_guard lock(mutex_);
  listener_ = std::move(listener);
  answerer_ = std::move(answerer);
}

void DenialSource::close() {
  std::lock_guard lock(mutex_);
  // JavaScript may hold on to this object until its next garbage collection: its fds must not wait for that.
  news_ = Event();
  news_heard_.reset();
  if (!listener_) return;
  // A thread that polls it keeps it open until it is woken.
  listener_.reset();
  answerer_->happen();
}

int DenialSource::fd() {
  std::lock_guard lock(mutex_);
  return listener_.get();
}

bool DenialSource::answer(NotificationRoom& room) {
  for (int i = 0; i < kMostAtOnce; i++) {
    // Held for one call at a time: JavaScript's thread waits for this.
    std::lock_guard lock(mutex_);
    if (!listener_) return false;
    // Asked each time, as the kernel's own wait has no non-blocking form. Whoever wakes us may have been killed since.
    pollfd waiting = {listener_.get(), POLLIN, 0};
    if (::poll(&waiting, 1, 0) <= 0) return true;
    if ((waiting.revents & POLLIN) == 0) {
      listener_.reset();  // nobody is left under the filter
      return false;
    }
    if (!answer_one(room)) return true;
  }
  return true;
}

bool DenialSource::answer_one(NotificationRoom& room) {
  room.clear();
  seccomp_notif* call = room.call();
  if (ioctl(listener_.get(), SECCOMP_IOCTL_NOTIF_RECV, call) != 0) return errno == ENOENT || errno == EINTR;
  note(*call);
  seccomp_notif_resp* answer = room.answer();
  auto special = answers_.by_syscall.find(call->data.nr);
  answer->id = call->id;
  answer->error = -(special == answers_.by_syscall.end() ? answers_.others : special->second);
  ioctl(listener_.get(), SECCOMP_IOCTL_NOTIF_SEND, answer);  // ENOENT: it was killed while it waited
  return true;
}

void DenialSource::note(const seccomp_notif& call) {
  Key key = {call.data.nr, telling_argument(call.data)};
  auto known = denied_.find(key);
  if (known == denied_.end()) {
    if (denied_.size() >= kMostKeys) return;
    known = denied_.emplace(key, Counted{command_of(call.pid), 0}).first;
  }
  known->second.count++;
  if (!told_) news_.happen();
  told_ = true;
}

Fd DenialSource::take_news() {
  std::lock_guard lock(mutex_);
  return std::move(news_heard_);
}

std::vector<DenialSource::Denial> DenialSource::take() {
  std::lock_guard lock(mutex_);
  told_ = false;
  std::vector<Denial> taken;
  for (auto& [key, counted] : denied_) {
    if (counted.count > 0) taken.push_back({key.first, key.second, counted.command, counted.count});
    counted.count = 0;
  }
  return taken;
}

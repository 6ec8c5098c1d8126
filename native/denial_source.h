// The other side of a filter that tells (seccomp_unotify(2)): every call that it refuses waits here for its errno. The
// answering thread gives it, JavaScript takes the sums. Nothing that is refused is ever let through from here: its
// arguments may change between the look and the act.
#pragma once

#include <linux/seccomp.h>

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "event.h"
#include "fd.h"

/// The errnos that a filter's refused calls get.
struct Answers {
  int others = 0;
  /// By this machine's number, where it differs.
  std::map<int, int> by_syscall;
};

/// Room for one call and its answer, with what a newer kernel's structures have more than ours.
class NotificationRoom {
 public:
  NotificationRoom();
  seccomp_notif* call() { return reinterpret_cast<seccomp_notif*>(call_.data()); }
  seccomp_notif_resp* answer() { return reinterpret_cast<seccomp_notif_resp*>(answer_.data()); }
  void clear();

 private:
  std::vector<uint64_t> call_;
  std::vector<uint64_t> answer_;
};

/// Every member may be called from any thread.
class DenialSource {
 public:
  struct Denial {
    int syscall;
    /// What was wanted of a call of many faces; 0 where there is no such argument.
    uint64_t argument;
    /// Of the process that tried first (proc_pid_comm(5)).
    std::string command;
    uint64_t count;
  };

  explicit DenialSource(Answers answers) : answers_(std::move(answers)) {}

  /// Makes what tells of news; to be called before open().
  /// @return 0 or an errno
  int prepare();
  /// @param answerer told when this is closed
  void open(Fd listener, std::shared_ptr<Event> answerer);
  /// What is refused from now on fails with ENOSYS, and nobody is told.
  void close();

  /// The listener to poll, -1 once it is closed.
  int fd();
  /// Answers what waits now, so that others have their turn as well.
  /// @return false once nobody is left under the filter, or it is closed
  bool answer(NotificationRoom& room);

  /// An event that happens when there is something to take(), and not again before that is done. Given away once.
  Fd take_news();
  /// What was refused since the last time.
  std::vector<Denial> take();

 private:
  /// A call, with the one argument that says what was wanted of it, where there is one.
  using Key = std::pair<int, uint64_t>;

  struct Counted {
    std::string command;
    uint64_t count = 0;
  };

  /// @return false when there was none
  bool answer_one(NotificationRoom& room);
  void note(const seccomp_notif& call);

  const Answers answers_;
  Event news_;
  Fd news_heard_;
  std::mutex mutex_;
  Fd listener_;
  std::shared_ptr<Event> answerer_;
  std::map<Key, Counted> denied_;
  bool told_ = false;
};

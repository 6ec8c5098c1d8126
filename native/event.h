// Wakes whoever polls (eventfd(2)): from one thread to another.
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <sys/eventfd.h>

#include "fd.h"

class Event {
 public:
  /// @return 0 or an errno
  int make() {
    fd_.reset(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    return fd_ ? 0 : errno;
  }
  int fd() const { return fd_.get(); }
  Fd copy() const { return Fd(fcntl(fd_.get(), F_DUPFD_CLOEXEC, 3)); }
  void happen() const { eventfd_write(fd_.get(), 1); }
  /// Of the event or of a copy of it: it can be polled for anew.
  static void forget(int fd) {
    eventfd_t count;
    eventfd_read(fd, &count);
  }

 private:
  Fd fd_;
};

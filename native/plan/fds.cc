// The step that puts every fd in its place and closes all others.

#include <errno.h>
#include <fcntl.h>

#include "attempt.h"
#include "steps.h"

namespace plan {

namespace {

// The kernel's own; libc's differs.
struct KernelDirent {
  uint64_t inode;
  int64_t offset;
  uint16_t length;
  uint8_t type;
  char name[];
};

/// Copies an fd to the first free number from `minimum` on, close-on-exec.
Outcome move_up(int* fd, size_t minimum) {
  if (*fd < 0 || *fd >= static_cast<int>(minimum)) return {};
  Outcome r = attempt(SYS_fcntl, *fd, F_DUPFD_CLOEXEC, minimum);
  if (r) *fd = static_cast<int>(r.value);
  return r;
}

/// What becomes fd `i`: the command's own, then the helper's, then the extra ones.
int* kept_fd(Context& context, size_t i) {
  if (i < context.fd_count) return &context.fds[i];
  i -= context.fd_count;
  constexpr size_t helpers = static_cast<size_t>(HelperFd::count);
  return i < helpers ? &context.helper_fds[i] : &context.extra_fds[i - helpers];
}

/// Closes every fd from `first` on. Before Linux 5.9, and under filters that do not know close_range(2), the open ones
/// are read from /proc; counting up to the limit instead could take a thousand million calls.
Outcome close_from(const Context& context, size_t first) {
  Outcome closed = attempt(SYS_close_range, first, ~0U, 0);
  if (closed.error != ENOSYS || context.proc_fd < 0) return closed;
  Outcome folder = attempt(SYS_openat, context.proc_fd, "self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (!folder) return folder;
  alignas(KernelDirent) char entries[1024];
  for (;;) {
    Outcome read = attempt(SYS_getdents64, folder.value, entries, sizeof entries);
    if (!read) return read;
    if (read.value == 0) break;
    for (long at = 0; at < read.value;) {
      auto* entry = reinterpret_cast<KernelDirent*>(entries + at);
      at += entry->length;
      if (entry->name[0] == '.') continue;
      long fd = 0;
      for (const char* digit = entry->name; *digit != 0; digit++) fd = fd * 10 + (*digit - '0');
      if (fd >= static_cast<long>(first) && fd != folder.value) sys::call(SYS_close, fd);
    }
  }
  return attempt(SYS_close, folder.value);
}

}  // namespace

// Two passes, as in Go's forkAndExecInChild: what stands in the way of fd 0..n-1 is moved up first, then everything is
// put in its place. Whatever else is open is closed.
Outcome step_fds(const Step&, Context& context) {
  bool helper = context.helper_fd >= 0;
  size_t behind = context.fd_count;
  size_t extra = behind + (helper ? static_cast<size_t>(HelperFd::count) : 0);
  size_t kept = extra + (helper ? context.extra_count : 0);
  size_t first_free = kept + 3;  // room for our own error pipe, the helper's executable and the listener's socket

  for (size_t i = 0; i < kept; i++) {
    int* from = kept_fd(context, i);
    Outcome r = move_up(from, first_free);
    if (i >= extra && r.error == EBADF) {
      *from = -1;  // the step that names it tells
    } else if (!r) {
      return r.at(static_cast<int>(i));
    }
  }
  if (Outcome r = move_up(&context.error_fd, first_free); !r) return r;
  if (Outcome r = move_up(&context.helper_fd, first_free); !r) return r;
  if (Outcome r = move_up(&context.listener_fd, first_free); !r) return r;
  if (Outcome r = move_up(&context.proc_fd, first_free); !r) return r;

  for (size_t i = 0; i < kept; i++) {
    int from = *kept_fd(context, i);
    if (from < 0) {
      sys::call(SYS_close, i);  // it may not have been open
    } else if (Outcome r = attempt(SYS_dup3, from, i, 0); i >= extra && r.error == EBADF) {
      sys::call(SYS_close, i);
    } else if (!r) {
      return r.at(static_cast<int>(i));
    }
  }
  int next = static_cast<int>(kept);
  int* const ours[] = {&context.error_fd, &context.helper_fd, &context.listener_fd};
  for (int* own : ours) {
    if (*own >= 0) {
      if (Outcome r = attempt(SYS_dup3, *own, next, O_CLOEXEC); !r) return r;
      *own = next;
    } else {
      sys::call(SYS_close, next);
    }
    next++;
  }
  return close_from(context, first_free);
}

}  // namespace plan

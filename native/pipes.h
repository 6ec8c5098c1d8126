// What parent and child talk through: pipes, sockets, memory. Everything is close-on-exec from its birth, so that a
// process which somebody else starts at the same moment inherits nothing.
#pragma once

#include <sys/types.h>
#include <cerrno>
#include <cstddef>
#include <cstdint>

#include "fd.h"

/// Where on the parent's side a spawn failed; the first two steps of every plan.
enum class Stage : int32_t { prepare = 0, clone = 1 };

/// Thrown by what prepares a spawn; ends up in its error record.
struct Failure {
  Stage stage;
  long syscall;
  int error;
};

/// Throws a Failure with errno unless `ok`.
inline void check(bool ok, long syscall) {
  if (!ok) throw Failure{Stage::prepare, syscall, errno};
}

struct Pair {
  Fd ours;
  Fd childs;
};

Pair make_pipe(bool child_reads);
Pair make_socketpair();

/// A memfd with a copy of `bytes`; no fd when that fails, with the reason in errno.
Fd make_memfd(const char* name, unsigned flags, const void* bytes, size_t size);

/// The same for data that nobody executes: an unnamed temporary file where there are no memfds.
Fd make_memory_file(const char* name, const void* bytes, size_t size);

/// Waits for a byte on a socket with SO_PASSCRED.
/// @return the sender's pid as we see it; 0 when there will be none
pid_t receive_sender(int socket);

/// The fd that was sent over a socket; it must be there already.
Fd receive_fd(int socket);

/// The same, where the other side had nothing to send.
Fd receive_fd_if_any(int socket);

#include "pipes.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/memfd.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "plan/syscalls.h"

Pair make_pipe(bool child_reads) {
  int ends[2];
  check(pipe2(ends, O_CLOEXEC) == 0, SYS_pipe2);
  return child_reads ? Pair{Fd(ends[1]), Fd(ends[0])} : Pair{Fd(ends[0]), Fd(ends[1])};
}

Pair make_socketpair() {
  int ends[2];
  check(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0, SYS_socketpair);
  return {Fd(ends[0]), Fd(ends[1])};
}

namespace {

/// @return whether all of it was written; otherwise the reason is in errno
bool write_all(int fd, const void* bytes, size_t size) {
  auto* data = static_cast<const char*>(bytes);
  for (size_t done = 0; done < size;) {
    ssize_t n = write(fd, data + done, size - done);
    if (n < 0) return false;
    done += static_cast<size_t>(n);
  }
  return true;
}

Fd filled(Fd file, const void* bytes, size_t size) {
  return file && write_all(file.get(), bytes, size) ? std::move(file) : Fd();
}

/// Receives one byte and what came beside it (unix(7)).
/// @return 0 or an errno: ENODATA when the other side has closed without a word
template <typename T>
int receive(int socket, int flags, int type, T* beside) {
  char byte;
  iovec data = {&byte, 1};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(T))];
  msghdr message = {};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  ssize_t size = recvmsg(socket, &message, MSG_CMSG_CLOEXEC | flags);
  if (size <= 0) return size < 0 ? errno : ENODATA;
  // The kernel's way to say that there was no place for the fd.
  if ((message.msg_flags & MSG_CTRUNC) != 0) return EMFILE;
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  if (header == nullptr || header->cmsg_type != type) return EBADMSG;
  memcpy(beside, CMSG_DATA(header), sizeof *beside);
  return 0;
}

}  // namespace

Fd make_memfd(const char* name, unsigned flags, const void* bytes, size_t size) {
  Fd memory(memfd_create(name, flags | MFD_CLOEXEC));
  return filled(std::move(memory), bytes, size);
}

Fd make_memory_file(const char* name, const void* bytes, size_t size) {
  Fd memory = make_memfd(name, 0, bytes, size);
  if (memory || errno == EMFILE || errno == ENFILE || errno == ENOMEM) return memory;
  return filled(Fd(open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600)), bytes, size);
}

pid_t receive_sender(int socket) {
  ucred sender = {};
  return receive(socket, 0, SCM_CREDENTIALS, &sender) == 0 ? sender.pid : 0;
}

Fd receive_fd(int socket) {
  int fd = -1;
  if (int error = receive(socket, MSG_DONTWAIT, SCM_RIGHTS, &fd); error != 0) {
    throw Failure{Stage::prepare, SYS_recvmsg, error};
  }
  return Fd(fd);
}

Fd receive_fd_if_any(int socket) {
  int fd = -1;
  int error = receive(socket, MSG_DONTWAIT, SCM_RIGHTS, &fd);
  if (error != 0 && error != ENODATA && error != EAGAIN) throw Failure{Stage::prepare, SYS_recvmsg, error};
  return Fd(fd);
}

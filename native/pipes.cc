#include "pipes.h"

#include <fcntl.h>
#include <linux/memfd.h>
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

Fd make_memfd(const char* name, unsigned flags, const void* bytes, size_t size) {
  Fd memory(static_cast<int>(sys::call(SYS_memfd_create, name, flags | MFD_CLOEXEC)));
  if (!memory) return memory;
  auto* data = static_cast<const char*>(bytes);
  for (size_t done = 0; done < size;) {
    ssize_t n = write(memory.get(), data + done, size - done);
    if (n < 0) return Fd();
    done += static_cast<size_t>(n);
  }
  return memory;
}

Fd receive_fd(int socket) {
  char byte;
  iovec data = {&byte, 1};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))];
  msghdr message = {};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  check(recvmsg(socket, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT) == 1, SYS_recvmsg);
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  if (header == nullptr || header->cmsg_type != SCM_RIGHTS) throw Failure{Stage::prepare, SYS_recvmsg, EBADMSG};
  return Fd(*reinterpret_cast<int*>(CMSG_DATA(header)));
}

// How an fd that only the child can make gets to the parent: beside a byte on a socket (unix(7)).
#pragma once

#include <sys/socket.h>

#include "attempt.h"

namespace plan {

inline Outcome send_fd(int socket, int fd) {
  char byte = 0;
  iovec data = {&byte, 1};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof fd)] = {};
  msghdr message = {};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof fd);
  *reinterpret_cast<int*>(CMSG_DATA(header)) = fd;
  return attempt(SYS_sendmsg, socket, &message, MSG_NOSIGNAL);
}

}  // namespace plan

// Sockets of every kind: to the machine's own services, to its network, to what is outside of it.

#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/vm_sockets.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/ip_icmp.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cstddef>

#include "attempt.h"

namespace {

constexpr int WAIT_MS = 1500;

/** Prints what comes; the peers of the suite speak first, or answer at once. */
void print_answer(int fd, const char* call) {
  pollfd wait{fd, POLLIN, 0};
  if (poll(&wait, 1, WAIT_MS) == 0) refused(call, ETIMEDOUT);
  if (!print_all(fd)) refused(call, errno == 0 ? ECONNRESET : errno);
}

sockaddr_in address_of(const std::string& host, int port) {
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<uint16_t>(port));
  inet_pton(AF_INET, host.c_str(), &to.sin_addr);
  return to;
}

/** For the suite itself: a service at a path as it is written, relative perhaps. Ends with its input. */
void serve(const Arguments& a) {
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) refused("socket");
  sockaddr_un at{};
  at.sun_family = AF_UNIX;
  snprintf(at.sun_path, sizeof at.sun_path, "%s", a[0].c_str());
  if (bind(fd, reinterpret_cast<sockaddr*>(&at), sizeof at) < 0) refused("bind");
  if (listen(fd, 4) < 0) refused("listen");
  printf("ready\n");
  fflush(stdout);
  pollfd waits[] = {{fd, POLLIN, 0}, {0, POLLIN, 0}};
  while (poll(waits, 2, -1) > 0 && waits[1].revents == 0) {
    int peer = accept(fd, nullptr, nullptr);
    if (peer < 0) continue;
    if (write(peer, a[1].data(), a[1].size()) < 0) refused("write");
    close(peer);
  }
}

void tcp(const Arguments& a) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) refused("socket");
  sockaddr_in to = address_of(a[0], number(a[1]));
  if (connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof to) < 0) refused("connect");
  print_answer(fd, "read");
}

void udp(const Arguments& a) {
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) refused("socket");
  sockaddr_in to = address_of(a[0], number(a[1]));
  if (sendto(fd, "?", 1, 0, reinterpret_cast<sockaddr*>(&to), sizeof to) < 0) refused("sendto");
  print_answer(fd, "read");
}

/** A path, or with "@" in front a name in the abstract namespace. */
void unix_socket(const Arguments& a) {
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) refused("socket");
  sockaddr_un to{};
  to.sun_family = AF_UNIX;
  if (a[0].size() >= sizeof to.sun_path) refused("connect", ENAMETOOLONG);
  memcpy(to.sun_path, a[0].data(), a[0].size());
  if (a[0][0] == '@') to.sun_path[0] = '\0';
  auto exact = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + a[0].size() + (a[0][0] == '@' ? 0 : 1));
  // Some programs, older versions of Node among them, bind the whole of the field, zeros included.
  if (connect(fd, reinterpret_cast<sockaddr*>(&to), exact) < 0 &&
      (a[0][0] != '@' || connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof to) < 0)) {
    refused("connect");
  }
  print_answer(fd, "read");
}

/** The agent, where the environment says that it is. */
void agent(const Arguments&) {
  const char* path = getenv("SSH_AUTH_SOCK");
  if (path == nullptr) refused("getenv", ENOENT);
  unix_socket({path});
}

/** Asks the kernel for the interfaces; the host has others than its loopback. */
void netlink_links(const Arguments& a) {
  int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
  if (fd < 0) refused("socket");
  struct {
    nlmsghdr header;
    ifinfomsg body;
  } request{};
  request.header.nlmsg_len = sizeof request;
  request.header.nlmsg_type = RTM_GETLINK;
  request.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  if (send(fd, &request, sizeof request, 0) < 0) refused("send");
  alignas(nlmsghdr) char buffer[32768];
  for (ssize_t size; (size = recv(fd, buffer, sizeof buffer, 0)) > 0;) {
    auto left = static_cast<unsigned>(size);
    for (auto* one = reinterpret_cast<nlmsghdr*>(buffer); NLMSG_OK(one, left); one = NLMSG_NEXT(one, left)) {
      if (one->nlmsg_type == NLMSG_DONE) refused("an interface but lo", ENODEV);
      if (one->nlmsg_type == NLMSG_ERROR) refused("recv", EPERM);
      auto* link = static_cast<ifinfomsg*>(NLMSG_DATA(one));
      if (one->nlmsg_type == RTM_NEWLINK && (link->ifi_flags & IFF_LOOPBACK) == 0) proved(a[0]);
    }
  }
  refused("recv");
}

/** Listens to what goes over the wire: prints the datagrams to a port. */
void sniff(const Arguments& a) {
  int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETH_P_ALL));
  if (fd < 0) refused("socket");
  for (int tries = 0; tries < 200; tries++) {
    pollfd wait{fd, POLLIN, 0};
    if (poll(&wait, 1, WAIT_MS) <= 0) break;
    char buffer[2048];
    ssize_t size = recv(fd, buffer, sizeof buffer, 0);
    constexpr ssize_t HEADERS = sizeof(ether_header) + sizeof(iphdr) + sizeof(udphdr);
    if (size <= HEADERS) continue;
    udphdr header;
    memcpy(&header, buffer + sizeof(ether_header) + sizeof(iphdr), sizeof header);
    if (ntohs(header.dest) != number(a[0])) continue;
    fwrite(buffer + HEADERS, 1, static_cast<size_t>(size - HEADERS), stdout);
    return;
  }
  refused("recv", ETIMEDOUT);
}

/** The way to the host of a virtual machine, which no network namespace stands in. */
void vsock(const Arguments& a) {
  if (socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC, 0) < 0) refused("socket");
  proved(a[0]);
}

uint16_t checksum(const icmphdr& header) {
  uint16_t words[sizeof header / 2];
  memcpy(words, &header, sizeof header);
  uint32_t sum = 0;
  for (uint16_t word : words) sum += word;
  sum = (sum >> 16) + (sum & 0xffff);
  return static_cast<uint16_t>(~(sum + (sum >> 16)));
}

/** An echo from the machine's own address on its network, by a raw socket or the unprivileged kind. */
void ping(const Arguments& a) {
  int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMP);
  if (fd < 0) fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_ICMP);
  if (fd < 0) refused("socket");
  icmphdr echo{};
  echo.type = ICMP_ECHO;
  echo.checksum = checksum(echo);
  sockaddr_in to = address_of(a[0], 0);
  if (sendto(fd, &echo, sizeof echo, 0, reinterpret_cast<sockaddr*>(&to), sizeof to) < 0) refused("sendto");
  pollfd wait{fd, POLLIN, 0};
  if (poll(&wait, 1, WAIT_MS) <= 0) refused("recv", ETIMEDOUT);
  proved(a[1]);
}

}  // namespace

const std::vector<Attempt> socket_attempts = {
    {"serve", 2, serve},      {"tcp", 2, tcp},     {"udp", 2, udp},
    {"unix", 1, unix_socket}, {"agent", 0, agent}, {"netlink-links", 1, netlink_links},
    {"sniff", 1, sniff},      {"vsock", 1, vsock}, {"ping", 2, ping},
};

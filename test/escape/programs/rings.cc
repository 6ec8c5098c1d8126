// io_uring: the kernel does what a ring says, and no filter of system calls sees it. By hand, as a sandbox need not
// have liburing: io_uring_setup(2), one submission, one completion.

#include <arpa/inet.h>
#include <linux/io_uring.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <atomic>

#include "attempt.h"

namespace {

/** A ring with room for one entry. */
class Ring {
 public:
  Ring() {
    fd_ = static_cast<int>(syscall(SYS_io_uring_setup, 1, &parameters_));
    if (fd_ < 0) refused("io_uring_setup");
    const auto& p = parameters_;
    submissions_ = map(p.sq_off.array + p.sq_entries * sizeof(uint32_t), IORING_OFF_SQ_RING);
    completions_ = map(p.cq_off.cqes + p.cq_entries * sizeof(io_uring_cqe), IORING_OFF_CQ_RING);
    entries_ = reinterpret_cast<io_uring_sqe*>(map(p.sq_entries * sizeof(io_uring_sqe), IORING_OFF_SQES));
  }

  /** Does one thing and waits for it. @return what its system call would have */
  int run(const io_uring_sqe& entry) {
    entries_[0] = entry;
    *reinterpret_cast<uint32_t*>(submissions_ + parameters_.sq_off.array) = 0;
    at(submissions_, parameters_.sq_off.tail)->fetch_add(1);
    if (syscall(SYS_io_uring_enter, fd_, 1, 1, IORING_ENTER_GETEVENTS, nullptr, 0) < 0) refused("io_uring_enter");
    uint32_t head = at(completions_, parameters_.cq_off.head)->fetch_add(1);
    auto* results = reinterpret_cast<io_uring_cqe*>(completions_ + parameters_.cq_off.cqes);
    return results[head & (parameters_.cq_entries - 1)].res;
  }

 private:
  char* map(size_t size, off_t offset) const {
    void* place = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd_, offset);
    if (place == MAP_FAILED) refused("mmap");
    return static_cast<char*>(place);
  }

  static std::atomic<uint32_t>* at(char* base, uint32_t offset) {
    return reinterpret_cast<std::atomic<uint32_t>*>(base + offset);
  }

  io_uring_params parameters_{};
  int fd_;
  char* submissions_;
  char* completions_;
  io_uring_sqe* entries_;
};

/** Opens and reads a file. */
void ring_read(const Arguments& a) {
  Ring ring;
  io_uring_sqe open_it{};
  open_it.opcode = IORING_OP_OPENAT;
  open_it.fd = AT_FDCWD;
  open_it.addr = reinterpret_cast<uintptr_t>(a[0].c_str());
  open_it.open_flags = O_RDONLY;
  int file = ring.run(open_it);
  if (file < 0) refused("openat", -file);
  static char buffer[512];
  io_uring_sqe read_it{};
  read_it.opcode = IORING_OP_READ;
  read_it.fd = file;
  read_it.addr = reinterpret_cast<uintptr_t>(buffer);
  read_it.len = sizeof buffer;
  int size = ring.run(read_it);
  if (size <= 0) refused("read", -size);
  fwrite(buffer, 1, static_cast<size_t>(size), stdout);
}

/** Connects to a service of the machine. */
void ring_connect(const Arguments& a) {
  Ring ring;
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) refused("socket");
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<uint16_t>(number(a[1])));
  inet_pton(AF_INET, a[0].c_str(), &to.sin_addr);
  io_uring_sqe connect_it{};
  connect_it.opcode = IORING_OP_CONNECT;
  connect_it.fd = fd;
  connect_it.addr = reinterpret_cast<uintptr_t>(&to);
  connect_it.off = sizeof to;
  int result = ring.run(connect_it);
  if (result < 0) refused("connect", -result);
  if (!print_all(fd)) refused("read");
}

/** A ring at all. */
void ring_setup(const Arguments& a) {
  Ring ring;
  proved(a[0]);
}

}  // namespace

const std::vector<Attempt> ring_attempts = {
    {"ring-setup", 1, ring_setup},
    {"ring-read", 1, ring_read},
    {"ring-connect", 2, ring_connect},
};

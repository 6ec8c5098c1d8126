// Memory that processes share with those outside: System V and POSIX objects, keys, and files that are mapped.

#include <linux/keyctl.h>
#include <mqueue.h>
#include <sys/mman.h>
#include <sys/shm.h>

#include "attempt.h"

namespace {

constexpr size_t SIZE = 4096;

/** For the suite itself; prints the segment's id, by which it is removed. */
void make_segment(const Arguments& a) {
  int id = shmget(number(a[0]), SIZE, IPC_CREAT | IPC_EXCL | 0600);
  if (id < 0) refused("shmget");
  void* at = shmat(id, nullptr, 0);
  if (at == reinterpret_cast<void*>(-1)) refused("shmat");
  snprintf(static_cast<char*>(at), SIZE, "%s", a[1].c_str());
  printf("%d\n", id);
}

void remove_segment(const Arguments& a) {
  if (shmctl(number(a[0]), IPC_RMID, nullptr) < 0) refused("shmctl");
}

void read_segment(const Arguments& a) {
  int id = shmget(number(a[0]), 0, 0);
  if (id < 0) refused("shmget");
  void* at = shmat(id, nullptr, SHM_RDONLY);
  if (at == reinterpret_cast<void*>(-1)) refused("shmat");
  printf("%s\n", static_cast<char*>(at));
}

/** For the suite itself. */
void make_queue(const Arguments& a) {
  mq_attr limits{};
  limits.mq_maxmsg = 1;
  limits.mq_msgsize = 256;
  mqd_t queue = mq_open(a[0].c_str(), O_CREAT | O_EXCL | O_RDWR, 0600, &limits);
  if (queue < 0) refused("mq_open");
  if (mq_send(queue, a[1].data(), a[1].size(), 0) < 0) refused("mq_send");
}

void remove_queue(const Arguments& a) {
  if (mq_unlink(a[0].c_str()) < 0) refused("mq_unlink");
}

void read_queue(const Arguments& a) {
  mqd_t queue = mq_open(a[0].c_str(), O_RDONLY | O_NONBLOCK);
  if (queue < 0) refused("mq_open");
  char buffer[256];
  ssize_t size = mq_receive(queue, buffer, sizeof buffer, nullptr);
  if (size < 0) refused("mq_receive");
  printf("%.*s\n", static_cast<int>(size), buffer);
}

long keyctl(int operation, long first, long second = 0, long third = 0, long fourth = 0) {
  return syscall(SYS_keyctl, operation, first, second, third, fourth);
}

void print_key(long serial) {
  char buffer[256] = {};
  if (keyctl(KEYCTL_READ, serial, reinterpret_cast<long>(buffer), sizeof buffer - 1) < 0) refused("keyctl");
  printf("%s\n", buffer);
}

/** For the suite itself: a key that any process of the user may read, as a login puts one there. Prints its number. */
void make_key(const Arguments& a) {
  long serial = syscall(SYS_add_key, "user", a[0].c_str(), a[1].c_str(), a[1].size(), KEY_SPEC_USER_KEYRING);
  if (serial < 0) refused("add_key");
  if (keyctl(KEYCTL_SETPERM, serial, 0x3f3f0000) < 0) refused("keyctl");
  printf("%ld\n", serial);
}

void remove_key(const Arguments& a) {
  if (keyctl(KEYCTL_UNLINK, number(a[0]), KEY_SPEC_USER_KEYRING) < 0) refused("keyctl");
}

void read_key(const Arguments& a) {
  print_key(number(a[0]));
}

/** Through every keyring that a process has without asking. */
void find_key(const Arguments& a) {
  for (long keyring : {KEY_SPEC_SESSION_KEYRING, KEY_SPEC_USER_KEYRING, KEY_SPEC_USER_SESSION_KEYRING}) {
    long serial = keyctl(KEYCTL_SEARCH, keyring, reinterpret_cast<long>("user"), reinterpret_cast<long>(a[0].c_str()));
    if (serial >= 0) return print_key(serial);
  }
  refused("keyctl");
}

/**
 * A mapping of a file, made writable afterwards. The file is opened for writing where that is allowed, so that the
 * attempt itself is sound.
 */
void make_writable(const Arguments& a) {
  int file = open(a[0].c_str(), O_RDWR | O_CLOEXEC);
  if (file < 0) file = open(a[0].c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) refused("open");
  void* at = mmap(nullptr, SIZE, PROT_READ, MAP_SHARED, file, 0);
  if (at == MAP_FAILED) refused("mmap");
  if (mprotect(at, SIZE, PROT_READ | PROT_WRITE) < 0) refused("mprotect");
  memcpy(at, a[1].data(), a[1].size());
}

}  // namespace

const std::vector<Attempt> memory_attempts = {
    {"make-segment", 2, make_segment}, {"remove-segment", 1, remove_segment}, {"read-segment", 1, read_segment},
    {"make-queue", 2, make_queue},     {"remove-queue", 1, remove_queue},     {"read-queue", 1, read_queue},
    {"make-key", 2, make_key},         {"remove-key", 1, remove_key},         {"read-key", 1, read_key},
    {"find-key", 1, find_key},         {"make-writable", 2, make_writable},
};

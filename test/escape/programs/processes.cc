// Other processes: the victim outside, and the sandbox's own PID 1.

#include <linux/kcmp.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "attempt.h"

namespace {

volatile sig_atomic_t signalled = 0;

/**
 * For the suite itself: a process outside with a secret in its memory and an open file. Says where both are, answers
 * each byte of its input by whether it was signalled, and ends with it.
 */
void victim(const Arguments& a) {
  static char secret[256];
  snprintf(secret, sizeof secret, "%s", a[0].c_str());
  int file = open(a[1].c_str(), O_RDONLY);
  if (file < 0) refused("open");
  struct sigaction note {};
  note.sa_handler = [](int) { signalled = 1; };
  sigaction(SIGUSR1, &note, nullptr);
  printf("%d %llu %d\n", getpid(), static_cast<unsigned long long>(reinterpret_cast<uintptr_t>(secret)), file);
  fflush(stdout);
  char byte;
  long n;
  while ((n = read(0, &byte, 1)) == 1 || (n < 0 && errno == EINTR)) {
    if (n < 0) continue;
    printf(signalled != 0 ? "signalled\n" : "left alone\n");
    fflush(stdout);
  }
}

void signal_by_pid(const Arguments& a) {
  if (kill(number(a[0]), SIGUSR1) < 0) refused("kill");
}

void signal_by_pidfd(const Arguments& a) {
  auto fd = static_cast<int>(syscall(SYS_pidfd_open, number(a[0]), 0));
  if (fd < 0) refused("pidfd_open");
  if (syscall(SYS_pidfd_send_signal, fd, SIGUSR1, nullptr, 0) < 0) refused("pidfd_send_signal");
}

/** As the owner of a socket that input comes to: fcntl(2), F_SETOWN. */
void signal_by_owner(const Arguments& a) {
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0) refused("socketpair");
  if (fcntl(pair[0], F_SETOWN, number(a[0])) < 0) refused("fcntl");
  if (fcntl(pair[0], F_SETSIG, SIGUSR1) < 0 || fcntl(pair[0], F_SETFL, O_ASYNC) < 0) refused("fcntl");
  if (write(pair[1], "x", 1) < 0) refused("write");
}

void trace(const Arguments& a) {
  if (ptrace(PTRACE_SEIZE, number(a[0]), nullptr, nullptr) < 0) refused("ptrace");
  proved(a[1]);
}

uintptr_t address(const std::string& text) {
  return strtoull(text.c_str(), nullptr, 10);
}

void read_memory(const Arguments& a) {
  char buffer[128] = {};
  iovec here{buffer, sizeof buffer - 1};
  iovec there{reinterpret_cast<void*>(address(a[1])), sizeof buffer - 1};
  if (process_vm_readv(number(a[0]), &here, 1, &there, 1, 0) < 0) refused("process_vm_readv");
  printf("%s\n", buffer);
}

void read_memory_file(const Arguments& a) {
  int fd = open(("/proc/" + a[0] + "/mem").c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) refused("open");
  char buffer[128] = {};
  if (pread(fd, buffer, sizeof buffer - 1, static_cast<off_t>(address(a[1]))) <= 0) refused("pread");
  printf("%s\n", buffer);
}

void take_descriptor(const Arguments& a) {
  auto process = static_cast<int>(syscall(SYS_pidfd_open, number(a[0]), 0));
  if (process < 0) refused("pidfd_open");
  auto fd = static_cast<int>(syscall(SYS_pidfd_getfd, process, number(a[1]), 0));
  if (fd < 0) refused("pidfd_getfd");
  lseek(fd, 0, SEEK_SET);
  if (!print_all(fd)) refused("read");
}

void compare(const Arguments& a) {
  if (syscall(SYS_kcmp, number(a[0]), getpid(), KCMP_FILE, 0, 0) < 0) refused("kcmp");
  proved(a[1]);
}

void change_limit(const Arguments& a) {
  rlimit none{0, 0};
  if (prlimit(number(a[0]), RLIMIT_CORE, &none, nullptr) < 0) refused("prlimit");
  proved(a[1]);
}

void change_priority(const Arguments& a) {
  if (setpriority(PRIO_PROCESS, static_cast<id_t>(number(a[0])), 5) < 0) refused("setpriority");
  proved(a[1]);
}

/** The variables of every other process, where they hold the mark. */
void other_environments(const Arguments& a) {
  for (const std::string& pid : other_processes()) {
    int fd = open(("/proc/" + pid + "/environ").c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) continue;
    std::string all;
    char buffer[4096];
    for (ssize_t size; (size = read(fd, buffer, sizeof buffer)) > 0;) all.append(buffer, static_cast<size_t>(size));
    close(fd);
    size_t at = all.find(a[0] + "=");
    if (at != std::string::npos) {
      printf("%s\n", all.c_str() + at);
      return;
    }
  }
  refused("open");
}

void own_environment(const Arguments& a) {
  const char* value = getenv(a[0].c_str());
  if (value == nullptr) refused("getenv", ENOENT);
  printf("%s\n", value);
}

/**
 * The program that a process runs, opened for writing once that has ended: how CVE-2019-5736 wrote over runc. The
 * process is asked to end first; a sandbox's own PID 1 does not do so.
 */
void overwrite_program(const Arguments& a) {
  int fd = open(("/proc/" + a[0] + "/exe").c_str(), O_PATH | O_CLOEXEC);
  if (fd < 0) refused("open");
  kill(number(a[0]), SIGTERM);
  const std::string link = "/proc/self/fd/" + std::to_string(fd);
  int last = 0;
  for (int tries = 0; tries < 100; tries++) {
    if (open(link.c_str(), O_WRONLY | O_CLOEXEC) >= 0) proved(a[1]);
    last = errno;
    if (last != ETXTBSY) break;
    usleep(10'000);
  }
  refused("open", last);
}

/** The memory of a process, opened for writing. */
void write_memory(const Arguments& a) {
  if (open(("/proc/" + a[0] + "/mem").c_str(), O_RDWR | O_CLOEXEC) < 0) refused("open");
  proved(a[1]);
}

/** Whether the program that this is gave its user: for a file with the set-user-ID bit. */
void effective_user(const Arguments& a) {
  if (geteuid() != static_cast<uid_t>(number(a[0]))) refused("geteuid", EPERM);
  proved(a[1]);
}

/** Whether this process has any capability: for a file with some. */
void any_capability(const Arguments& a) {
  FILE* status = fopen("/proc/self/status", "re");
  if (status == nullptr) refused("fopen");
  char line[256];
  while (fgets(line, sizeof line, status) != nullptr) {
    if (strncmp(line, "CapEff:", 7) == 0 && strtoull(line + 7, nullptr, 16) != 0) proved(a[0]);
  }
  refused("capget", EPERM);
}

}  // namespace

const std::vector<Attempt> process_attempts = {
    {"victim", 2, victim},
    {"signal-by-pid", 1, signal_by_pid},
    {"signal-by-pidfd", 1, signal_by_pidfd},
    {"signal-by-owner", 1, signal_by_owner},
    {"trace", 2, trace},
    {"read-memory", 2, read_memory},
    {"read-memory-file", 2, read_memory_file},
    {"take-descriptor", 2, take_descriptor},
    {"compare", 2, compare},
    {"change-limit", 2, change_limit},
    {"change-priority", 2, change_priority},
    {"other-environments", 1, other_environments},
    {"own-environment", 1, own_environment},
    {"overwrite-program", 2, overwrite_program},
    {"write-memory", 2, write_memory},
    {"effective-user", 2, effective_user},
    {"any-capability", 1, any_capability},
};

// What the kernel itself takes, measured in C. Reads commands from stdin, a line each, does the thing once and answers
// with a line, so that a benchmark can run it in turn with others:
//
//   plain          clone(2) with CLONE_VM, CLONE_VFORK and CLONE_PIDFD, execve(2) of PROGRAM, until its exit is seen
//   seven          the same in seven new namespaces, with the id maps written by the child: microseconds
//   terminal FILE  cat FILE in a new pseudoterminal, read to its end: microseconds and bytes

#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

namespace {

constexpr int kSeven =
    CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP | CLONE_NEWNET;
constexpr idtype_t kPidfd = static_cast<idtype_t>(3);  // P_PIDFD
constexpr int kFailed = 127;

alignas(16) char stack[64 * 1024];
char uid_map[64];
char gid_map[64];

struct Start {
  char* program;
  bool maps;
};

double microseconds() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<double>(now.tv_sec) * 1e6 + static_cast<double>(now.tv_nsec) / 1e3;
}

void put(const char* file, const char* text) {
  int fd = open(file, O_WRONLY | O_CLOEXEC);
  if (fd < 0 || write(fd, text, strlen(text)) < 0) _exit(kFailed);
  close(fd);
}

int child(void* argument) {
  auto* start = static_cast<Start*>(argument);
  if (start->maps) {
    put("/proc/self/setgroups", "deny");
    put("/proc/self/uid_map", uid_map);
    put("/proc/self/gid_map", gid_map);
  }
  char* argv[] = {start->program, nullptr};
  char* envp[] = {nullptr};
  execve(start->program, argv, envp);
  _exit(kFailed);
}

/// Microseconds from the clone to the exit seen; negative when it failed.
double start_once(char* program, int namespaces) {
  Start start = {program, namespaces != 0};
  int pidfd = -1;
  double begin = microseconds();
  int flags = CLONE_VM | CLONE_VFORK | CLONE_PIDFD | namespaces | SIGCHLD;
  int pid = clone(child, stack + sizeof stack, flags, &start, &pidfd);
  if (pid < 0) return -1;
  pollfd wait = {pidfd, POLLIN, 0};
  poll(&wait, 1, -1);
  siginfo_t info = {};
  waitid(kPidfd, static_cast<id_t>(pidfd), &info, WEXITED);
  double end = microseconds();
  close(pidfd);
  return info.si_code == CLD_EXITED && info.si_status == 0 ? end - begin : -1;
}

void read_terminal(const char* file) {
  double begin = microseconds();
  int master = -1;
  pid_t pid = forkpty(&master, nullptr, nullptr, nullptr);
  if (pid == 0) {
    execlp("cat", "cat", file, nullptr);
    _exit(kFailed);
  }
  static char buffer[64 * 1024];
  int64_t bytes = 0;
  // EIO: nobody has the terminal open any more.
  for (ssize_t n; pid > 0 && (n = read(master, buffer, sizeof buffer)) > 0;) bytes += n;
  int status = 0;
  if (pid > 0) waitpid(pid, &status, 0);
  close(master);
  bool ok = pid > 0 && status == 0;
  printf("%.1f %lld\n", ok ? microseconds() - begin : -1, static_cast<long long>(bytes));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  snprintf(uid_map, sizeof uid_map, "%u %u 1\n", geteuid(), geteuid());
  snprintf(gid_map, sizeof gid_map, "%u %u 1\n", getegid(), getegid());
  char line[4096];
  while (fgets(line, sizeof line, stdin) != nullptr) {
    line[strcspn(line, "\n")] = 0;
    if (strncmp(line, "terminal ", 9) == 0) {
      read_terminal(line + 9);
    } else {
      printf("%.1f\n", start_once(argv[1], strcmp(line, "seven") == 0 ? kSeven : 0));
    }
    fflush(stdout);
  }
}

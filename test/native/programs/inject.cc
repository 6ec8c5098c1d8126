// Runs a program under a supervisor that lets single system calls of its children fail, or hang, on command.
//
//   inject COMMAND...
//
// The command gets a socket as fd 3 and asks over it, one line at a time:
//   next ROLE NAME N ERRNO   from now on count anew, and let the N-th call NAME ('*': any) of ROLE fail; ERRNO 0: none,
//                            -1: do not answer it at all. Answer: "ok".
//   log                      Answer: a JSON object a line for each call since then, and "end".
//   injected                 The same for those that did not get their way.
//
// Roles: "main", "spawner" and "writer" are threads of the command (by their names); "child" is a process that it
// starts, "child.1" a process that this one starts. Processes that have executed what they were started for count no
// more. How it works: seccomp_unotify(2); the supervisor itself is not filtered.

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <algorithm>
#include <sstream>

#include "seccomp.h"

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif

#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS SECCOMP_IOW(4, __u64)
#define SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP (1UL << 0)
#endif

namespace {

constexpr int kControlFd = 3;
/// sendmsg(2) on this fd alone is not notified: it hands over the listener, before anybody listens.
constexpr int kHandoverFd = 900;

/// What the event loop, the allocator and the threads' library do all the time, and a child in its set-up never.
constexpr int kNotWatched[] = {
    SYS_brk,         SYS_clock_gettime,   SYS_clock_nanosleep, SYS_epoll_ctl,       SYS_epoll_pwait,
    SYS_exit,        SYS_futex,           SYS_getrandom,       SYS_gettid,          SYS_madvise,
    SYS_mprotect,    SYS_munmap,          SYS_rt_sigreturn,    SYS_restart_syscall, SYS_rseq,
    SYS_sched_yield, SYS_set_robust_list,
#ifdef SYS_epoll_wait
    SYS_epoll_wait,
#endif
};

struct Call {
  std::string role;
  std::string name;
  int error;
  uint64_t arguments[6];
};

struct Process {
  std::string role;
  /// Its name before the latest execve, or empty.
  std::string before_exec;
  bool is_command = false;
};

struct Order {
  std::string role;
  std::string name;
  int occurrence = 0;
  int error = 0;
};

/// A file of a thread's folder in /proc; empty once the thread is gone.
std::string proc_file(pid_t tid, const char* name) {
  char buffer[4096];
  std::string path = "/proc/" + std::to_string(tid) + "/" + name;
  int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return "";
  ssize_t n = read(fd, buffer, sizeof buffer);
  close(fd);
  return std::string(buffer, n < 0 ? 0 : static_cast<size_t>(n));
}

std::string comm_of(pid_t tid) {
  std::string comm = proc_file(tid, "comm");
  return comm.substr(0, comm.find('\n'));
}

/// @return whether the thread is still there
bool read_ids(pid_t tid, pid_t* process, pid_t* parent) {
  std::string status = proc_file(tid, "status");
  auto number = [&](const char* key) {
    size_t at = status.find(key);
    return at == std::string::npos ? 0 : atoi(status.c_str() + at + strlen(key));
  };
  *process = number("\nTgid:");
  *parent = number("\nPPid:");
  return *process != 0;
}

/// The spawner's own static executable, which is not yet the command: from a memfd, a file or an fd's number.
bool is_helper(const std::string& comm) {
  return comm.compare(0, 5, "memfd") == 0 || comm.compare(0, 7, "sandbox") == 0 ||
         comm.find_first_not_of("0123456789") == std::string::npos;
}

class Supervisor {
 public:
  Supervisor(pid_t command, int listener, int control) : command_(command), listener_(listener), control_(control) {}

  /// @return exit code for ourselves
  int run() {
    // Linux 6.6: wake each other on the same processor; without it, the same but slower.
    ioctl(listener_, SECCOMP_IOCTL_NOTIF_SET_FLAGS, SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP);
    int pidfd = static_cast<int>(syscall(SYS_pidfd_open, command_, 0));
    if (pidfd < 0) die("pidfd_open");
    for (;;) {
      pollfd sources[] = {{listener_, POLLIN, 0}, {control_, POLLIN, 0}, {pidfd, POLLIN, 0}};
      if (poll(sources, 3, -1) < 0) die("poll");
      // Orders first: whoever gave one may have gone on already.
      if ((sources[1].revents & POLLIN) != 0) obey();
      if ((sources[0].revents & POLLIN) != 0) notified();
      if ((sources[2].revents & POLLIN) != 0) break;
    }
    int status = 0;
    waitpid(command_, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }

 private:
  void obey() {
    char buffer[4096];
    ssize_t n = read(control_, buffer, sizeof buffer);
    if (n <= 0) {
      close(control_);
      control_ = -1;  // poll(2) passes over it
      return;
    }
    pending_.append(buffer, static_cast<size_t>(n));
    for (size_t end; (end = pending_.find('\n')) != std::string::npos; pending_.erase(0, end + 1)) {
      obey(pending_.substr(0, end));
    }
  }

  void obey(const std::string& line) {
    std::istringstream words(line);
    std::string verb;
    words >> verb;
    if (verb == "next") {
      order_ = {};
      words >> order_.role >> order_.name >> order_.occurrence >> order_.error;
      calls_.clear();
      processes_.clear();
      counts_.clear();
      reply("ok\n");
    } else {
      std::string text;
      for (const Call& call : calls_) {
        if (verb == "injected" && call.error == 0) continue;
        text += "{\"role\":\"" + call.role + "\",\"name\":\"" + call.name +
                "\",\"errno\":" + std::to_string(call.error) + ",\"args\":[";
        for (size_t i = 0; i < 6; i++) text += (i == 0 ? "\"" : ",\"") + std::to_string(call.arguments[i]) + "\"";
        text += "]}\n";
      }
      reply(text + "end\n");
    }
  }

  void reply(const std::string& text) {
    for (size_t done = 0; done < text.size();) {
      ssize_t n = write(control_, text.data() + done, text.size() - done);
      if (n <= 0) die("reply");
      done += static_cast<size_t>(n);
    }
  }

  void notified() {
    seccomp_notif request = {};
    if (ioctl(listener_, SECCOMP_IOCTL_NOTIF_RECV, &request) != 0) return;  // ENOENT: it was killed meanwhile
    seccomp_notif_resp response = {};
    response.id = request.id;
    response.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
    std::string role = role_of(static_cast<pid_t>(request.pid), request.data.nr);
    if (!role.empty()) {
      Call call = {role, syscall_name(request.data.nr), 0, {}};
      std::copy(std::begin(request.data.args), std::end(request.data.args), call.arguments);
      bool named = order_.role == role && (order_.name == "*" || order_.name == call.name);
      if (named && ++counts_[role] == order_.occurrence) call.error = order_.error;
      // Those of the event loop are many, and seldom asked for.
      if (role != "main" || named) calls_.push_back(call);
      if (call.error < 0) return;
      if (call.error > 0) {
        response.flags = 0;
        response.error = -call.error;
      }
    }
    ioctl(listener_, SECCOMP_IOCTL_NOTIF_SEND, &response);
  }

  /// Empty for one that is of no interest.
  std::string role_of(pid_t tid, int number) {
    if (tid == command_) return "main";
    pid_t id = tid;
    pid_t parent = 0;
    auto known = processes_.find(tid);
    if (known == processes_.end()) {
      if (!read_ids(tid, &id, &parent)) return "";
      if (id == command_) return thread_role(tid);
      known = processes_.find(id);
      if (known == processes_.end()) known = processes_.emplace(id, born(id, parent)).first;
    }
    Process& process = known->second;
    if (process.is_command) return "";
    if (!process.before_exec.empty()) {
      std::string comm = comm_of(tid);
      process.is_command = comm != process.before_exec && !is_helper(comm);
      process.before_exec.clear();
      if (process.is_command) return "";
    }
    if (number == SYS_execve || number == SYS_execveat) process.before_exec = comm_of(tid);
    return process.role;
  }

  Process born(pid_t id, pid_t parent) {
    Process process;
    auto known = processes_.find(parent);
    if (parent == command_) {
      process.role = "child";
    } else if (known != processes_.end() && !known->second.is_command) {
      process.role = known->second.role + "." + std::to_string(number_among_children(parent, id));
    } else {
      process.is_command = true;
    }
    return process;
  }

  /// Counted from 1 in the order of birth (proc_pid_children(5)): of two that run side by side either may call first.
  static int number_among_children(pid_t parent, pid_t id) {
    std::string file = "task/" + std::to_string(parent) + "/children";
    std::istringstream pids(proc_file(parent, file.c_str()));
    int number = 1;
    for (pid_t pid = 0; pids >> pid && pid != id;) number++;
    return number;
  }

  std::string thread_role(pid_t tid) {
    if (comm_of(tid) != "spawner") return "";
    // The thread that writes id maps has its name from the one that started it.
    if (spawner_ == 0) spawner_ = tid;
    return tid == spawner_ ? "spawner" : "writer";
  }

  pid_t command_;
  int listener_;
  int control_;
  pid_t spawner_ = 0;
  std::string pending_;
  Order order_;
  std::vector<Call> calls_;
  std::map<std::string, int> counts_;
  std::map<pid_t, Process> processes_;
};

/// In the child: installs the filter, sends the listener to the supervisor and becomes the command.
[[noreturn]] void become_command(char** argv, int handover, int control) {
  prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  if (dup2(handover, kHandoverFd) < 0 || dup2(control, kControlFd) < 0) die("dup2");
  if (fcntl(kHandoverFd, F_SETFD, FD_CLOEXEC) != 0) die("fcntl");
  Filter filter;
  for (int number : kNotWatched) filter.rule(number, SECCOMP_RET_ALLOW);
  filter.rule(SYS_sendmsg, SECCOMP_RET_ALLOW, 0, kHandoverFd);
  Filter other = filter;  // install() ends the filter
  unsigned flags = SECCOMP_FILTER_FLAG_NEW_LISTENER;
  long listener = filter.install(SECCOMP_RET_USER_NOTIF, flags | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV);
  if (listener < 0 && errno == EINVAL) listener = other.install(SECCOMP_RET_USER_NOTIF, flags);
  if (listener < 0) die("seccomp");

  int fd = static_cast<int>(listener);
  char byte = 0;
  iovec data = {&byte, 1};
  alignas(cmsghdr) char space[CMSG_SPACE(sizeof fd)] = {};
  msghdr message = {};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = space;
  message.msg_controllen = sizeof space;
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof fd);
  memcpy(CMSG_DATA(header), &fd, sizeof fd);
  if (sendmsg(kHandoverFd, &message, 0) != 1) die("sendmsg");
  execvp(argv[0], argv);
  die(argv[0]);
}

int receive_listener(int socket) {
  char byte;
  iovec data = {&byte, 1};
  alignas(cmsghdr) char space[CMSG_SPACE(sizeof(int))] = {};
  msghdr message = {};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = space;
  message.msg_controllen = sizeof space;
  if (recvmsg(socket, &message, MSG_CMSG_CLOEXEC) != 1) exit(120);  // the other side has said why
  int fd = -1;
  memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof fd);
  return fd;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    fprintf(stderr, "usage: inject COMMAND...\n");
    return 120;
  }
  int handover[2];
  int control[2];
  for (int* pair : {handover, control}) {
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) die("socketpair");
  }
  pid_t command = fork();
  if (command < 0) die("fork");
  if (command == 0) become_command(argv + 1, handover[1], control[1]);
  close(handover[1]);
  close(control[1]);
  return Supervisor(command, receive_listener(handover[0]), control[0]).run();
}

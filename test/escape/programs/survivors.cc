// Processes that mean to outlive their sandbox. Each is bounded: it ends by itself after a minute. They are found by
// the mark among their arguments.

#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "attempt.h"

namespace {

constexpr unsigned LIFE_SECONDS = 60;

[[noreturn]] void live() {
  for (int one = 1; one < NSIG; one++) {
    if (one != SIGALRM) signal(one, SIG_IGN);
  }
  signal(SIGALRM, SIG_DFL);
  alarm(LIFE_SECONDS);
  for (;;) pause();
}

/** Says that they are running, so that whoever waits for it may end the sandbox. */
void announce(const Arguments& a) {
  printf("%s runs\n", a[0].c_str());
  fflush(stdout);
}

/** Forks twice, in a session of its own, deaf to every signal: daemon(3). */
void daemonise(const Arguments& a) {
  if (fork() == 0) {
    setsid();
    if (fork() != 0) _exit(0);
    close(0);
    live();
  }
  wait(nullptr);
  announce(a);
}

/** As many as a shell would not tell apart from a build. */
void storm(const Arguments& a) {
  constexpr int CHILDREN = 100;
  int made = 0;
  for (int at = 0; at < CHILDREN; at++) {
    pid_t pid = fork();
    if (pid == 0) {
      setsid();
      live();
    }
    made += pid > 0 ? 1 : 0;
  }
  if (made == 0) refused("fork");
  announce(a);
}

/** Below a PID namespace of its own where it gets one, with a reaper of its own. */
void nest(const Arguments& a) {
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  unshare(CLONE_NEWUSER | CLONE_NEWPID);
  if (fork() == 0) {
    setsid();
    if (fork() == 0) live();
    live();
  }
  announce(a);
}

/** Stays in the foreground: for the end of whoever started it. */
void stay(const Arguments& a) {
  announce(a);
  live();
}

}  // namespace

const std::vector<Attempt> survivor_attempts = {
    {"daemonise", 1, daemonise},
    {"storm", 1, storm},
    {"nest", 1, nest},
    {"stay", 1, stay},
};

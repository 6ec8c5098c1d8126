// waitid(2) on a child of ours through its pidfd.
#pragma once

#include <signal.h>
#include <sys/resource.h>
#include <sys/types.h>

/// Waits as waitid(P_PIDFD) does. Where the kernel does not know that (before Linux 5.4, or under a filter), by pid,
/// which is as safe for a child that nobody else reaps: its pid is not used again before.
/// @param pid 0 when the process is not a child of ours
/// @return 0 or minus an errno; EAGAIN when the pidfd is non-blocking and there is nothing yet
long wait_process(int pidfd, pid_t pid, int options, siginfo_t* info, rusage* usage = nullptr);

/// Waits for the end and reaps; libuv may have made the pidfd non-blocking.
void reap(int pidfd, pid_t pid);

// Threads that may fail to start: at the limit on processes std::thread throws, and where no C++ exception is caught
// that would end the editor.
#pragma once

#include <signal.h>

#include <system_error>
#include <thread>
#include <utility>

#include "plan/syscalls.h"

/// @return 0 or an errno, EAGAIN above all (pthread_create(3))
template <typename Work>
int launch(std::thread& thread, Work&& work) {
  try {
    thread = std::thread(std::forward<Work>(work));
    return 0;
  } catch (const std::system_error& error) {
    return error.code().value();
  }
}

/// A thread that runs no signal handler of the editor's.
template <typename Work>
int launch_without_signals(std::thread& thread, Work&& work) {
  uint64_t all = ~uint64_t{0};
  uint64_t before = 0;
  sys::call(SYS_rt_sigprocmask, SIG_SETMASK, &all, &before, sizeof all);
  int error = launch(thread, std::forward<Work>(work));
  sys::call(SYS_rt_sigprocmask, SIG_SETMASK, &before, nullptr, sizeof before);
  return error;
}

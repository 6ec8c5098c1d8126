// Threads that may fail to start: at the limit on processes std::thread throws, and where no C++ exception is caught
// that would end the editor.
#pragma once

#include <system_error>
#include <thread>
#include <utility>

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

// What the attempts of the escape suite share: how one says what became of it, and small wrappers for what has no place
// in libc. One program holds them all, so that it can be put into any sandbox as a single static file.
//
//   attempt NAME ARGUMENT...
//
// An attempt that succeeds prints what it was after (a bait's secret), or the proof that it was given, and exits with
// 0. One that is refused prints "refused: CALL: ERRNO TEXT" for the last way it tried and exits with 1. Everything else
// (a signal, another exit code) means that it could not even be tried.

#pragma once

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

/** Arguments after the attempt's name. */
using Arguments = std::vector<std::string>;

struct Attempt {
  const char* name;
  size_t arguments;
  void (*run)(const Arguments&);
};

extern const std::vector<Attempt> file_attempts;
extern const std::vector<Attempt> socket_attempts;
extern const std::vector<Attempt> process_attempts;
extern const std::vector<Attempt> memory_attempts;
extern const std::vector<Attempt> namespace_attempts;
extern const std::vector<Attempt> kernel_attempts;
extern const std::vector<Attempt> ring_attempts;
extern const std::vector<Attempt> survivor_attempts;

/** The end of an attempt that was refused. */
[[noreturn]] inline void refused(const char* call, int error = errno) {
  printf("refused: %s: %d %s\n", call, error, strerror(error));
  fflush(stdout);
  _exit(1);
}

/** The end of one that got what it wanted, where that is nothing to be read. */
[[noreturn]] inline void proved(const std::string& proof) {
  printf("%s\n", proof.c_str());
  fflush(stdout);
  _exit(0);
}

/** The way that was tried last, and how it was refused: remembered until the others have been tried too. */
struct Refusal {
  const char* call;
  int error;
  explicit Refusal(const char* at) : call(at), error(errno) {}
  [[noreturn]] void tell() const { refused(call, error); }
};

/** Prints what can be read from a file descriptor; false when that is nothing. */
inline bool print_all(int fd) {
  char buffer[4096];
  bool some = false;
  for (ssize_t size; (size = read(fd, buffer, sizeof buffer)) > 0;) {
    fwrite(buffer, 1, static_cast<size_t>(size), stdout);
    some = true;
  }
  fflush(stdout);
  return some;
}

/** Prints a file that can be opened. */
inline bool print_file(const std::string& path) {
  int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return false;
  bool some = print_all(fd);
  close(fd);
  return some;
}

/** Whether the text was written at the end of a file; it is made where it is missing and may be made. */
inline bool append(const std::string& path, const std::string& text) {
  int fd = open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
  if (fd < 0) return false;
  bool done = write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  close(fd);
  return done;
}

/** Every process that can be seen, but this one. */
std::vector<std::string> other_processes();

/** Mount points of this mount namespace that a path lies at or below, innermost first. */
std::vector<std::string> mount_points_around(const std::string& path);

inline int number(const std::string& text) {
  return atoi(text.c_str());
}

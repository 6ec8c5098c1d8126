// A tree of N processes, ten children to each. Every one of them writes one byte to stdout when it is there, and waits
// to be killed.

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

namespace {

constexpr int kChildren = 10;
/// Should nobody kill them, they end by themselves.
constexpr unsigned kLongestSeconds = 60;

/// Makes `count` processes, of which this is one.
[[noreturn]] void grow(int count) {
  int left = count - 1;
  for (int i = 0; i < kChildren && left > 0; i++) {
    int share = left / (kChildren - i) + (left % (kChildren - i) != 0);
    left -= share;
    pid_t child = fork();
    if (child < 0) _exit(1);
    if (child == 0) grow(share);
  }
  alarm(kLongestSeconds);
  if (write(1, ".", 1) != 1) _exit(1);
  for (;;) pause();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  grow(atoi(argv[1]));
}

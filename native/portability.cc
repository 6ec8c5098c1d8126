// Keeps the addon loadable where VS Code is: glibc 2.28 and the libstdc++ of GCC 8. Headers of newer compilers refer to
// a few things that those lack; what is defined here is found before it is looked for there.
// test/native/portability.test.ts reads the versions that are asked for.

#include <cstdlib>

#define HIDDEN __attribute__((visibility("hidden")))

/// glibc 2.32, read by shared_ptr to leave out atomic operations. There is always the spawner's thread: never.
extern "C" HIDDEN char __libc_single_threaded;
char __libc_single_threaded = 0;

namespace std {
/// GLIBCXX_3.4.29, for an array larger than the address space.
[[noreturn]] HIDDEN void __throw_bad_array_new_length() {
  abort();
}
}  // namespace std

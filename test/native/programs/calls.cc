// Makes system calls by their numbers and prints what each returned, minus an errno where it failed, one a line.
//
//   calls NUMBER[*TIMES][,ARGUMENT...]...
//
// With "i386:" before it a call is made by int 0x80, whatever this program is compiled for; with "x32:" by x32's
// number. Numbers as strtoull(3) reads them. A call that is made many times prints the last result.

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "../../../native/plan/syscalls.h"

namespace {

#if defined(__x86_64__)
long call_i386(long number, const unsigned long long* arguments) {
  int result;
  // The upper half of the registers is not looked at.
  asm volatile("int $0x80"
               : "=a"(result)
               : "a"(static_cast<int>(number)), "b"(arguments[0]), "c"(arguments[1]), "d"(arguments[2])
               : "memory", "r8", "r9", "r10", "r11");
  return result;
}
#endif

bool skip(const char** text, const char* prefix) {
  size_t size = strlen(prefix);
  if (strncmp(*text, prefix, size) != 0) return false;
  *text += size;
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  for (int i = 1; i < argc; i++) {
    const char* text = argv[i];
    [[maybe_unused]] bool i386 = skip(&text, "i386:");
    bool x32 = skip(&text, "x32:");
    char* rest;
    long number = strtol(text, &rest, 0) | (x32 ? 0x40000000 : 0);
    long times = *rest == '*' ? strtol(rest + 1, &rest, 0) : 1;
    unsigned long long arguments[6] = {};
    for (int j = 0; j < 6 && *rest == ','; j++) arguments[j] = strtoull(rest + 1, &rest, 0);
    long result = 0;
    for (; times > 0; times--) {
#if defined(__x86_64__)
      if (i386) {
        result = call_i386(number, arguments);
        continue;
      }
#endif
      result = sys::call(number, arguments[0], arguments[1], arguments[2], arguments[3], arguments[4], arguments[5]);
    }
    printf("%ld\n", result);
    fflush(stdout);
  }
}

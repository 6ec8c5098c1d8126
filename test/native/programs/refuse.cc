// Runs a program whose system calls, and those of all its descendants, are refused: for tests of what is done instead.
//
//   refuse CALL=ERRNO[,CALL:ARGUMENT=VALUE=ERRNO...] -- COMMAND...
//
// `waitid:0=3=EINVAL` refuses waitid(2) when its first argument is 3, `clone:0&0x10000000=EPERM` refuses clone(2) when
// any of these bits is in it.

#include <sstream>

#include "seccomp.h"

namespace {

void add_rule(Filter& filter, const std::string& rule) {
  size_t last = rule.rfind('=');
  size_t colon = rule.find(':');
  bool bits = false;
  int argument = -1;
  uint32_t value = 0;
  if (colon != std::string::npos) {
    argument = rule[colon + 1] - '0';
    bits = rule[colon + 2] == '&';
    value = static_cast<uint32_t>(strtoul(rule.c_str() + colon + 3, nullptr, 0));
  }
  int number = syscall_number(rule.substr(0, colon == std::string::npos ? last : colon));
  int error = last == std::string::npos ? 0 : errno_number(rule.substr(last + 1));
  if (number < 0 || error == 0 || argument > 5) {
    errno = EINVAL;
    die(rule);
  }
  uint32_t verdict = SECCOMP_RET_ERRNO | static_cast<uint32_t>(error);
  if (bits) {
    filter.rule_bits(number, verdict, argument, value);
  } else {
    filter.rule(number, verdict, argument, value);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4 || strcmp(argv[2], "--") != 0) {
    fprintf(stderr, "usage: refuse CALL=ERRNO[,...] -- COMMAND...\n");
    return 120;
  }
  Filter filter;
  std::istringstream rules(argv[1]);
  for (std::string rule; std::getline(rules, rule, ',');) add_rule(filter, rule);
  if (filter.install(SECCOMP_RET_ALLOW, 0) < 0) die("seccomp");
  execvp(argv[3], argv + 3);
  die(argv[3]);
}

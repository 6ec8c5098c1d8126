// Turns a filter, whose names TypeScript has resolved to numbers, into the program that the kernel runs at every system
// call (seccomp(2)). libseccomp writes the programs; what it can't express is how they stand to each other.
#pragma once

#include <linux/filter.h>
#include <seccomp.h>

#include <cstdint>
#include <string>
#include <vector>

struct FilterRule {
  /// This machine's number; negative for a call that only other architectures have (__PNR_ in seccomp.h).
  int syscall;
  uint32_t action;
  std::vector<scmp_arg_cmp> arguments;
};

struct FilterRequest {
  /// SCMP_ARCH_*; this machine's own is always among them.
  std::vector<uint32_t> architectures;
  /// What becomes of a call by any other architecture's entry.
  uint32_t foreign_action;
  /// Asked one after the other; the first with a rule for the call decides.
  std::vector<std::vector<FilterRule>> parts;
  /// What becomes of a call that no rule is for.
  uint32_t default_action;
  /// Calls with higher numbers than any that a rule is for answer ENOSYS: they are newer than the filter, and programs
  /// know what to do without them. As runc does it (libcontainer/seccomp/patchbpf).
  bool newer_are_missing;
};

struct CompiledFilter {
  std::vector<sock_filter> program;
  /// 0, or the errno of `call`.
  int error = 0;
  const char* call = "";
};

CompiledFilter compile_filter(const FilterRequest& request);

/// This machine's number of a system call; __NR_SCMP_ERROR for a name that nobody knows.
int syscall_number(const char* name);

/// Name of a call of the architecture `arch` (AUDIT_ARCH_*); empty when it has none.
std::string syscall_name(uint32_t arch, int number);

/// All names that libseccomp knows.
std::vector<std::string> syscall_names();

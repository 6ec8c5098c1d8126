// What the two test tools share: names of system calls and errnos, and seccomp filters written by hand (seccomp(2)).
#pragma once

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <vector>

#if defined(__x86_64__)
constexpr uint32_t kArchitecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr uint32_t kArchitecture = AUDIT_ARCH_AARCH64;
#else
#error "Only x86-64 and arm64 are supported."
#endif

[[noreturn]] inline void die(const std::string& what) {
  fprintf(stderr, "%s: %s\n", what.c_str(), strerror(errno));
  exit(120);
}

/// The calls that the spawner names in its errors, and others that a filter or a log may meet.
inline const std::map<std::string, int>& syscall_numbers() {
  static const std::map<std::string, int> numbers = {
#define SYSCALL(name) {#name, SYS_##name},
#include "../../../native/plan/syscalls.def"
#undef SYSCALL
      {"accept4", SYS_accept4},         {"execve", SYS_execve},   {"faccessat", SYS_faccessat},
      {"faccessat2", SYS_faccessat2},   {"fstat", SYS_fstat},     {"ftruncate", SYS_ftruncate},
      {"getdents64", SYS_getdents64},   {"linkat", SYS_linkat},   {"newfstatat", SYS_newfstatat},
      {"pidfd_getfd", SYS_pidfd_getfd}, {"pread64", SYS_pread64}, {"readlinkat", SYS_readlinkat},
      {"seccomp", SYS_seccomp},         {"sendto", SYS_sendto},   {"statfs", SYS_statfs},
      {"unlinkat", SYS_unlinkat},       {"waitid", SYS_waitid},   {"getppid", SYS_getppid},
  };
  return numbers;
}

inline std::string syscall_name(int number) {
  for (const auto& [name, its] : syscall_numbers()) {
    if (its == number) return name;
  }
  return "#" + std::to_string(number);
}

/// @return minus one for an unknown name
inline int syscall_number(const std::string& name) {
  auto found = syscall_numbers().find(name);
  return found == syscall_numbers().end() ? -1 : found->second;
}

/// @return 0 for an unknown name
inline int errno_number(const std::string& name) {
  for (int number = 1; number < 134; number++) {
    const char* its = strerrorname_np(number);
    if (its != nullptr && name == its) return number;
  }
  return 0;
}

class Filter {
 public:
  Filter() {
    load(offsetof(seccomp_data, arch));
    add(BPF_JMP | BPF_JEQ | BPF_K, kArchitecture, 1, 0);
    answer(SECCOMP_RET_KILL_PROCESS);
  }

  /// `verdict` for a call, or for it with the given low half of an argument only.
  void rule(int number, uint32_t verdict, int argument = -1, uint32_t value = 0) {
    rule_where(number, verdict, argument, BPF_JEQ, value);
  }

  /// `verdict` for a call with any of these bits in the low half of an argument.
  void rule_bits(int number, uint32_t verdict, int argument, uint32_t bits) {
    rule_where(number, verdict, argument, BPF_JSET, bits);
  }

  /// Ends the filter and installs it for this process and its descendants.
  /// @return the result of seccomp(2): with SECCOMP_FILTER_FLAG_NEW_LISTENER an fd
  long install(uint32_t otherwise, unsigned flags) {
    answer(otherwise);
    sock_fprog program = {static_cast<unsigned short>(code_.size()), code_.data()};
    long result = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
    if (result >= 0 || errno != EACCES) return result;
    // Without CAP_SYS_ADMIN; not from the start, because it changes what an execve by root gives.
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return -1;
    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
  }

 private:
  void rule_where(int number, uint32_t verdict, int argument, int compare, uint32_t value) {
    load(offsetof(seccomp_data, nr));
    if (argument < 0) {
      add(BPF_JMP | BPF_JEQ | BPF_K, static_cast<uint32_t>(number), 0, 1);
    } else {
      add(BPF_JMP | BPF_JEQ | BPF_K, static_cast<uint32_t>(number), 0, 3);
      load(offsetof(seccomp_data, args) + static_cast<size_t>(argument) * sizeof(uint64_t));
      add(BPF_JMP | compare | BPF_K, value, 0, 1);
    }
    answer(verdict);
  }
  void add(int code, uint32_t operand, int if_true = 0, int if_false = 0) {
    code_.push_back(
        {static_cast<uint16_t>(code), static_cast<uint8_t>(if_true), static_cast<uint8_t>(if_false), operand});
  }
  void load(size_t offset) { add(BPF_LD | BPF_W | BPF_ABS, static_cast<uint32_t>(offset)); }
  void answer(uint32_t verdict) { add(BPF_RET | BPF_K, verdict); }

  std::vector<sock_filter> code_;
};

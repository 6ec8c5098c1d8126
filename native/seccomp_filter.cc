#include "seccomp_filter.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <memory>

#include "fd.h"
#include "pipes.h"

namespace {

/// "No rule here": no filter may ask for it, as its number is beyond every errno.
constexpr uint32_t kNext = SCMP_ACT_TRACE(0xffff);
/// Of libseccomp, not of this kernel: all that it can write may be asked for, and the kernel has the last word.
constexpr unsigned kApiLevel = 6;
/// A binary tree of the numbers.
constexpr uint32_t kBinaryTree = 2;
/// x32's calls have this bit (asm/unistd_x32.h); they come under x86-64's architecture.
constexpr uint32_t kX32Bit = 0x40000000;
constexpr int kMostNumbers = 1024;

struct Release {
  void operator()(void* filter) const { seccomp_release(filter); }
};
using Filter = std::unique_ptr<void, Release>;

/// The first thing that went wrong.
struct Failed {
  int error;
  const char* call;
};

void check(int result, const char* call) {
  if (result < 0) throw Failed{-result, call};
}

std::vector<sock_filter> exported(const Filter& filter) {
  Fd file = make_memory_file("seccomp", nullptr, 0);
  if (!file) throw Failed{errno, "memfd_create"};
  check(seccomp_export_bpf(filter.get(), file.get()), "seccomp_export_bpf");
  off_t size = lseek(file.get(), 0, SEEK_END);
  if (size < 0) throw Failed{errno, "lseek"};
  std::vector<sock_filter> program(static_cast<size_t>(size) / sizeof(sock_filter));
  if (pread(file.get(), program.data(), static_cast<size_t>(size), 0) != size) throw Failed{EIO, "pread"};
  return program;
}

std::vector<sock_filter> compile_part(const FilterRequest& request, const std::vector<FilterRule>& rules) {
  Filter filter(seccomp_init(kNext));
  if (!filter) throw Failed{EINVAL, "seccomp_init"};
  check(seccomp_attr_set(filter.get(), SCMP_FLTATR_ACT_BADARCH, request.foreign_action), "seccomp_attr_set");
  check(seccomp_attr_set(filter.get(), SCMP_FLTATR_CTL_OPTIMIZE, kBinaryTree), "seccomp_attr_set");
  for (uint32_t arch : request.architectures) {
    if (seccomp_arch_exist(filter.get(), arch) == -EEXIST)
      check(seccomp_arch_add(filter.get(), arch), "seccomp_arch_add");
  }
  for (const FilterRule& rule : rules) {
    int added = seccomp_rule_add_array(filter.get(), rule.action, rule.syscall,
                                       static_cast<unsigned>(rule.arguments.size()), rule.arguments.data());
    if (added != -EEXIST) check(added, "seccomp_rule_add");  // the same rule twice is one
  }
  return exported(filter);
}

/// The greatest number that a rule is for; -1 when there is none.
int last_number(const FilterRequest& request, uint32_t arch) {
  int last = -1;
  for (const std::vector<FilterRule>& rules : request.parts) {
    for (const FilterRule& rule : rules) {
      std::string name = syscall_name(seccomp_arch_native(), rule.syscall);
      // Numbers that libseccomp has no name for are newer than it, and since Linux 5.1 the same everywhere.
      int number = name.empty() ? rule.syscall : seccomp_syscall_resolve_name_arch(arch, name.c_str());
      last = std::max(last, number);
    }
  }
  return last;
}

/// For each architecture: newer calls than the filter's answer ENOSYS, all others go on behind it.
void append_newer(const FilterRequest& request, std::vector<sock_filter>& program) {
  std::vector<uint32_t> architectures = request.architectures;
  architectures.push_back(seccomp_arch_native());
  std::sort(architectures.begin(), architectures.end());
  architectures.erase(std::unique(architectures.begin(), architectures.end()), architectures.end());
  constexpr auto kArch = static_cast<uint32_t>(offsetof(seccomp_data, arch));
  constexpr auto kNumber = static_cast<uint32_t>(offsetof(seccomp_data, nr));
  for (uint32_t arch : architectures) {
    int last = last_number(request, arch);
    if (arch == SCMP_ARCH_X32 || last < 0) continue;
    const sock_filter prologue[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, kArch),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, arch, 0, 4),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, kNumber),
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, kX32Bit, 2, 0),
        BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, static_cast<uint32_t>(last), 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
    };
    program.insert(program.end(), std::begin(prologue), std::end(prologue));
  }
}

/// What a part has no rule for goes on behind it, or to the default action behind the last one.
void append_part(const std::vector<sock_filter>& part, std::vector<sock_filter>& program) {
  for (size_t i = 0; i < part.size(); i++) {
    sock_filter instruction = part[i];
    if (instruction.code == (BPF_RET | BPF_K) && instruction.k == kNext) {
      instruction = BPF_STMT(BPF_JMP | BPF_JA, static_cast<uint32_t>(part.size() - i - 1));
    }
    program.push_back(instruction);
  }
}

}  // namespace

CompiledFilter compile_filter(const FilterRequest& request) {
  CompiledFilter compiled;
  try {
    check(seccomp_api_set(kApiLevel), "seccomp_api_set");
    if (request.newer_are_missing) append_newer(request, compiled.program);
    for (const std::vector<FilterRule>& rules : request.parts)
      append_part(compile_part(request, rules), compiled.program);
    compiled.program.push_back(BPF_STMT(BPF_RET | BPF_K, request.default_action));
    if (compiled.program.size() > BPF_MAXINSNS) throw Failed{E2BIG, "seccomp"};
  } catch (const Failed& failed) {
    compiled.error = failed.error;
    compiled.call = failed.call;
  }
  return compiled;
}

int syscall_number(const char* name) {
  return seccomp_syscall_resolve_name(name);
}

std::string syscall_name(uint32_t arch, int number) {
  std::unique_ptr<char, decltype(&free)> name(seccomp_syscall_resolve_num_arch(arch, number), free);
  return name ? std::string(name.get()) : std::string();
}

std::vector<std::string> syscall_names() {
  std::vector<std::string> names;
  for (int number = 0; number < kMostNumbers; number++) {
    std::string name = syscall_name(seccomp_arch_native(), number);
    if (!name.empty()) names.push_back(std::move(name));
  }
  return names;
}

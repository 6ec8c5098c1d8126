// The kernel itself: its knobs, its clock, its log, and the calls that hand out much of its inside. Each is chosen so
// that nothing is changed on a machine where it succeeds: a value is written as it stands, an image that is none is
// loaded. Where the kernel checks the right first, the answer to a wrong argument tells that it was there.

#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <linux/reboot.h>
#include <linux/userfaultfd.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/klog.h>
#include <sys/timex.h>
#include <time.h>
#if defined(__x86_64__)
#include <sys/io.h>
#endif

#include "attempt.h"

namespace {

/** Writes into a file of the kernel what it says already. */
void write_same(const Arguments& a) {
  char value[4096] = {};
  int fd = open(a[0].c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) refused("open");
  ssize_t size = read(fd, value, sizeof value);
  if (size < 0) refused("read");
  close(fd);
  fd = open(a[0].c_str(), O_WRONLY | O_CLOEXEC);
  if (fd < 0) refused("open");
  if (write(fd, value, static_cast<size_t>(size)) < 0) refused("write");
  proved(a[1]);
}

/** Writes a text to a file that is there. */
void write_text(const Arguments& a) {
  int fd = open(a[0].c_str(), O_WRONLY | O_CLOEXEC);
  if (fd < 0) refused("open");
  if (write(fd, a[1].data(), a[1].size()) < 0) refused("write");
  proved(a[2]);
}

/** Proves it when a call failed for its arguments and not for want of a right. */
void expect(const char* call, long result, int accepted, const std::string& proof) {
  if (result < 0 && errno != accepted) refused(call);
  proved(proof);
}

void load_module(const Arguments& a) {
  static char image[64] = "no module";
  expect("init_module", syscall(SYS_init_module, image, sizeof image, ""), ENOEXEC, a[0]);
}

void load_kernel(const Arguments& a) {
  expect("kexec_load", syscall(SYS_kexec_load, 0L, 0L, nullptr, 0x40000000L), EINVAL, a[0]);
}

/** Sets what Ctrl-Alt-Delete does to what it does already. */
void reboot_call(const Arguments& a) {
  char value = '0';
  int fd = open("/proc/sys/kernel/ctrl-alt-del", O_RDONLY | O_CLOEXEC);
  if (fd < 0 || read(fd, &value, 1) != 1) refused("open");
  int command = static_cast<int>(value == '0' ? LINUX_REBOOT_CMD_CAD_OFF : LINUX_REBOOT_CMD_CAD_ON);
  if (syscall(SYS_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, command, nullptr) < 0) refused("reboot");
  proved(a[0]);
}

void set_host_name(const Arguments& a) {
  if (sethostname(a[0].data(), a[0].size()) < 0) refused("sethostname");
  proved(a[1]);
}

/** Moves the clock by nothing. */
void set_clock(const Arguments& a) {
  timex change{};
  change.modes = ADJ_SETOFFSET;
  if (syscall(SYS_clock_adjtime, CLOCK_REALTIME, &change) < 0) refused("clock_adjtime");
  proved(a[0]);
}

void read_log(const Arguments& a) {
  static char buffer[4096];
  if (klogctl(3 /* SYSLOG_ACTION_READ_ALL */, buffer, sizeof buffer) < 0) refused("syslog");
  proved(a[0]);
}

void make_map(const Arguments& a) {
  bpf_attr map{};
  map.map_type = BPF_MAP_TYPE_ARRAY;
  map.key_size = 4;
  map.value_size = 4;
  map.max_entries = 1;
  if (syscall(SYS_bpf, BPF_MAP_CREATE, &map, sizeof map) < 0) refused("bpf");
  proved(a[0]);
}

/** Counts what this process itself does, which asks for the least. */
void watch_performance(const Arguments& a) {
  perf_event_attr event{};
  event.type = PERF_TYPE_SOFTWARE;
  event.size = sizeof event;
  event.config = PERF_COUNT_SW_TASK_CLOCK;
  event.exclude_kernel = 1;
  event.exclude_hv = 1;
  if (syscall(SYS_perf_event_open, &event, 0, -1, -1, 0) < 0) refused("perf_event_open");
  proved(a[0]);
}

void handle_faults(const Arguments& a) {
  if (syscall(SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY) < 0) refused("userfaultfd");
  proved(a[0]);
}

void reach_ports(const Arguments& a) {
#if defined(__x86_64__)
  if (ioperm(0x80, 1, 1) < 0) refused("ioperm");
  proved(a[0]);
#else
  (void)a;
  refused("ioperm", ENOSYS);
#endif
}

/** The system calls of 32-bit programs, whose numbers are others: a way past a filter that knows only its own. */
void other_architecture(const Arguments& a) {
#if defined(__x86_64__)
  constexpr long I386_GETPID = 20;
  // A kernel that was booted without them answers with a fault.
  signal(SIGSEGV, [](int) { refused("int 0x80", ENOSYS); });
  long result;
  __asm__ volatile("int $0x80" : "=a"(result) : "a"(I386_GETPID) : "r8", "r9", "r10", "r11", "memory");
  if (result != getpid()) refused("int 0x80", static_cast<int>(-result));
  proved(a[0]);
#else
  (void)a;
  refused("int 0x80", ENOSYS);
#endif
}

/** Not to be chosen when memory runs out, at the cost of all others. */
void spare_me(const Arguments& a) {
  int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
  if (fd < 0) refused("open");
  if (write(fd, "-1000", 5) < 0) refused("write");
  proved(a[0]);
}

/** Before everybody else: a real-time scheduling class. */
void real_time(const Arguments& a) {
  struct {
    int priority;
  } first{1};
  if (syscall(SYS_sched_setscheduler, 0, 1 /* SCHED_FIFO */, &first) < 0) refused("sched_setscheduler");
  proved(a[0]);
}

/** Types into the terminal as its user would: tty_ioctl(4). */
void type_in(const Arguments& a) {
  // What leads this session may take a terminal that has none.
  if (ioctl(0, TIOCSTI, a[0].c_str()) < 0) ioctl(0, TIOCSCTTY, 1);
  for (const char& one : a[0]) {
    if (ioctl(0, TIOCSTI, &one) < 0) refused("ioctl");
  }
}

/** The same number with bits above it that the kernel does not look at, and a careless filter does (CVE-2019-10063). */
void type_in_disguised(const Arguments& a) {
  for (const char& one : a[0]) {
    if (syscall(SYS_ioctl, 0, 0x100000000UL | TIOCSTI, &one) < 0) refused("ioctl");
  }
}

/** What the console offers for copying and pasting, ioctl_console(2): asks for the shift keys. */
void console_call(const Arguments& a) {
  int fd = open("/dev/tty1", O_RDWR | O_CLOEXEC | O_NOCTTY);
  if (fd < 0) fd = open("/dev/tty0", O_RDWR | O_CLOEXEC | O_NOCTTY);
  if (fd < 0) refused("open");
  char code = 6;  // TIOCL_GETSHIFTSTATE
  if (ioctl(fd, TIOCLINUX, &code) < 0) refused("ioctl");
  proved(a[0]);
}

}  // namespace

const std::vector<Attempt> kernel_attempts = {
    {"write-same", 2, write_same},
    {"write-text", 3, write_text},
    {"load-module", 1, load_module},
    {"load-kernel", 1, load_kernel},
    {"reboot", 1, reboot_call},
    {"set-host-name", 2, set_host_name},
    {"set-clock", 1, set_clock},
    {"read-log", 1, read_log},
    {"make-map", 1, make_map},
    {"watch-performance", 1, watch_performance},
    {"handle-faults", 1, handle_faults},
    {"reach-ports", 1, reach_ports},
    {"other-architecture", 1, other_architecture},
    {"spare-me", 1, spare_me},
    {"real-time", 1, real_time},
    {"type-in", 1, type_in},
    {"type-in-disguised", 1, type_in_disguised},
    {"console-call", 1, console_call},
};

// What the kernel itself says to a combination: the same system calls, made by perl in a process of its own, where
// validate() stands in nobody's way.

import { spawnSync } from "node:child_process";

/** Numbers of system calls: x86-64, then the generic table of aarch64. */
const NUMBERS: Readonly<Record<string, readonly [number, number]>> = {
  capset: [126, 91],
  chroot: [161, 51],
  clone: [56, 220],
  clone3: [435, 435],
  exit_group: [231, 94],
  fsconfig: [431, 431],
  fsopen: [430, 430],
  landlock_add_rule: [445, 445],
  landlock_create_ruleset: [444, 444],
  landlock_restrict_self: [446, 446],
  mount: [165, 40],
  prctl: [157, 167],
  prlimit64: [302, 261],
  seccomp: [317, 277],
  setgroups: [116, 159],
  sethostname: [170, 161],
  setns: [308, 268],
  setpgid: [109, 154],
  setresgid: [119, 149],
  setresuid: [117, 147],
  setsid: [112, 157],
  unshare: [272, 97],
};

const PRELUDE = `
use strict; use Errno; use Fcntl;
my %nr = (${Object.entries(NUMBERS)
  .map(([name, [x64, arm64]]) => `${name} => ${process.arch === "x64" ? x64 : arm64}`)
  .join(", ")});
use constant { NEWTIME => 0x80, VM => 0x100, FS => 0x200, SIGHAND => 0x800, PTRACE => 0x2000, PARENT => 0x8000,
  THREAD => 0x10000, NEWNS => 0x20000, SYSVSEM => 0x40000, UNTRACED => 0x800000, NEWCGROUP => 0x2000000,
  NEWUTS => 0x4000000, NEWIPC => 0x8000000, NEWUSER => 0x10000000, NEWPID => 0x20000000, NEWNET => 0x40000000,
  IO => 0x80000000, CLEAR_SIGHAND => 0x100000000 };
sub verdict { for my $name (sort keys %!) { if ($!{$name}) { print $name; exit } } print "errno " . ($! + 0); exit }
sub call { my ($name, @args) = @_; my $r = syscall($nr{$name}, @args); verdict() if $r == -1; return $r }
sub put { my ($file, $text) = @_; sysopen(my $f, $file, O_WRONLY) or verdict(); defined syswrite($f, $text) or verdict() }
sub fd { my $file = shift; my $f; sysopen($f, $file, O_RDWR | O_NOCTTY) or sysopen($f, $file, O_RDONLY) or verdict(); our @kept; push @kept, $f; return fileno($f) }
# A fork by clone3, whose child ends at once.
sub fork3 { my ($flags, $signal) = @_; my $args = pack("Q11", $flags, 0, 0, 0, $signal, 0, 0, 0, 0, 0, 0);
  syscall($nr{exit_group}, 0) if call("clone3", $args, length $args) == 0 }
sub maps { my $id = shift; my ($u, $g) = ($>, $) + 0); call("unshare", NEWUSER); put("/proc/self/setgroups", "deny");
  put("/proc/self/uid_map", "$id $u 1"); put("/proc/self/gid_map", "$id $g 1") }
# An ordinary user, without any capability, but with its own files in /proc (PR_SET_DUMPABLE).
sub ordinary { if ($> == 0) { call("setgroups", 0, 0); call("setresgid", (65534) x 3); call("setresuid", (65534) x 3); call("prctl", 4, 1, 0, 0, 0) } }
sub caps { my ($effective, $permitted, $inheritable) = @_; my $header = pack("LL", 0x20080522, 0);
  my $data = pack("L6", $effective, $permitted, $inheritable, 0, 0, 0); call("capset", $header, $data) }
sub limit { my ($soft, $hard) = @_; my $new = pack("QQ", $soft, $hard); call("prlimit64", 0, 7, $new, 0) }
# A Landlock ruleset about files, network and scopes; a rule for the root.
sub ruleset { my $attributes = pack("Q3", @_); return call("landlock_create_ruleset", $attributes, length $attributes, 0) }
sub beneath { my ($ruleset, $access) = @_; opendir(my $root, "/"); my $rule = pack("Ql", $access, fileno($root));
  call("landlock_add_rule", $ruleset, 1, $rule, 0) }
sub io { my ($fd, $request) = @_; my $arg = pack("L", $$); call("ioctl", $fd, $request, $arg) }
sub pty { my $master = fd("/dev/ptmx"); my $zero = pack("L", 0); call("ioctl", $master, 0x40045431, $zero);
  return call("ioctl", $master, 0x5441, O_RDWR | O_NOCTTY) }
$nr{ioctl} = ${process.arch === "x64" ? 16 : 29};
# In a child, so that it leads no session and no group.
my $child = fork; if ($child) { waitpid $child, 0; exit }
`;

/** Whether there is a perl to ask it with. */
export const hasPerl = spawnSync("perl", ["-e", "1"]).status === 0;

/**
 * Run lines of perl; see PRELUDE for its words.
 * @returns the name of the errno of the first system call that fails, 'ok' when none does
 */
export function kernelSays(lines: string): string {
  const run = spawnSync("perl", ["-e", `$| = 1; ${PRELUDE}\n${lines}; print "ok"`], { encoding: "utf8", input: "" });
  return run.stderr === "" ? run.stdout : run.stderr;
}

// What each step of explain() must show of itself in strace's log: its system calls with their arguments, made of nothing
// but the words that explain() prints.

import type { api } from "../spawner-world";

type Step = ReturnType<typeof api.explain>[number];

/** A call that a step makes. */
export interface Expected {
  readonly call: RegExp;
  /** Once unless said otherwise. */
  readonly times?: "any" | "maybe" | "some";
  /** Before the step looks at another path. */
  readonly near?: boolean;
}

const quote = (text: string | undefined): string => (text ?? "").replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");

const one = (source: string): Expected => ({ call: new RegExp(`^${source}`) });
const maybe = (source: string): Expected => ({ ...one(source), times: "maybe" });
const any = (source: string): Expected => ({ ...one(source), times: "any" });
const some = (source: string): Expected => ({ ...one(source), times: "some" });

const ATTRIBUTES: Readonly<Record<string, string>> = {
  ro: "MOUNT_ATTR_RDONLY",
  nosuid: "MOUNT_ATTR_NOSUID",
  nodev: "MOUNT_ATTR_NODEV",
  noexec: "MOUNT_ATTR_NOEXEC",
};

/** The attributes among mount options, in the kernel's order, as strace shows them. */
function attributes(options: readonly string[]): string {
  const names = Object.keys(ATTRIBUTES).filter((name) => options.includes(name));
  return names.length === 0 ? "0" : names.map((name) => ATTRIBUTES[name]).join("\\|");
}

const writes = (file: string, text: string): Expected[] => [
  one(`openat\\(AT_FDCWD, "${quote(file)}", O_WRONLY\\|O_CLOEXEC\\)`),
  one(`write\\(\\d+, "${quote(text)}\\\\?n?", \\d+\\)`),
];

/** A mount point that is missing is made, with the folders above it. */
const point = (): Expected[] => [any("(mkdirat|fchmodat)\\("), maybe('mknodat\\(\\d+, "[^"/]+", S_IFREG\\|0644\\)')];
const attach = (): Expected[] => [one('move_mount\\(\\d+, "", \\d+, "",')];

const split = (list: string | undefined): string[] => (list === undefined || list === "" ? [] : list.split(","));

/** The tmpfs for the upper layers is made by the first one. */
function copyCalls(source: string, destination: string, options: readonly string[]): Expected[] {
  const layer = (key: string): Expected =>
    one(`fsconfig\\(\\d+, FSCONFIG_SET_STRING, "${key}", "/proc/self/fd/\\d+", 0\\)`);
  const folder = (name: string): Expected[] => [
    one(`mkdirat\\(\\d+, "${name}\\d+"`),
    one(`fchmodat\\(\\d+, "${name}\\d+"`),
    any(`openat\\(\\d+, "${name}\\d+", O_RDONLY.*O_PATH`),
  ];
  return [
    one(`openat2?\\(AT_FDCWD, "${quote(source)}", .*O_PATH`),
    one(`openat2\\(\\d+, "${quote(destination)}",.*RESOLVE_IN_ROOT`),
    any('(mkdirat|fchmodat)\\(\\d+, "(?!upper|work)'),
    maybe('fsopen\\("tmpfs"'),
    maybe('fsconfig\\(\\d+, FSCONFIG_SET_STRING, "source", "tmpfs"'),
    maybe('fsconfig\\(\\d+, FSCONFIG_SET_STRING, "mode", "0700"'),
    { ...maybe("fsconfig\\(\\d+, FSCONFIG_CMD_CREATE"), near: true },
    maybe("fsmount\\(\\d+, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID\\|MOUNT_ATTR_NODEV\\)"),
    { ...maybe('move_mount\\(\\d+, "", \\d+, "",'), near: true },
    ...folder("upper"),
    ...folder("work"),
    one('fsopen\\("overlay", FSOPEN_CLOEXEC\\)'),
    one('fsconfig\\(\\d+, FSCONFIG_SET_STRING, "source", "overlay"'),
    layer("lowerdir"),
    layer("upperdir"),
    layer("workdir"),
    one('fsconfig\\(\\d+, FSCONFIG_SET_FLAG, "userxattr"'),
    one("fsconfig\\(\\d+, FSCONFIG_CMD_CREATE"),
    one(`fsmount\\(\\d+, FSMOUNT_CLOEXEC, ${attributes(options)}\\)`),
    ...attach(),
  ];
}

function mountCalls(detail: string): Expected[] {
  const bind = /^(r?)bind (\S+) on (\S+?)(?: \((.*)\))?$/.exec(detail);
  if (bind !== null) {
    const options = split(bind[4]);
    const set = attributes(options);
    const recursive = bind[1] === "r" ? "\\|AT_RECURSIVE" : "";
    const where = options.includes("inside") ? "\\d+" : "AT_FDCWD";
    const source = one(`openat2?\\(${where}, "${quote(bind[2])}", .*O_PATH`);
    if (options.includes("optional")) return [{ ...source, times: "maybe" }];
    return [
      source,
      one(`open_tree\\(\\d+, "", OPEN_TREE_CLONE\\|OPEN_TREE_CLOEXEC\\|AT_EMPTY_PATH${recursive}\\)`),
      ...(set === "0"
        ? []
        : [one(`mount_setattr\\(\\d+, "", AT_EMPTY_PATH${recursive}, \\{attr_set=${set}, attr_clr=0,`)]),
      one(`openat2\\(\\d+, "${quote(bind[3])}",.*RESOLVE_IN_ROOT`),
      ...point(),
      ...attach(),
    ];
  }
  const copy = /^copy-on-write (\S+) on (\S+?)(?: \((.*)\))?$/.exec(detail);
  if (copy !== null) return copyCalls(copy[1] ?? "", copy[2] ?? "", split(copy[3]));
  const [, type, destination, list] = /^(\S+) on (\S+?)(?: \((.*)\))?$/.exec(detail) ?? [];
  const options = split(list);
  const own = options.filter((option) => !(option in ATTRIBUTES) && !["rw", "optional"].includes(option));
  return [
    one(`fsopen\\("${quote(type)}", FSOPEN_CLOEXEC\\)`),
    one('fsconfig\\(\\d+, FSCONFIG_SET_STRING, "source", '),
    ...own.map((option) => {
      const [key, value] = option.split(/=(.*)/);
      return value === undefined
        ? one(`fsconfig\\(\\d+, FSCONFIG_SET_FLAG, "${quote(key)}"`)
        : one(`fsconfig\\(\\d+, FSCONFIG_SET_STRING, "${quote(key)}", "${quote(value)}"`);
    }),
    one("fsconfig\\(\\d+, FSCONFIG_CMD_CREATE"),
    one(`fsmount\\(\\d+, FSMOUNT_CLOEXEC, ${attributes(options)}\\)`),
    one(`openat2\\(\\d+, "${quote(destination)}",.*RESOLVE_IN_ROOT`),
    ...point(),
    ...attach(),
  ];
}

function rootCalls(detail: string): Expected[] {
  if (detail === "a fresh tmpfs") {
    return [
      one('fsopen\\("tmpfs"'),
      some("fsconfig\\("),
      one("fsmount\\("),
      one('move_mount\\(\\d+, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH\\)'),
    ];
  }
  const [, path, list] = /^(\S+), recursively(?: \((.*)\))?$/.exec(detail) ?? [];
  return [
    one(`open_tree\\(AT_FDCWD, "${quote(path)}", .*AT_RECURSIVE\\)`),
    ...(list === undefined
      ? []
      : [one(`mount_setattr\\(.*AT_RECURSIVE, \\{attr_set=${attributes(split(list))}, attr_clr=0,`)]),
    one('move_mount\\(\\d+, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH\\)'),
  ];
}

function idMapCalls(detail: string): Expected[] {
  if (detail.endsWith("(written from outside)")) return [one('write\\(\\d+, "\\\\1", 1\\)')];
  const [, uid, gid] = /^uid (.*); gid (.*) \(/.exec(detail) ?? [];
  return [
    ...writes("/proc/self/setgroups", "deny"),
    ...writes("/proc/self/uid_map", uid ?? "?"),
    ...writes("/proc/self/gid_map", gid ?? "?"),
  ];
}

/** 'user, uts' to 'CLONE_NEWUTS|CLONE_NEWUSER', in whatever order. */
function flags(words: string): string {
  const names = words.split(", ").map((word) => `CLONE_NEW${word === "mount" ? "NS" : word.toUpperCase()}`);
  return names.map((name) => `(?=[^)]*\\b${name}\\b)`).join("");
}

const SET: readonly string[] = ["effective", "permitted", "inheritable"];

/** '1<<CAP_CHOWN' for 'CAP_CHOWN', 0 for 'none'. */
function capset(detail: string): string {
  return SET.map((set) => {
    const names = new RegExp(`${set} ([^;]*)`).exec(detail)?.[1] ?? "none";
    return `${set}=${
      names === "none"
        ? "0"
        : names
            .split(" ")
            .map((name) => `1<<${name}`)
            .join("\\|")
    }`;
  }).join(", ");
}

const last = (path: string): string => quote(path.slice(path.lastIndexOf("/") + 1));

const TABLE: Readonly<Record<string, (detail: string) => Expected[]>> = {
  prepare: () => [],
  clone3: () => [],
  signals: (detail) =>
    detail === "unblocked"
      ? [one("rt_sigprocmask\\(SIG_SETMASK, \\[\\], NULL, 8\\)")]
      : [some("rt_sigaction\\(\\w+, \\{sa_handler=SIG_DFL,")],
  "parent-death signal": (detail) => [one(`prctl\\(PR_SET_PDEATHSIG, ${detail}\\)`)],
  "id-map": idMapCalls,
  setns: (detail) => [one(`setns\\(\\d+, ${flags((/^(.*) of fd/.exec(detail) ?? [])[1] ?? "?")}`)],
  unshare: (detail) => [one(`unshare\\(${flags((/^new (.*) namespaces?$/.exec(detail) ?? [])[1] ?? "?")}`)],
  hostname: (detail) => [one(`sethostname\\("${quote(detail)}", ${detail.length}\\)`)],
  domainname: (detail) => [one(`setdomainname\\("${quote(detail)}", ${detail.length}\\)`)],
  loopback: () => [one("socket\\(AF_INET"), one('ioctl\\(\\d+, SIOCSIFFLAGS, \\{ifr_name="lo", ifr_flags=IFF_UP')],
  propagation: () => [one('mount\\(NULL, "/", NULL, MS_REC\\|MS_PRIVATE, NULL\\)')],
  rootfs: rootCalls,
  mount: mountCalls,
  mkdir: (detail) => {
    const [, path = "", mode] = /^(\S+) \(mode (\d+)\)$/.exec(detail) ?? [];
    return [
      any(`(mkdirat|fchmodat)\\(\\d+, "(?!${last(path)}")`),
      one(`mkdirat\\(\\d+, "${last(path)}", 0${mode}\\)`),
      one(`fchmodat\\(\\d+, "${last(path)}", 0${mode}\\)`),
    ];
  },
  symlink: (detail) => {
    const [path = "", target] = detail.split(" -> ");
    return [any("(mkdirat|fchmodat)\\("), one(`symlinkat\\("${quote(target)}", \\d+, "${last(path)}"\\)`)];
  },
  file: (detail) => {
    const [, path = "", size, mode] = /^(\S+) \((\d+) bytes, mode (\d+)\)$/.exec(detail) ?? [];
    return [
      any("(mkdirat|fchmodat)\\("),
      one(`openat\\(\\d+, "${last(path)}", O_WRONLY\\|O_CREAT\\|O_EXCL.*0${mode}\\)`),
      one(`write\\(\\d+, ".*", ${size}\\)`),
      one(`fchmod\\(\\d+, 0${mode}\\)`),
    ];
  },
  mask: (detail) => [
    one(`openat2\\(\\d+, "${quote(detail)}",.*RESOLVE_IN_ROOT`),
    // Nothing more where there is nothing to cover; an empty file system of its own, a copy of it, or /dev/null.
    { ...any("(fsopen|fsconfig|fsmount|open_tree|mount_setattr|move_mount)\\("), near: true },
  ],
  "read-only": (detail) =>
    detail === "/"
      ? [one('mount_setattr\\(\\d+, "", AT_EMPTY_PATH, \\{attr_set=MOUNT_ATTR_RDONLY,')]
      : [
          one(`openat2\\(\\d+, "${quote(detail)}",.*RESOLVE_IN_ROOT`),
          { ...maybe("open_tree\\(.*AT_RECURSIVE"), near: true },
          { ...maybe("mount_setattr\\(.*AT_RECURSIVE, \\{attr_set=MOUNT_ATTR_RDONLY,"), near: true },
          { ...maybe("move_mount\\("), near: true },
        ],
  pivot_root: () => [
    one("fchdir\\("),
    one('pivot_root\\("\\.", "\\."\\)'),
    one('umount2\\("\\.", MNT_DETACH\\)'),
    one('chdir\\("/"\\)'),
  ],
  chroot: (detail) => [one(`chroot\\("${quote(detail)}"\\)`), one('chdir\\("/"\\)')],
  "time offset": (detail) => writes("/proc/self/timens_offsets", detail),
  rlimit: (detail) => {
    const [type, soft, hard] = detail.split(" ");
    return [one(`prlimit64\\(0, ${type}, \\{rlim_cur=${soft}, rlim_max=${hard}\\}, NULL\\)`)];
  },
  oom_score_adj: (detail) => writes("/proc/self/oom_score_adj", detail),
  keyring: () => [one("keyctl\\(KEYCTL_JOIN_SESSION_KEYRING, NULL\\)")],
  "bounding set": (detail) => [
    some(`prctl\\(PR_CAPBSET_DROP, (?!(${detail.split(", ").join("|")})\\))\\w+`),
    maybe("prctl\\(PR_CAPBSET_DROP, .*EINVAL"),
  ],
  "keep capabilities": () => [one("prctl\\(PR_SET_KEEPCAPS, 1\\)")],
  groups: (detail) => [one(`setgroups\\(\\d+, \\[${detail === "none" ? "" : detail}\\]\\)`)],
  gid: (id) => [one(`setresgid\\(${id}, ${id}, ${id}\\)`)],
  uid: (id) => [one(`setresuid\\(${id}, ${id}, ${id}\\)`)],
  capabilities: (detail) => [
    one("prctl\\(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL"),
    one(`capset\\(.*\\{${capset(detail)}\\}`),
  ],
  "ambient set": (detail) => [
    one("capset\\("),
    ...detail.split(", ").map((name) => one(`prctl\\(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, ${name}, 0, 0\\)`)),
  ],
  no_new_privs: () => [one("prctl\\(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0\\)")],
  "landlock ruleset": () => [one("landlock_create_ruleset\\(\\{handled_access_fs=.*\\}, \\d+, 0\\)")],
  "landlock rule": (detail) => {
    const port = /^port (\d+): /.exec(detail)?.[1];
    if (port !== undefined) return [one(`landlock_add_rule\\(\\d+, .*, 0\\)`)];
    const [, path, how] = /^(\S+)(?: \((\S+)\))?: /.exec(detail) ?? [];
    const looks = one(
      `openat2\\(AT_FDCWD, "${quote(path)}", .*${how === "nofollow" ? "NO_SYMLINKS" : "NO_MAGICLINKS"}`,
    );
    const adds = one("landlock_add_rule\\(\\d+, LANDLOCK_RULE_PATH_BENEATH, .*, 0\\)");
    return how === "optional" ? [looks, { ...adds, times: "maybe", near: true }] : [looks, adds];
  },
  landlock: (detail) => [one(`landlock_restrict_self\\(\\d+, ${detail === "enforced" ? "0" : ".+"}\\)`)],
  subreaper: () => [
    one("rt_sigprocmask\\(SIG_SETMASK, ~\\[\\]"),
    one("prctl\\(PR_SET_CHILD_SUBREAPER, 1\\)"),
    one("landlock_create_ruleset\\("),
    one("landlock_restrict_self\\("),
    one("getppid\\("),
    one("kill\\(\\d+, 0\\)"),
    one("pipe2\\("),
    one("clone\\(child_stack=NULL, flags=0\\)"),
    one("landlock_restrict_self\\("),
    one("kill\\(\\d+, 0\\)"),
  ],
  umask: (detail) => [one(`umask\\(0${detail}\\)`)],
  cwd: (detail) => [one(`chdir\\("${quote(detail)}"\\)`)],
  terminal: (detail) => {
    const [, columns, rows] = /(\d+) columns, (\d+) rows/.exec(detail) ?? [];
    return [
      one('openat\\(AT_FDCWD, "/dev/ptmx", O_RDWR'),
      one("ioctl\\(\\d+, TIOCSPTLCK, \\[0\\]\\)"),
      one("ioctl\\(\\d+, TIOCGPTPEER"),
      one(`ioctl\\(\\d+, TIOCSWINSZ, \\{ws_row=${rows}, ws_col=${columns},`),
      one("ioctl\\(\\d+, .*TCSETS, .*IUTF8"),
      one("sendmsg\\(.*SCM_RIGHTS"),
    ];
  },
  fds: () => [some("dup3\\("), one("close_range\\(\\d+, 4294967295, 0\\)")],
  // Without anybody who is told, or inside another sandbox that is told, the second kind alone.
  seccomp: (detail) =>
    detail.includes("told of")
      ? [one("seccomp\\(SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER"), one("sendmsg\\(.*SCM_RIGHTS")]
      : [one("seccomp\\(SECCOMP_SET_MODE_FILTER, 0, \\{len=")],
  fork: () => [one("rt_sigprocmask\\(SIG_SETMASK, ~\\[\\]"), one("clone\\(child_stack=NULL, flags=SIGCHLD\\)")],
  setsid: () => [one("setsid\\(\\)")],
  setpgid: () => [one("setpgid\\(0, 0\\)")],
  "controlling terminal": (detail) => [one(`ioctl\\(${detail.replace("fd ", "")}, TIOCSCTTY, 0\\)`)],
  itimer: (detail) => {
    const ms = Number((/(\d+) ms/.exec(detail) ?? [])[1]);
    return [
      one(`setitimer\\(ITIMER_REAL, .*it_value=\\{tv_sec=${Math.trunc(ms / 1000)}, tv_usec=${(ms % 1000) * 1000}\\}`),
    ];
  },
  exec: (detail) =>
    detail === "the helper, which runs the rest"
      ? [
          one('execveat\\(\\d+, "", \\["sandbox-init",.*0 vars'),
          one("prctl\\(PR_SET_DUMPABLE, SUID_DUMP_DISABLE"),
          one("mmap\\(.*MAP_PRIVATE"),
        ]
      : [one(`execve\\("${quote(detail.split(" ")[0])}", \\["${quote(detail).split(" ").join('", "')}"\\]`)],
};

/** @throws Error for a step that the table does not know */
export function expectedCalls({ name, detail }: Step): Expected[] {
  const expected = TABLE[name];
  if (expected === undefined) throw new Error(`No calls are listed for the step ${name}.`);
  return expected(detail);
}

/** Calls that only look, or that undo what the same step opened: they may stand anywhere. */
const OBSERVES =
  /^(close|statx|fstatfs|ppoll|getcwd|lseek|read|getpid|getpgid|readlinkat|capget|fcntl|pidfd_open|ioctl\(\d+, (SIOCGIFFLAGS|TCGETS)|openat2?\(.*O_PATH|openat2\(.* = -1 )/;

const STAYS = /^(close|statx|fstatfs)\(/;

/** Walks through the log step by step. @returns what does not agree, in words */
export function compare(steps: readonly Step[], calls: readonly string[]): string[] {
  let at = 0;
  for (const step of steps) {
    for (const { call, times, near } of expectedCalls(step)) {
      const passed = near === true ? STAYS : OBSERVES;
      let found = 0;
      for (;;) {
        let next = at;
        while (next < calls.length && !call.test(calls[next] ?? "") && passed.test(calls[next] ?? "")) next++;
        if (!call.test(calls[next] ?? "")) break;
        at = next + 1;
        found++;
        if (times === undefined || times === "maybe") break;
      }
      if (found === 0 && (times === undefined || times === "some")) {
        return [`${step.name} ${step.detail}: ${call.source} expected, and not ${calls.slice(at, at + 3).join("; ")}`];
      }
    }
  }
  return calls.slice(at).filter((call) => !OBSERVES.test(call));
}

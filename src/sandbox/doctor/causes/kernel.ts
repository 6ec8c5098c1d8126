// A kernel that is too old, was built without something, or has it switched off.

import { type Cause, type Failure, takesNamespaces } from "../cause";
import { entryOf } from "../entries";
import type { SystemFacts } from "../facts";
import { asRoot, newerKernel, onTheHost, setKernelParameter, setSysctl } from "../remedy";

function isOlder({ kernel }: SystemFacts, [major, minor]: readonly [number, number]): boolean {
  return kernel[0] < major || (kernel[0] === major && kernel[1] < minor);
}

const since = ({ feature }: Failure): readonly [number, number] => entryOf(feature)?.since ?? [0, 0];

const isUnknown = ({ errno }: Failure): boolean =>
  ["ENOSYS", "EINVAL", "EOPNOTSUPP", "ENODEV", "EPERM"].includes(errno);

const tooOld: Cause = {
  id: "kernel_too_old",
  applies: (failure, facts) => facts.release !== "" && isOlder(facts, since(failure)) && isUnknown(failure),
  title: ({ release }) => `This kernel is too old: Linux ${release}`,
  why: (_, failure) => `"${failure.feature}" takes Linux ${since(failure).join(".")} or later.`,
  remedies: (facts) => [newerKernel(facts)],
};

const notBuilt: Cause = {
  id: "not_built",
  applies: (failure) =>
    (takesNamespaces(failure.feature) && failure.errno === "EINVAL") ||
    (failure.errno === "ENOSYS" && entryOf(failure.feature)?.config !== undefined),
  title: (_, failure) => `This kernel was built without ${entryOf(failure.feature)?.config ?? "it"}`,
  why: (_, failure) => `It does not know it (${failure.errno}), and no filter that would hide it is on this process.`,
  remedies: (facts, failure) => [
    {
      what: "See what it was built with:",
      lines: [
        `(zcat /proc/config.gz || cat /boot/config-$(uname -r)) 2>/dev/null | grep ${entryOf(failure.feature)?.config ?? "_NS"}`,
      ],
    },
    facts.container === undefined
      ? { what: "Boot the distribution's own kernel, which has it.", lines: [] }
      : { what: "Boot a kernel that has it, on the host.", lines: [] },
  ],
};

const overlayMissing: Cause = {
  id: "overlay_missing",
  applies: ({ feature, errno }) => feature === "overlay in a user namespace" && errno === "ENODEV",
  title: () => "The file system overlay is not loaded",
  why: () => "The kernel knows no file system of that name; most have it as a module.",
  remedies: (facts) => [
    {
      what: `Load it now and at every start (modules-load.d(5)).${onTheHost(facts)}`,
      lines: [
        asRoot(facts, "modprobe overlay"),
        `echo overlay | ${asRoot(facts, "tee /etc/modules-load.d/overlay.conf")}`,
      ],
    },
  ],
};

const memfdNoexec: Cause = {
  id: "memfd_noexec",
  applies: ({ feature, errno }, facts) =>
    feature === "PID 1 of our own" && errno === "EACCES" && facts.sysctl("vm.memfd_noexec") === "2",
  title: () => "Programs in memory are forbidden here",
  why: () =>
    "vm.memfd_noexec is 2, and PID 1 of a sandbox is executed from sealed memory, so that nothing can rewrite it.",
  remedies: (facts) => [
    {
      what: `Forbid it only to those who don't ask.${onTheHost(facts)}`,
      lines: setSysctl(facts, "vm.memfd_noexec", "1"),
    },
  ],
};

const noSeccomp: Cause = {
  id: "no_seccomp",
  applies: ({ feature }, { seccomp }) => feature.startsWith("seccomp") && seccomp === "missing",
  title: () => "This kernel has no seccomp",
  why: () => "There is no line Seccomp in /proc/self/status: it was built without CONFIG_SECCOMP.",
  remedies: (facts) => [newerKernel(facts)],
};

/** Landlock is built in and not in the list of modules that run: landlock_create_ruleset(2), EOPNOTSUPP. */
const landlockOff: Cause = {
  id: "landlock_not_in_lsm",
  applies: ({ feature, errno }) => feature === "Landlock" && errno === "EOPNOTSUPP",
  title: () => "Landlock is in this kernel, but switched off at boot",
  why: ({ modules }) =>
    `It is not among the security modules that run${modules === undefined ? "" : ` (${modules.join(",")})`}, which the parameter lsm= lists.`,
  remedies: (facts) => {
    if (facts.modules === undefined) {
      // A list that leaves out SELinux would switch it off.
      const list = { what: "See which run now:", lines: [asRoot(facts, "cat /sys/kernel/security/lsm")] };
      return [list, setKernelParameter(facts, "lsm=landlock,<that list>")];
    }
    // "capability" always comes first and is not to be named.
    const others = facts.modules.filter((name) => name !== "capability" && name !== "landlock");
    return [setKernelParameter(facts, `lsm=${["landlock", ...others].join(",")}`)];
  },
};

/** Certain from the facts alone. */
export const KERNEL_CAUSES: readonly Cause[] = [landlockOff, noSeccomp, memfdNoexec, overlayMissing, tooOld];
/** What is left when nothing hides a system call. */
export const BUILD_CAUSES: readonly Cause[] = [notBuilt];
